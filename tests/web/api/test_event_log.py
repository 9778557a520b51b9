"""The event log keeps the order within each case, tells asks and answers, and names nobody."""

import csv
import io
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Event
from surveyapp.services.responses import record
from tests.builders import MOMENT, make_customer, make_invitation, make_reporting_attribute, make_step, make_survey
from tests.people import bearer

Database = scoped_session[Session]
URL = "/api/v1/events.csv"


def read(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    answer = client.get(URL + query, headers=bearer("read"))
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_a_case_is_told_in_order_under_pseudonyms(client: FlaskClient, session: Database) -> None:
    make_reporting_attribute("class", 1)
    step, customer = make_step(), make_customer(external_id="secret-person")
    properties = {"class": "=Business", "actor": "Lena H."}
    invitation = make_invitation(make_survey(), customer, step, properties=properties)
    late = Event(
        event_id="late",
        customer_id=customer.id,
        step_id=step.id,
        instance="AF123",
        occurred_at=MOMENT - timedelta(hours=1),
        received_at=MOMENT + timedelta(days=1),
        properties={},
        source="test",
    )
    session.add(late)
    session.commit()
    told = {"status": ResponseStatus.CONFIRMED, "channel": "email"}
    record(invitation, score=4, comment="I am Ada of Paris", **told)
    lines = read(client)
    assert [line["activity"] for line in lines] == [
        "check_in",
        "check_in",
        "asked check_in_csat",
        "answered check_in_csat",
    ]
    assert len({line["case_id"] for line in lines}) == 1
    assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)
    assert [line["score"] for line in lines] == ["", "", "", "4"]
    assert [line["context.class"] for line in lines] == ["", "'=Business", "'=Business", "'=Business"]
    text = client.get(URL, headers=bearer("read")).text
    for secret in ("secret-person", "Lena", "Ada of Paris", "AF123", str(customer.email)):
        assert secret not in text
    assert {line["resource"] != "" for line in lines} == {True, False}


def test_cases_are_apart_by_person_and_run_and_filters_hold(client: FlaskClient, session: Database) -> None:
    step, version = make_step(), make_survey()
    for person in (make_customer(), make_customer()):
        make_invitation(version, person, step)
    assert len({line["case_id"] for line in read(client)}) == 2
    assert read(client, "?journey=flight&from=2026-11-02&to=2026-11-02") == read(client)
    assert read(client, "?from=2026-11-03") == []
    wrong = client.get(f"{URL}?journey=moon", headers=bearer("read"))
    assert (wrong.status_code, wrong.json and wrong.json["errors"][0]["message"]) == (
        422,
        "journey: there is no journey 'moon'",
    )
    assert client.get(URL, headers=bearer("ingest")).status_code == 403
