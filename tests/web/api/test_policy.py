"""The policy over HTTP: drafts and versions, explaining, cases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.models import PolicyVersion
from tests import outreach
from tests.people import bearer

Database = scoped_session[Session]
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def admin(client: FlaskClient) -> dict[str, str]:
    outreach.load()
    return bearer("admin")


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_draft_is_written_compared_and_put_in_force(client: FlaskClient, admin: dict[str, str]) -> None:
    assert client.get("/api/v1/policy/draft", headers=admin).status_code == 404
    policy = {"gap": {"1": "7d", "2": "60d", "3": "30d"}, "caps": [{"max": 9, "per": "7d"}]}
    draft = ok(client.put("/api/v1/policy/draft", json={"policy": policy, "revision": 0}, headers=admin))
    assert (draft["revision"], draft["base_version"]) == (1, 1)
    assert [one["text"] for one in draft["differences"]] == [
        "Rest before a step: 60 days, was 30 days",
        "Asks in 7 days: at most 9, was off",
    ]
    assert draft["remarks"] == ["At most 9 asks in 7d never matters: 7d of rest already allow fewer."]
    assert ok(client.get("/api/v1/policy", headers=admin))["version"] == 1
    stale = client.post("/api/v1/policy/draft/activate", json={"revision": 7}, headers=admin)
    assert stale.status_code == 409
    done = ok(client.post("/api/v1/policy/draft/activate", json={"revision": 1}, headers=admin))
    assert (done["version"], done["in_force"]) == (2, True)
    assert ok(client.get("/api/v1/policy", headers=admin))["policy"] == policy
    listed = ok(client.get("/api/v1/policy/versions", headers=admin))["items"]
    assert [(one["version"], one["in_force"]) for one in listed] == [(2, True), (1, False)]
    told = ok(client.get("/api/v1/policy/differences?from=2&to=1", headers=admin))["differences"]
    assert told[0]["text"] == "Rest before a step: 30 days, was 60 days"
    assert client.get("/api/v1/policy/differences?from=1&to=9", headers=admin).status_code == 404


def test_a_policy_may_begin_later(client: FlaskClient, admin: dict[str, str]) -> None:
    ok(client.put("/api/v1/policy/draft", json={"policy": {"gap": "9d"}}, headers=admin))
    wrong = client.post("/api/v1/policy/draft/activate", json={"effective_from": "tomorrow"}, headers=admin)
    assert wrong.status_code == 422
    later = (clock.now() + DAY).isoformat()
    done = ok(client.post("/api/v1/policy/draft/activate", json={"effective_from": later}, headers=admin))
    assert (done["version"], done["in_force"]) == (2, False)
    assert ok(client.get("/api/v1/policy", headers=admin))["version"] == 1


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"gap": "-3d"}, "gap", "a duration cannot be negative"),
        ({"caps": [{"max": 2, "per": "fortnight"}]}, "caps.0.per", "such as 30d"),
        ({"quiet_hours": {"from": "09:00", "to": "09:00"}}, "quiet_hours", "cover the whole day"),
        ({"rules": [{"kind": "telepathy"}]}, "rules.0.kind", "unknown rule"),
        ({"rules": [{"kind": "cap", "max": 1, "per": "30d", "country": "FR"}]}, "rules.0.country", "unknown key"),
        ({"caps": [{"max": 1, "per": "30d", "journey": "cruise"}]}, "caps.0.journey", "write one of flight"),
        ({"rules": [{"kind": "own_gap", "gap": "9d", "survey": "nps"}]}, "rules.0.survey", "has no survey 'nps'"),
        ({"rules": [{"kind": "own_gap", "gap": "9d", "group": "csat"}]}, "rules.0.group", "the rule without it"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_the_place_and_what_to_write(
    client: FlaskClient, session: Database, admin: dict[str, str], body: dict[str, Any], field: str, sentence: str
) -> None:
    for method, address, sent in (
        (client.put, "/api/v1/policy", body),
        (client.put, "/api/v1/policy/draft", {"policy": body}),
    ):
        found = ok(method(address, json=sent, headers=admin), 422)
        assert any(one["field"] == field and sentence in one["message"] for one in found["errors"]), found
    assert session.scalars(select(PolicyVersion.number)).all() == [1]
    assert client.get("/api/v1/policy/draft", headers=admin).status_code == 404


def test_only_admins_change_the_policy(client: FlaskClient, admin: dict[str, str]) -> None:
    for role in ("read", "ingest"):
        key = bearer(role)
        assert client.put("/api/v1/policy/draft", json={"policy": {}}, headers=key).status_code == 403
        assert client.post("/api/v1/policy/draft/activate", json={}, headers=key).status_code == 403
        assert client.delete("/api/v1/policy/draft", headers=key).status_code == 403
    assert client.delete("/api/v1/policy/draft", headers=admin).status_code == 204


def test_explaining_names_what_was_counted_when_it_ends_and_what_would_change_it(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    now = clock.now()
    outreach.happens("e-1", "c-1", "check_in", now)
    assert outreach.send().sent == 1
    told = ok(client.get("/api/v1/customers/c-1/explain?trigger=after_boarding", headers=admin))
    assert (told["allowed"], told["reason"]) == (False, "gap")
    against = next(v for v in told["verdicts"] if v["rule"] == "gap")
    [ask] = against["evidence"]
    assert (ask["kind"], ask["channel"], ask["survey"], ask["step"]) == (
        "ask", "email", "check_in_csat", "flight.check_in",
    )  # fmt: skip
    asked_at = datetime.fromisoformat(ask["at"])
    assert datetime.fromisoformat(told["next_eligible_at"]) == asked_at + 30 * DAY
    assert told["would_change"] == [against["would_change"]]
    assert against["would_change"].startswith("Rest between asks: free again from ")
    free = ok(client.get("/api/v1/customers/c-1/explain?trigger=after_baggage", headers=admin))
    assert (free["allowed"], free["reason"]) == (False, "gap")


def test_explaining_decides_at_the_instant_that_dispatch_would_when_the_clock_was_set_back(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    later, between = clock.now() + DAY, clock.now() + DAY / 2
    with clock.at(later):
        ok(client.put("/api/v1/policy", json={"gap": "7d"}, headers=admin))
        for number, person in (("e-1", "c-1"), ("e-2", "c-2")):
            outreach.happens(number, person, "check_in", later, customer={"email": "both@example.org"})
        assert outreach.send(later).sent == 1
    with clock.at(between):
        told = ok(client.get("/api/v1/customers/c-2/explain?trigger=after_boarding", headers=admin))
        outreach.happens("e-3", "c-2", "boarding", between, customer={"email": None})
        outreach.send(between)
    made = outreach.verdict_of("e-3", "gap")
    explained = next(v for v in told["verdicts"] if v["rule"] == "gap")
    assert (told["reason"], explained["next_at"]) == ("gap", made["next_at"])
    assert told["policy_version"] == 2


def test_a_case_is_opened_listed_and_closed(client: FlaskClient, admin: dict[str, str]) -> None:
    outreach.happens("e-1", "c-1", "check_in", clock.now())
    key = bearer("ingest")
    case = ok(client.post("/api/v1/cases", json={"customer": "c-1", "reason": "lost bag"}, headers=key), 201)
    assert (case["customer"], case["reason"], case["step"], case["closed_at"]) == ("c-1", "lost bag", None, None)
    assert ok(client.get("/api/v1/cases?open=true", headers=admin)) == {"items": [case], "next": None}
    closed = ok(client.post(f"/api/v1/cases/{case['id']}/close", headers=key))
    assert closed["closed_at"] is not None
    assert ok(client.post(f"/api/v1/cases/{case['id']}/close", json={}, headers=key)) == closed
    assert ok(client.get("/api/v1/cases?open=true&customer=c-1", headers=admin))["items"] == []
    ok(client.post("/api/v1/cases", json={"customer": "c-1", "step": "flight.check_in"}, headers=key), 201)
    page = ok(client.get("/api/v1/cases?limit=1", headers=admin))
    assert ok(client.get(page["next"], headers=admin))["items"] == [closed]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"customer": "nobody"}, 404),
        ({"customer": "c-1", "step": "flight.nowhere"}, 422),
        ({"customer": "c-1", "reason": ""}, 422),
        ({"customer": "c-1", "reason": "x" * 501}, 422),
        ({"customer": "c-1", "why": "x"}, 422),
        ({"reason": "x"}, 422),
        ([], 422),
    ],
)
def test_a_case_that_cannot_be_is_refused(client: FlaskClient, admin: dict[str, str], body: Any, status: int) -> None:
    outreach.happens("e-1", "c-1", "check_in", clock.now())
    assert client.post("/api/v1/cases", json=body, headers=bearer("ingest")).status_code == status
    assert ok(client.get("/api/v1/cases", headers=admin))["items"] == []
    assert client.post("/api/v1/cases/abc/close", headers=bearer("ingest")).status_code == 404
