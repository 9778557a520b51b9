"""Robots are told from people by what was fetched and posted over a link, and nothing but it."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.clicks import (
    Earlier,
    Evidence,
    HandedOver,
    Hit,
    HitKind,
    LinkFacts,
    Verdict,
    VisitFacts,
    classify,
    is_ahead,
    needs_arrival,
    visit_started,
    visit_uid,
    visitor,
    visitors,
)
from surveyapp.domain.vocabulary import ResponseStatus

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CONFIRMED, PROVISIONAL, SUSPECTED = (
    Verdict(ResponseStatus.CONFIRMED),
    Verdict(ResponseStatus.PROVISIONAL),
    ResponseStatus.SUSPECTED_BOT,
)
SCRIPT = {"scripted": True}
GESTURE = {"gesture": True}
FORM = {}


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


def visit(opened=5, **how):
    return VisitFacts(visit_uid(ago(opened), "a" * 12), frozenset({"me"}), **how)


def hit(seconds, value=None, kind=HitKind.PAGE, who="me", of=None):
    return Hit(ago(seconds), kind, who, of, value)


def burst(start, who="me"):
    return [hit(start - n * 0.2, n, who=who) for n in range(11)]


@pytest.mark.parametrize(("how", "verdict"), [(FORM, CONFIRMED), (GESTURE, CONFIRMED), (SCRIPT, PROVISIONAL)])
def test_without_evidence_a_form_and_a_gesture_confirm_and_a_script_does_not(how, verdict):
    assert classify(visit(**how), LinkFacts([hit(5, 9)]), NOW) == verdict


@pytest.mark.parametrize(("how", "verdict"), [(FORM, CONFIRMED), (GESTURE, PROVISIONAL), (SCRIPT, PROVISIONAL)])
@pytest.mark.parametrize("uid", [None, "nonsense", "1a200ced5ce.short", "zzzzzzzzzzz.aaaaaaaaaaaa"])
def test_a_post_without_a_visit_fetched_nothing(how, verdict, uid):
    facts = VisitFacts(uid, frozenset({"me"}), **how)
    assert classify(facts, LinkFacts([hit(1, kind=HitKind.HONEYPOT), *burst(5)]), NOW) == verdict


@pytest.mark.parametrize("how", [FORM, GESTURE, SCRIPT])
def test_two_values_within_a_minute_are_a_scanner_however_it_posts(how):
    link = LinkFacts([hit(64, 3), hit(5, 9)])
    assert classify(visit(**how), link, NOW) == Verdict(SUSPECTED, (Evidence.VALUES,))


def test_the_minute_is_between_the_fetches_and_before_the_page():
    assert classify(visit(5), LinkFacts([hit(65, 3), hit(5, 9)]), NOW).reasons == (Evidence.VALUES,)
    assert classify(visit(5), LinkFacts([hit(65.1, 3), hit(5, 9)]), NOW) == CONFIRMED
    assert classify(visit(300), LinkFacts([hit(300, 9), hit(100, 3), hit(39, 4)]), NOW) == CONFIRMED
    assert classify(visit(300), LinkFacts([hit(300, 9), hit(100, 3), hit(40, 4)]), NOW).reasons == (Evidence.VALUES,)


def test_the_same_value_and_a_page_without_one_are_no_second_value():
    assert classify(visit(), LinkFacts([hit(9, 9), hit(8), hit(7, 9), hit(5, 9)]), NOW) == CONFIRMED


def test_values_by_head_count_and_a_value_posted_by_script_does_not():
    both = LinkFacts([hit(9, 3, kind=HitKind.HEAD), hit(5, 9)])
    assert classify(visit(), both, NOW).reasons == (Evidence.VALUES,)
    assert classify(visit(), LinkFacts([hit(9, 9), hit(8, 3, kind=HitKind.SCRIPT)]), NOW) == CONFIRMED


@pytest.mark.parametrize("how", [FORM, GESTURE, SCRIPT])
def test_a_burst_by_somebody_else_is_not_this_visits(how):
    link = LinkFacts([*burst(10, who="gateway"), hit(11, kind=HitKind.HONEYPOT, who="gateway"), hit(5, 9)])
    assert classify(visit(**how), link, NOW) == (PROVISIONAL if how is SCRIPT else CONFIRMED)


def test_a_burst_of_the_same_visitor_stops_counting_after_a_minute():
    assert classify(visit(5), LinkFacts([*burst(64), hit(5, 9)]), NOW).status == SUSPECTED
    assert classify(visit(5), LinkFacts([*burst(40 * 60), hit(5, 9)]), NOW) == CONFIRMED


def test_a_visit_of_the_burst_stays_one_of_it_however_late_it_posts():
    assert classify(visit(3_000), LinkFacts(burst(3_001)), NOW) == Verdict(SUSPECTED, (Evidence.VALUES,))


def test_the_visitor_is_also_who_opened_the_page():
    facts = VisitFacts(visit_uid(ago(5), "a" * 12), frozenset({"moved to another network"}))
    link = LinkFacts([hit(6, 3), hit(5, 9, of=facts.visit)])
    assert classify(facts, link, NOW).reasons == (Evidence.VALUES,)


def test_a_person_who_changes_their_mind_in_the_message_is_believed():
    first = Earlier(ago(25), "first", "me", ResponseStatus.CONFIRMED)
    hits = [hit(30, 8, of="first"), hit(5, 9)]
    assert classify(visit(**GESTURE), LinkFacts(hits, [first]), NOW) == CONFIRMED
    unsure = Earlier(ago(25), "first", "me", ResponseStatus.PROVISIONAL)
    assert classify(visit(**GESTURE), LinkFacts(hits, [unsure]), NOW).reasons == (Evidence.VALUES,)


@pytest.mark.parametrize("how", [FORM, GESTURE, SCRIPT])
@pytest.mark.parametrize("seconds", [605, 5, 4, 0])
def test_a_link_that_no_person_sees_gives_a_scanner_away(how, seconds):
    link = LinkFacts([hit(seconds, kind=HitKind.HONEYPOT)])
    assert classify(visit(**how), link, NOW) == Verdict(SUSPECTED, (Evidence.HONEYPOT,))


def test_the_honeypot_of_long_ago_is_over():
    assert classify(visit(5), LinkFacts([hit(605.1, kind=HitKind.HONEYPOT)]), NOW) == CONFIRMED


@pytest.mark.parametrize(
    ("sent", "delivered", "soon"),
    [
        (10, None, True),
        (10.1, None, False),
        (0, None, True),
        (2_400, 10, True),
        (2_400, 10.1, False),
        (2_400, 0, True),
        (5, 20, False),  # sent after it was delivered: a clock is wrong, the delivery holds
        (20, -5, False),  # the delivery was reported for later than the post: sending holds
        (8, -5, True),
        (-1, None, False),
    ],
)
def test_a_script_that_posts_within_ten_seconds_of_the_arrival(sent, delivered, soon):
    arrival = HandedOver(ago(sent), None if delivered is None else ago(delivered))
    verdict = classify(visit(0.1, **SCRIPT), LinkFacts([hit(0.1, 9)], (), [arrival]), NOW)
    assert verdict == (Verdict(SUSPECTED, (Evidence.SOON,)) if soon else PROVISIONAL)


def test_haste_counts_for_scripts_only_and_for_all_that_the_visit_posts_later():
    arrival = HandedOver(ago(8))
    assert classify(visit(**FORM), LinkFacts([hit(5, 9)], (), [arrival]), NOW) == CONFIRMED
    hasty = [hit(5, 9), hit(4, 9, kind=HitKind.SCRIPT)]
    for how in (FORM, GESTURE, SCRIPT):
        assert classify(visit(**how), LinkFacts(hasty, (), [arrival]), NOW).reasons == (Evidence.SOON,)


def test_a_reminder_arrives_on_its_own():
    arrivals = [HandedOver(ago(300_000), ago(299_000)), HandedOver(ago(6), None)]
    assert classify(visit(**SCRIPT), LinkFacts((), (), arrivals), NOW).reasons == (Evidence.SOON,)


@pytest.mark.parametrize("kind", [HitKind.HEAD, HitKind.PREFETCH])
@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        (FORM, CONFIRMED),
        (GESTURE, Verdict(ResponseStatus.PROVISIONAL, (Evidence.LOOKED_AHEAD,))),
        (SCRIPT, Verdict(ResponseStatus.PROVISIONAL, (Evidence.LOOKED_AHEAD,))),
    ],
)
def test_who_looked_ahead_must_press_the_button(kind, how, verdict):
    assert classify(visit(**how), LinkFacts([hit(6, 9, kind=kind), hit(5, 9)]), NOW) == verdict
    long_ago = LinkFacts([hit(66, 9, kind=kind), hit(5, 9)])
    assert classify(visit(**how), long_ago, NOW) == (PROVISIONAL if how is SCRIPT else CONFIRMED)


@pytest.mark.parametrize("how", [FORM, GESTURE, SCRIPT])
def test_a_post_that_calls_itself_a_prefetch_is_no_persons(how):
    assert classify(visit(ahead=True, **how), LinkFacts(), NOW) == Verdict(SUSPECTED, (Evidence.PREFETCH,))


def test_suspicion_follows_the_visitor_to_the_next_page():
    earlier = Earlier(ago(300), "first", "me", SUSPECTED)
    assert classify(visit(), LinkFacts((), [earlier]), NOW) == Verdict(SUSPECTED, (Evidence.VISITOR,))
    other = Earlier(ago(300), "first", "gateway", SUSPECTED)
    assert classify(visit(), LinkFacts((), [other]), NOW) == CONFIRMED
    long_ago = Earlier(ago(606), "first", "me", SUSPECTED)
    assert classify(visit(), LinkFacts((), [long_ago]), NOW) == CONFIRMED


def test_every_reason_is_told():
    hits = [*burst(10), hit(3, kind=HitKind.HONEYPOT)]
    earlier = [Earlier(ago(2), "first", "me", SUSPECTED)]
    verdict = classify(visit(3, **SCRIPT), LinkFacts(hits, earlier, [HandedOver(ago(9))]), NOW)
    assert verdict == Verdict(SUSPECTED, (Evidence.HONEYPOT, Evidence.VALUES, Evidence.SOON, Evidence.VISITOR))


WHEN = st.floats(min_value=0, max_value=2_000)
HITS = st.builds(hit, WHEN, st.none() | st.integers(0, 10), st.sampled_from(HitKind), st.sampled_from(["me", "them"]))


@given(st.lists(HITS, max_size=8), HITS, st.sampled_from([FORM, GESTURE, SCRIPT]), WHEN)
def test_more_evidence_never_raises_trust(hits, more, how, opened):
    rank = [SUSPECTED, ResponseStatus.PROVISIONAL, ResponseStatus.CONFIRMED]
    arrivals = [HandedOver(ago(1_000))]
    less = classify(visit(opened, **how), LinkFacts(hits, (), arrivals), NOW)
    after = classify(visit(opened, **how), LinkFacts([*hits, more], (), arrivals), NOW)
    assert rank.index(after.status) <= rank.index(less.status)


@given(st.lists(HITS.filter(lambda h: h.visitor == "them"), max_size=8), st.sampled_from([FORM, GESTURE, SCRIPT]))
def test_what_others_do_changes_nothing_for_a_person(hits, how):
    assert classify(visit(**how), LinkFacts(hits), NOW) == classify(visit(**how), LinkFacts(), NOW)


def test_the_arrival_is_needed_where_a_script_posted():
    assert needs_arrival(visit(**SCRIPT), [])
    assert needs_arrival(visit(), [hit(5, kind=HitKind.SCRIPT)])
    assert not needs_arrival(visit(**GESTURE), [hit(5, kind=k) for k in HitKind if k is not HitKind.SCRIPT])


def test_a_visit_carries_its_beginning():
    moment = datetime(2026, 11, 2, 9, 0, 0, 123_000, tzinfo=UTC)
    uid = visit_uid(moment, "AbC-_0123456")
    assert len(uid) == 24
    assert visit_started(uid) == moment


def test_a_visitor_is_a_network_and_a_browser_on_one_day_over_one_link():
    me = visitor("key", "link", "192.0.2.7", "Firefox", NOW)
    assert len(me) == 32
    assert me == visitor("key", "link", "192.0.2.250", "Firefox", NOW + timedelta(hours=14))
    others = [
        visitor(*changed)
        for changed in [
            ("other", "link", "192.0.2.7", "Firefox", NOW),
            ("key", "other", "192.0.2.7", "Firefox", NOW),
            ("key", "link", "192.0.3.7", "Firefox", NOW),
            ("key", "link", "192.0.2.7", "Chrome", NOW),
            ("key", "link", "192.0.2.7", "Firefox", NOW + timedelta(days=1)),
        ]
    ]
    assert len({me, *others}) == 6
    assert visitor("key", "link", "2001:db8::1", "F", NOW) == visitor("key", "link", "2001:db8::ffff:2", "F", NOW)
    assert visitor("key", "link", "2001:db8:0:1::1", "F", NOW) != visitor("key", "link", "2001:db8::1", "F", NOW)
    assert visitor("key", "link", "", "F", NOW) != visitor("key", "link", "unix:", "F", NOW)
    assert visitors("key", "link", "192.0.2.7", "Firefox", NOW + timedelta(days=1))[1] == me


@pytest.mark.parametrize("value", ["prefetch", "prefetch;prerender", "Prefetch", "preview"])
def test_a_prefetch_says_so(value):
    assert is_ahead(["", value])
    assert not is_ahead(["", "navigate"])


def test_every_combination_has_a_verdict():
    for visit_id, scripted, gesture, ahead in product([None, visit_uid(NOW, "a" * 12)], *[[True, False]] * 3):
        facts = VisitFacts(visit_id, frozenset({"me"}), scripted, gesture, ahead)
        assert classify(facts, LinkFacts(), NOW).status in set(ResponseStatus)
