"""The calendar strip: the same `decide`, put to every day of eight weeks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from surveyapp.domain import strip
from surveyapp.domain.facts import Answer, Ask, Block, Candidate, Case, Facts, Person
from surveyapp.domain.policy_reading import parse_policy

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "pepper-of-the-tests"
POLICY = parse_policy({"gap": {1: "7d", 2: "30d"}})


def facts(tier: int = 2, **overrides: Any) -> Facts:
    candidate = Candidate(
        decision="d",
        trigger="after_check_in",
        survey="csat",
        metric="csat5",
        event="e",
        channels=("email",),
        tier=tier,
        occurred_at=NOW,
        due_at=NOW,
        step="flight.check_in",
    )
    person = Person("c-1", NOW - 400 * DAY, frozenset({"email"}), ("Europe/Paris",))
    return Facts(overrides.pop("person", person), candidate, **overrides)


def ask(at: datetime, tier: int = 2) -> Ask:
    return Ask(f"m{at}", f"d{at}", at, "email", "first", tier, "csat", step="flight.boarding")


def lane(known: Facts, policy: Any = POLICY, **more: Any) -> strip.Lane:
    return strip.draw({known.candidate.tier: known}, policy, NOW, KEY, **more).lanes[0]


def states(drawn: strip.Lane) -> str:
    return "".join(cell.state[0] for cell in drawn.cells)


def test_eight_weeks_begin_on_the_monday_four_weeks_before() -> None:
    drawn = strip.draw({2: facts()}, POLICY, NOW, KEY)
    assert (drawn.days[0], drawn.days[-1], len(drawn.days)) == (date(2026, 10, 26), date(2026, 12, 20), 56)
    assert drawn.days[0].weekday() == 0
    assert drawn.today is not None
    assert int(drawn.today) == 29
    assert strip.begins(NOW, "Europe/Paris") == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)


def test_without_asks_every_day_is_free() -> None:
    drawn = lane(facts())
    assert states(drawn) == "f" * 56
    assert drawn.next_at == NOW


def test_an_ask_closes_the_days_of_its_rest_and_names_them() -> None:
    drawn = lane(facts(asks=(ask(NOW - 10 * DAY),)))
    assert states(drawn) == "f" * 19 + "a" + "c" * 29 + "f" * 7
    assert drawn.spans == (strip.Span(20, 29, "30 days of rest"),)
    assert drawn.next_at == NOW + 20 * DAY


def test_the_day_on_which_the_rest_ends_is_free() -> None:
    at = datetime(2026, 11, 1, 22, 59, tzinfo=UTC)  # 23:59 in Paris
    drawn = lane(facts(tier=1, asks=(ask(at, 1),)))
    assert states(drawn)[6:15] == "accccccff"


def test_a_past_day_knows_only_what_was_known_then() -> None:
    case = Case(NOW - 20 * DAY, NOW - 15 * DAY, "k")
    policy = parse_policy({"rules": [{"kind": "open_case", "rest": "0s"}, {"kind": "answer_gap", "gap": "2d"}]})
    drawn = lane(facts(cases=(case,), answers=(Answer("csat", "csat5", None, NOW - 5 * DAY),)), policy)
    assert states(drawn) == "f" * 10 + "c" * 5 + "f" * 10 + "c" + "f" * 30
    assert [span.name for span in drawn.spans] == ["open case", "rest"]


def test_a_block_counts_from_its_day_on() -> None:
    person = Person(
        "c-1", NOW - 400 * DAY, frozenset({"email"}), ("Europe/Paris",), blocks=(Block("all", "opted_out"),)
    )
    drawn = lane(facts(person=person), blocked_since=NOW - 2 * DAY)
    assert states(drawn) == "f" * 28 + "c" * 28
    assert drawn.spans == (strip.Span(28, 28, "opted out"),)
    assert drawn.next_at is None


def test_before_the_customer_was_known_nothing_is_free() -> None:
    person = Person("c-1", NOW - 3 * DAY, frozenset({"email"}), ("Europe/Paris",))
    drawn = lane(facts(person=person))
    assert states(drawn) == "c" * 26 + "f" * 30
    assert drawn.spans[0].name == "not known yet"


def test_quiet_hours_close_no_day_and_a_weekend_does() -> None:
    quiet = parse_policy({"quiet_hours": {"from": "20:00", "to": "08:00"}})
    assert states(lane(facts(), quiet)) == "f" * 56
    weekend = parse_policy({"rules": [{"kind": "weekend"}]})
    assert states(lane(facts(), weekend)) == "fffffcc" * 8
    assert lane(facts(), weekend).spans[0].name == "closed day"


def test_the_day_of_a_clock_change_is_one_cell() -> None:
    around = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)  # 25 hours long in Paris
    drawn = strip.draw({2: facts()}, POLICY, around, KEY)
    assert len(drawn.lanes[0].cells) == 56
    assert states(drawn.lanes[0]) == "f" * 56


def test_what_happened_lies_where_it_happened() -> None:
    happened = [(NOW, "Boarded"), (NOW - 200 * DAY, "long ago"), (NOW + 200 * DAY, "far ahead")]
    drawn = strip.draw({2: facts()}, POLICY, NOW, KEY, happened)
    assert [what for _, what in drawn.happened] == ["Boarded"]
    assert drawn.happened[0][0] == drawn.today


def test_the_invented_customer_was_asked_twice() -> None:
    drawn = strip.draw({tier: strip.invented(facts(tier), NOW) for tier in (1, 2)}, POLICY, NOW, KEY)
    assert drawn.asked() == [date(2026, 10, 29), date(2026, 11, 19)]
    assert [lane.next_at for lane in drawn.lanes] == [NOW + 2 * DAY, NOW + 25 * DAY]
