"""Answers from another tool: good ones kept beside bad ones, repeats harmless, figures at once."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import failpoints
from surveyapp.models import AuditEntry, Customer, Journey, MetricCell, Response, Step
from surveyapp.services import rebuilding, responses_import
from surveyapp.services.responses_import import import_responses
from tests.builders import make_brand, make_customer, make_reporting_attribute, make_step, make_survey
from tests.cells import ANSWERS, scores_of

Database = scoped_session[Session]


@pytest.fixture(autouse=True)
def programme(session: Database) -> None:
    make_brand()
    make_step(phase="before")
    make_reporting_attribute("class", 1)
    make_survey()


def answer(**fields: Any) -> dict[str, Any]:
    usual = {
        "id": "r-1",
        "survey": "check_in_csat",
        "score": 4,
        "comment": None,
        "customer": "c-1",
        "journey": "flight",
        "step": "check_in",
        "channel": "email",
        "event_at": "2026-11-02T08:15:00Z",
        "answered_at": "2026-11-02T09:00:00Z",
        "context": {"class": "Business"},
    }
    return {name: value for name, value in (usual | fields).items() if value is not ...}


def stored(session: Database) -> int:
    return session.scalar(select(func.count()).select_from(Response)) or 0


def test_an_answer_is_kept_with_its_context_and_counted(session: Database) -> None:
    result = import_responses([answer()])
    assert (result.imported, result.duplicates, result.rejected) == (1, 0, {})
    row = session.scalars(select(Response)).one()
    assert (row.import_id, row.metric, row.score, row.status, row.channel) == ("r-1", "csat5", 4, "confirmed", "email")
    assert (row.journey, row.step, row.phase) == ("flight", "flight.check_in", "before")
    assert (row.reporting_day, row.context, row.source) == (date(2026, 11, 2), {"class": "Business"}, "import")
    assert row.customer is not None
    assert row.customer.external_id == "c-1"
    cell = session.scalars(select(MetricCell)).one()
    assert (cell.step, cell.a1, scores_of(cell)) == ("flight.check_in", "Business", {4: 1})
    assert rebuilding.rebuild(check=True).differences == []
    assert session.scalars(select(AuditEntry.action)).one() == "responses.imported"


def test_the_same_id_again_changes_nothing(session: Database) -> None:
    import_responses([answer()])
    result = import_responses([answer(score=1), answer(id="r-2"), answer(id="r-2", score=2)])
    assert (result.imported, result.duplicates) == (1, 2)
    assert session.scalars(select(Response.score).order_by(Response.id)).all() == [4, 4]
    assert session.scalar(select(ANSWERS)) == 2


def test_good_answers_are_kept_beside_bad_ones_named_by_their_place(session: Database) -> None:
    result = import_responses([answer(id="a"), answer(id="b", score=9), "nonsense", answer(id="d")])
    assert result.imported == 2
    assert result.rejected == {
        1: ["score: 9 is not on the scale of csat5 (1 to 5)"],
        2: ["response: must be an object, not a text"],
    }
    assert stored(session) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"score": True}, "score: must be a whole number of the survey's scale, not true or false"),
        ({"score": 9.5}, "score: must be a whole number of the survey's scale, not 9.5"),
        ({"score": 4.0}, "score: must be a whole number of the survey's scale, not 4.0"),
        ({"score": float("nan")}, "score: must be a whole number of the survey's scale, not nan"),
        ({"score": "5"}, "score: must be a whole number of the survey's scale, not a text"),
        ({"score": 0}, "score: 0 is not on the scale of csat5 (1 to 5)"),
        ({"score": 10**30}, f"score: {10**30} is not on the scale of csat5 (1 to 5)"),
        ({"score": ...}, "score: is missing; write null for an answer without one"),
        ({"survey": "moon"}, "survey: there is no survey 'moon'"),
        ({"survey": None}, "survey: is missing"),
        ({"journey": "moon"}, "journey: there is no journey 'moon'"),
        ({"step": "moon"}, "step: the journey 'flight' has no step 'moon'"),
        ({"step": "flight.check_in"}, "step: the journey 'flight' has no step 'flight.check_in'"),
        ({"journey": None}, "journey: is missing beside the step"),
        ({"id": ""}, "id: must not be empty"),
        ({"id": 7}, "id: must be a text, not a number"),
        ({"id": "x" * 201}, "id: has 201 characters; at most 200 are kept"),
        ({"channel": "pigeon"}, "channel: 'pigeon' is none of email, sms, web"),
        ({"channel": ...}, "channel: is missing; one of email, sms, web"),
        ({"status": "happy"}, "status: 'happy' is none of provisional, confirmed, suspected_bot"),
        ({"answered_at": "2026-11-02T09:00:00"}, "answered_at: has no zone; add Z or an offset such as +01:00"),
        ({"answered_at": 7}, "answered_at: must be a text such as 2026-11-02T08:15:00Z"),
        ({"answered_at": "9999-12-31T23:30:00Z"}, "answered_at: lies more than a year ahead; check the sender's clock"),
        ({"event_at": "9999-12-31T23:30:00Z"}, "event_at: lies more than a year ahead; check the sender's clock"),
        ({"event_at": "soon"}, "event_at: is no time; write it as 2026-11-02T08:15:00Z"),
        ({"context": []}, "context: must be an object, not a list"),
        ({"comment": 7}, "comment: must be a text, not a number"),
        ({"comment": "x" * 10_001}, "comment: has 10,001 characters; at most 10,000 are kept"),
        ({"customer": {}}, "customer: must be a text, not an object"),
        ({"version": 9}, "version: the survey 'check_in_csat' has no version 9"),
        ({"version": "1"}, "version: must be the number of a version of the survey"),
        ({"metric": "nps"}, "metric: the survey 'check_in_csat' asks csat5, not nps"),
        ({"inclusion": 0}, "inclusion: must be a chance above 0 and at most 1"),
        ({"inclusion": True}, "inclusion: must be a chance above 0 and at most 1"),
        ({"timezone": 7}, "timezone: must be a text such as Europe/Paris, not a number"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(session: Database, fields: dict[str, Any], sentence: str) -> None:
    result = import_responses([answer(**fields)])
    assert result.rejected == {0: [sentence]}
    assert stored(session) == 0
    assert session.scalar(select(func.count()).select_from(Customer)) == 0


def test_an_unknown_field_is_named(session: Database) -> None:
    assert (
        import_responses([answer(colour="red")]).rejected[0][0].startswith("colour: is unknown here; known are answer")
    )


def test_an_answer_without_a_score_is_kept_outside_the_base(session: Database) -> None:
    assert import_responses([answer(score=None, comment="not applicable")]).imported == 1
    assert session.scalars(select(MetricCell)).all() == []


@pytest.mark.parametrize(
    ("fields", "day", "hour"),
    [
        ({"event_at": "2026-11-02T23:30:00Z"}, date(2026, 11, 3), 0),
        ({"event_at": "2026-11-02T23:30:00Z", "timezone": "America/New_York"}, date(2026, 11, 2), 18),
        ({"event_at": "2026-11-02T23:30:00Z", "timezone": "Mars/Base"}, date(2026, 11, 3), 0),
        ({"event_at": "2026-11-03T00:30:00+05:30", "timezone": "Asia/Kolkata"}, date(2026, 11, 3), 0),
        ({"event_at": None, "answered_at": "2026-11-05T12:00:00Z"}, date(2026, 11, 5), 13),
    ],
)
def test_the_reporting_day_and_hour_are_the_events_local_ones(
    session: Database, fields: dict[str, Any], day: date, hour: int
) -> None:
    import_responses([answer(**fields)])
    assert session.execute(select(Response.reporting_day, Response.reporting_hour)).one() == (day, hour)


def test_known_customers_stay_as_they_are_and_unknown_ones_are_created(session: Database) -> None:
    make_customer(external_id="c-1", attributes={"tier": "gold"})
    import_responses([answer(), answer(id="r-2", customer="c-2"), answer(id="r-3", customer=None)])
    rows = {c.external_id: c.attributes for c in session.scalars(select(Customer))}
    assert rows == {"c-1": {"tier": "gold"}, "c-2": {}}
    assert Counter(session.scalars(select(Response.customer_id)))[None] == 1


def test_history_about_an_archived_step_is_taken(session: Database) -> None:
    step = session.scalars(select(Step)).one()
    step.archived_at = step.journey.archived_at = make_customer().created_at
    session.commit()
    assert import_responses([answer()]).imported == 1
    assert session.scalars(select(Journey.key)).one() == "flight"


def test_a_survey_outside_any_journey_and_the_newest_version_are_the_default(session: Database) -> None:
    make_survey("relational_nps", "nps")
    make_survey("relational_nps", "nps")
    import_responses([answer(survey="relational_nps", score=10, journey=None, step=None)])
    row = session.scalars(select(Response)).one()
    assert (row.journey, row.step, row.phase, row.survey_version.number) == (None, None, None, 2)


def test_an_export_can_be_brought_back(session: Database) -> None:
    exported = answer(
        version=1, metric="csat5", status="confirmed", decision="d-1", inclusion=0.5, answers={"why": "x"}
    )
    exported |= {"language": "fr", "instance": "AF123"}
    assert import_responses([exported]).rejected == {}
    row = session.scalars(select(Response)).one()
    assert (row.language, row.instance, row.decision, row.inclusion, row.answers) == (
        "fr",
        "AF123",
        "d-1",
        0.5,
        {"why": "x"},
    )


def test_a_long_list_is_stored_in_parts_and_counted_once(session: Database) -> None:
    rows = [answer(id=f"r-{i}", customer=f"c-{i % 500}", score=1 + i % 5) for i in range(5_100)]
    rows[2_600]["score"] = 7
    result = import_responses(rows)
    assert (result.imported, list(result.rejected)) == (5_099, [2_600])
    assert session.scalar(select(ANSWERS)) == stored(session) == 5_099
    assert import_responses(rows).duplicates == 5_099
    assert rebuilding.rebuild(check=True).differences == []


def test_a20_an_import_that_was_killed_goes_on_where_it_stopped(
    session: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses_import, "AT_ONCE", 50)
    rows = [answer(id=f"r-{i}", customer=f"c-{i % 20}", score=1 + i % 5) for i in range(180)]
    rows[120]["score"] = 7
    ends = iter((None, None, KeyboardInterrupt))

    def killed(name: str) -> None:
        if name == "part_imported" and (end := next(ends)):
            raise end

    failpoints.install(killed)
    try:
        with pytest.raises(KeyboardInterrupt):
            import_responses(rows)
    finally:
        failpoints.install(None)
    assert stored(session) == session.scalar(select(ANSWERS)) == 149
    again = import_responses(rows)
    assert (again.imported, again.duplicates, list(again.rejected)) == (30, 149, [120])
    once_more = import_responses(rows)
    assert (once_more.imported, once_more.duplicates, list(once_more.rejected)) == (0, 179, [120])
    assert stored(session) == session.scalar(select(ANSWERS)) == 179
    assert rebuilding.rebuild(check=True).differences == []
