"""Who clicked: scanners replayed against people, over HTTP, on both databases. The matrix's class C by number."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.domain.tokens import mint
from surveyapp.extensions import db
from surveyapp.models import Base, LinkHit, Message, MetricCell, Response, ResponseChange, Visit
from surveyapp.services import clicks, privacy
from surveyapp.services.rebuilding import rebuild
from tests.builders import MOMENT, make_brand, make_invitation, make_step, make_survey
from tests.cells import ANSWERS

KEYS = ["a-secret-for-tests-only"]
GATEWAY = {"User-Agent": "Mozilla/5.0 (compatible; gateway)", "REMOTE_ADDR": "198.51.100.9"}
PERSON = {"User-Agent": "Mozilla/5.0 (iPhone)", "REMOTE_ADDR": "203.0.113.4"}
SENT = MOMENT + timedelta(hours=1)


class Visitor:
    """Somebody with a network and a browser, whose clock stands still until moved."""

    def __init__(self, client, link, who=PERSON, at=SENT):
        self.client, self.link, self.at = client, link, at
        self.how = {"headers": {"User-Agent": who["User-Agent"]}, "environ_base": {"REMOTE_ADDR": who["REMOTE_ADDR"]}}

    def wait(self, seconds):
        self.at += timedelta(seconds=seconds)
        return self

    def get(self, rest="", method="GET", **headers):
        how = self.how | {"headers": self.how["headers"] | headers}
        with clock.at(self.at):
            return self.client.open(self.link + rest, method=method, **how)

    def open(self, score=None):
        """The visit of the page that opens."""
        page = self.get("" if score is None else f"?score={score}")
        assert page.status_code == 200
        return re.search(r'name="visit" value="([^"]+)"', page.text)[1]

    def post(self, rest="", **form):
        with clock.at(self.at):
            answer = self.client.post(self.link + rest, data=form, **self.how)
        assert answer.status_code == 303, answer.text
        return answer


@pytest.fixture
def asked(app):
    """An ask by e-mail, handed over at SENT."""
    make_brand()
    invitation = make_invitation(
        make_survey("nps", "nps", follow_up="comment"), step=make_step(), open_until=MOMENT + timedelta(days=14)
    )
    message = Message(
        uid="m-1", idem_key="t:e:email:first", invitation_id=invitation.id, customer_id=invitation.customer_id,
        trigger_id=invitation.trigger_id, survey_id=invitation.trigger.survey_id, channel="email", kind="first", tier=2,
        priority=0, due_at=MOMENT, state="sent", created_at=MOMENT, sent_at=SENT,
    )  # fmt: skip
    db.session.add(message)
    db.session.commit()
    return invitation


@pytest.fixture
def link(asked):
    return f"/s/{mint('answer', asked.uid, KEYS)}"


@pytest.fixture
def person(client, link):
    return Visitor(client, link).wait(40 * 60)


@pytest.fixture
def gateway(client, link):
    return Visitor(client, link, GATEWAY).wait(2)


def answers():
    db.session.commit()
    return [(r.score, r.comment, str(r.status)) for r in db.session.scalars(select(Response))]


def counted():
    """Confirmed answers in the figures' cells, which must agree with the answers themselves."""
    db.session.commit()
    assert rebuild(check=True).differences == []
    cells = select(func.coalesce(ANSWERS, 0)).where(MetricCell.status == "confirmed")
    return db.session.scalar(cells)


def tables(without=("link_hit", "visit")):
    """A picture of every table but these."""
    db.session.commit()
    return {
        table.name: sorted(map(repr, db.session.execute(select(table)).all()))
        for table in Base.metadata.sorted_tables
        if table.name not in without
    }


def scan(visitor, every=0.2):
    """All eleven links, one after the other; the visits of their pages."""
    found = []
    for score in range(11):
        found.append(visitor.open(score))
        visitor.wait(every)
    return found


def test_c29_a_scanner_that_fetches_every_link_twice_writes_evidence_and_nothing_else(gateway, person, session, asked):
    before = tables()
    scan(gateway)
    scan(gateway)
    for score in range(11):
        assert gateway.get(f"?score={score}", "HEAD").status_code == 200
    for name, value in [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch")]:
        assert gateway.get("?score=5", **{name: value}).status_code == 200
    gateway.get("/all")
    for purpose, path in (("opt_out", "u"), ("preferences", "p")):
        gateway.client.get(f"/{path}/{mint(purpose, asked.uid, KEYS)}", **gateway.how)
    assert tables() == before
    assert counted() == 0
    kinds = dict(session.execute(select(LinkHit.kind, func.count()).group_by(LinkHit.kind)).all())
    assert kinds == {"page": 22, "head": 11, "prefetch": 3, "honeypot": 1}
    assert session.scalar(select(func.count(func.distinct(LinkHit.visitor)))) == 1
    person.post(score=9, visit=person.open(9))
    assert answers() == [(9, None, "confirmed")]
    assert counted() == 1


def test_c30_a_scanner_that_runs_scripts_and_submits_the_form_is_set_aside(gateway, person, session):
    visits = scan(gateway)
    gateway.get("/all")
    for score, visit in enumerate(visits):
        gateway.post(score=score, visit=visit, scripted=1)
    for score, visit in enumerate(visits):
        gateway.post("/2", score=score, visit=visit, comment="test")
    assert {status for _, _, status in answers()} == {"suspected_bot"}
    assert counted() == 0
    reasons = {tuple(row) for row in session.scalars(select(Visit.reasons))}
    assert reasons == {("honeypot", "several_values", "too_soon", "suspected_before")}
    visit = person.open(9)
    person.post(score=9, visit=visit, scripted=1)
    assert answers() == [(9, None, "provisional")]
    assert counted() == 0
    person.wait(3).post(score=9, visit=visit, gesture="touchstart")
    assert answers() == [(9, None, "confirmed")]
    assert counted() == 1


def test_a_script_within_ten_seconds_of_delivery_is_a_scanners_and_so_is_the_form_it_submits(gateway, person):
    visit = gateway.open(9)
    gateway.post(score=9, visit=visit, scripted=1)
    assert answers() == [(9, None, "suspected_bot")]
    gateway.wait(4).post(score=9, visit=visit, gesture="pointermove")
    gateway.wait(4).post("/2", score=9, visit=visit, comment="hello")
    second = re.search(r'name="visit" value="([^"]+)"', gateway.wait(1).get("/2").text)[1]
    gateway.wait(400).post("/2", score=9, visit=second, comment="hello")
    assert answers() == [(9, "hello", "suspected_bot")]
    assert counted() == 0
    person.post(score=2, visit=person.open(2))
    assert answers() == [(2, None, "confirmed")]  # and the scanner's words are gone


def test_the_seconds_run_from_delivery_where_one_is_reported(client, link, session):
    message = session.scalar(select(Message))
    message.delivered_at = SENT + timedelta(minutes=20)
    session.commit()
    early = Visitor(client, link).wait(20 * 60 + 10)
    early.post(score=9, visit=early.open(9), scripted=1)
    assert answers() == [(9, None, "suspected_bot")]
    later = Visitor(client, link, GATEWAY).wait(20 * 60 + 11)
    later.post(score=9, visit=later.open(9), scripted=1)
    assert answers() == [(9, None, "provisional")]


def test_one_click_and_one_gesture_are_a_confirmed_answer(person, session):
    visit = person.open(9)
    person.wait(1).post(score=9, visit=visit, scripted=1)
    assert answers() == [(9, None, "provisional")]
    assert session.scalar(select(ANSWERS).where(MetricCell.status == "provisional")) == 1
    assert counted() == 0
    person.wait(1).post(score=9, visit=visit, gesture="scroll")
    assert answers() == [(9, None, "confirmed")]
    assert counted() == 1
    row = session.scalars(select(Visit)).one()
    assert (row.status, row.reasons, row.gesture) == ("confirmed", [], "scroll")
    assert session.scalar(select(func.count(ResponseChange.id))) == 1


def test_a_script_alone_stays_provisional_however_often_it_posts(person):
    visit = person.open(9)
    for _ in range(3):
        person.wait(30).post(score=9, visit=visit, scripted=1)
    assert answers() == [(9, None, "provisional")]
    assert counted() == 0


def test_without_script_the_button_confirms_at_once(person):
    person.post(score=9, visit=person.open(9))
    assert answers() == [(9, None, "confirmed")]


def test_a_late_post_of_the_page_does_not_undo_a_change_on_it(person):
    visit = person.open(9)
    person.post(score=9, visit=visit, scripted=1)
    person.post("/2", score=3, visit=visit, comment="Lost bag")
    person.post(score=9, visit=visit, gesture="pointerdown")
    person.post(score=9, visit=visit, scripted=1)
    assert answers() == [(3, "Lost bag", "confirmed")]


def test_a_second_thought_in_the_message_wins(person):
    first = person.open(8)
    person.post(score=8, visit=first, scripted=1)
    person.wait(2).post(score=8, visit=first, gesture="pointermove")
    second = person.wait(10).open(9)
    person.post(score=9, visit=second, scripted=1)
    person.wait(1).post(score=9, visit=second, gesture="pointermove")
    assert answers() == [(9, None, "confirmed")]


def test_a_provisional_answer_of_a_person_outlives_a_scanner(person, gateway):
    person.post(score=9, visit=person.open(9), scripted=1)
    for score, visit in enumerate(scan(gateway.wait(3_000))):
        gateway.post(score=score, visit=visit)
    assert answers() == [(9, None, "provisional")]


def test_a_provisional_answer_whose_visitor_turns_out_a_scanner_is_set_aside(gateway):
    gateway.wait(600)
    visit = gateway.open(9)
    gateway.post(score=9, visit=visit, scripted=1)
    assert answers() == [(9, None, "provisional")]
    gateway.get("/all")
    gateway.post(score=9, visit=visit, gesture="scroll")
    assert answers() == [(9, None, "suspected_bot")]


def test_a_visit_belongs_to_its_link_and_cannot_be_made_up(person, session):
    visit = person.open(9)
    altered = visit[:-1] + ("a" if visit[-1] != "a" else "b")
    for forged in (altered, mint("visit of another", "1a200ced5ce.aaaaaaaaaaaa", KEYS), "", "x" * 500):
        person.post(score=9, visit=forged, gesture="scroll")
        assert answers() == [(9, None, "provisional")]
    assert session.scalar(select(func.count(Visit.id))) == 0


def test_a_post_that_is_a_prefetch_counts_for_nothing(person):
    person.how["headers"]["Sec-Purpose"] = "prefetch"
    person.post(score=9)
    assert answers() == [(9, None, "suspected_bot")]


def test_no_address_and_no_browser_is_kept(person, session):
    person.open(9)
    row = repr(session.execute(select(LinkHit.__table__)).one())
    for part in ("203.0.113", "iPhone", "Mozilla"):
        assert part not in row


def test_a_public_link_is_weighed_too(client, app, session):
    make_brand()
    version = make_survey("cabin", "nps", follow_up="comment")
    version.survey.public_slug = "cabin"
    session.commit()
    with clock.at(SENT):
        place = client.get("/l/cabin?score=9").location
    visitor = Visitor(client, place.partition("?")[0])
    visit = visitor.open(9)
    visitor.get("?score=3")
    visitor.post(score=9, visit=visit)
    assert answers() == [(9, None, "suspected_bot")]


def test_evidence_is_forgotten_after_its_days(person, session, app):
    person.post(score=9, visit=person.open(9))
    with clock.at(person.at + timedelta(days=30)):
        assert clicks.forget() == 0
    with clock.at(person.at + timedelta(days=30, seconds=1)):
        assert clicks.forget() == 2
    assert session.scalar(select(func.count(LinkHit.id))) == 0
    assert answers() == [(9, None, "confirmed")]


@pytest.mark.database("sqlite")
def test_the_page_shows_while_another_writer_holds_the_database(person, session, app):
    session.commit()
    with db.engine.connect() as other:  # begins as a writer
        other.exec_driver_sql("UPDATE brand SET name = name")
        page = person.get("?score=9")
        assert page.status_code == 200
        assert page.request.path == person.link
        other.rollback()
    assert session.scalar(select(func.count(LinkHit.id))) == 0
    person.post(score=9, visit=re.search(r'name="visit" value="([^"]+)"', page.text)[1])
    assert answers() == [(9, None, "confirmed")]


@pytest.mark.database("postgresql")
def test_the_page_shows_while_an_answer_is_being_written(person, session, asked):
    session.commit()
    with db.engine.connect() as other:
        other.exec_driver_sql("SELECT 1 FROM invitation FOR UPDATE")
        person.open(9)
        other.rollback()
    assert session.scalar(select(func.count(LinkHit.id))) == 1


def test_c32_a_vote_repeated_after_the_edit_window_changes_nothing(person):
    visit = person.open(9)
    person.post(score=9, visit=visit)
    person.wait(25 * 3600)
    with clock.at(person.at):
        late = person.client.post(person.link, data={"score": "1", "visit": visit}, **person.how)
    assert late.status_code == 409
    assert answers() == [(9, None, "confirmed")]


def test_c34_closed_is_closed_opted_out_may_answer_erased_is_gone(person, session, asked):
    visit = person.open(9)
    person.client.post(f"/u/{mint('opt_out', asked.uid, KEYS)}", data={"List-Unsubscribe": "One-Click"})
    person.post(score=9, visit=visit)
    assert answers() == [(9, None, "confirmed")]
    session.refresh(asked)
    asked.survey_version.survey.archived_at = MOMENT
    session.commit()
    assert person.get("?score=9").status_code == 410
    with clock.at(person.at):
        assert person.client.post(person.link, data={"score": "1", "visit": visit}, **person.how).status_code == 410
    asked.survey_version.survey.archived_at = None
    session.commit()
    privacy.erase(asked.customer.external_id)
    with clock.at(person.at):
        assert person.client.post(person.link, data={"score": "1", "visit": visit}, **person.how).status_code == 410
    assert answers() == [(9, None, "confirmed")]


def test_c36_markup_in_the_browsers_name_is_kept_nowhere(client, link, session):
    evil = Visitor(client, link, {"User-Agent": "<script>alert(1)</script>", "REMOTE_ADDR": "203.0.113.4"}).wait(60)
    page = evil.get("?score=9", Referer="https://evil.example/<script>")
    assert "alert" not in page.text
    assert "<script>" not in repr(session.execute(select(LinkHit.__table__)).one())


def test_c31_a_link_that_was_altered_cut_or_salted_otherwise_notes_and_records_nothing(client, link, asked, session):
    bad = [link[:-1], link[:-1] + ("a" if link[-1] != "a" else "b"), f"/s/{mint('opt_out', asked.uid, KEYS)}"]
    pages = [
        client.open(one + rest, method=method) for one in bad for rest in ("", "/all") for method in ("GET", "HEAD")
    ]
    pages += [client.post(one, data={"score": "9"}) for one in bad]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages if page.text}) == 1
    assert (answers(), session.scalar(select(func.count(LinkHit.id)))) == ([], 0)
    asked.customer.erased_at = MOMENT
    session.commit()
    assert client.get(link + "?score=9").status_code == 410
    assert session.scalar(select(func.count(LinkHit.id))) == 0


@pytest.mark.parametrize("comment", ["<script>alert(1)</script>", "{{7*7}}", "\u202eevil", "😀 kind"])
def test_c35_words_posted_from_a_clicked_page_are_kept_as_they_are(person, comment):
    visit = person.open(9)
    person.post(score=9, visit=visit, scripted=1)
    person.post("/2", score=9, visit=visit, comment=comment)
    assert answers() == [(9, comment, "confirmed")]
    assert "<script>alert" not in person.get("/2").text
