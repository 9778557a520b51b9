"""Customers over HTTP: told, shown, opted out, erased; past contacts imported once."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import AuditEntry, ContactKey, Customer, LedgerEntry
from tests.builders import make_brand, make_customer, make_response, make_step, make_survey
from tests.people import bearer

Database = scoped_session[Session]
URL = "/api/v1/customers/c-1"


@pytest.fixture
def admin(session: Database) -> dict[str, str]:
    return bearer("admin")


def shown(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json
    body.pop("created_at")
    return body


def test_a_customer_is_made_changed_and_shown(client: FlaskClient, session: Database, admin: dict[str, str]) -> None:
    told = {
        "email": "Ada@Example.org",
        "phone": "+33 6 12 34 56 78",
        "language": "fr",
        "timezone": "Europe/Paris",
        "preferred_channel": "sms",
        "consent": {"marketing": False},
        "attributes": {"tier": "gold", "seat": "12A"},
    }
    made = shown(client.put(URL, json=told, headers=admin))
    assert made == told | {
        "external_id": "c-1",
        "email": "ada@example.org",
        "phone": "+33612345678",
        "opted_out": [],
    }
    changed = shown(client.put(URL, json={"email": None, "attributes": {"seat": "1F"}}, headers=admin))
    assert changed == made | {"email": None, "attributes": {"seat": "1F"}}
    assert shown(client.get(URL, headers=bearer("read"))) == changed
    kinds = sorted(key[0] for key in session.scalars(select(ContactKey.key).where(ContactKey.until.is_(None))))
    assert kinds == ["c", "p"]
    assert session.scalars(select(AuditEntry.action)).all().count("customer.kept") == 2


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"email": "x@y>,<z@w"}, "email: give one plain address"),
        ({"phone": "0612345678"}, "phone: start with + and the country code"),
        ({"external_id": "c-2"}, "external_id: differs from the one in the address"),
        ({"tenant_id": 1}, "tenant_id: is unknown here"),
        ({"attributes": {"__proto__": 1}}, "attributes.__proto__: this name is reserved"),
        ([], "body: must be an object"),
    ],
)
def test_a_wrong_field_is_named_and_changes_nothing(
    client: FlaskClient, session: Database, admin: dict[str, str], told: object, words: str
) -> None:
    answer = client.put(URL, json=told, headers=admin)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json is not None
    assert answer.json["detail"].startswith(words)
    assert session.scalar(select(func.count()).select_from(Customer)) == 0


@pytest.mark.parametrize(
    "external_id", ["é ü", "a+b&c=d", "'; DROP TABLE customer;--", "😀", "%2e", "C-1", "c-1 ", "a/b//c", "https://x"]
)
def test_an_id_is_an_exact_text(
    client: FlaskClient, session: Database, admin: dict[str, str], external_id: str
) -> None:
    address = f"/api/v1/customers/{quote(external_id, safe='')}"
    assert shown(client.put(address, json={}, headers=admin))["external_id"] == external_id
    assert shown(client.get(address, headers=admin))["external_id"] == external_id
    assert client.get(URL, headers=admin).status_code == 404
    assert client.get(f"{address}/timeline", headers=admin).json == {"items": [], "next": None}
    assert client.post(f"{address}/opt-out", json={"channel": "sms"}, headers=admin).status_code == 200
    assert client.delete(address, headers=admin).status_code == 200
    assert client.get(address, headers=admin).status_code == 404


def test_an_opt_out_holds_and_is_shown(client: FlaskClient, session: Database, admin: dict[str, str]) -> None:
    client.put(URL, json={"email": "ada@example.org"}, headers=admin)
    answer = client.post(f"{URL}/opt-out", json={"channel": "sms"}, headers=admin)
    assert (answer.status_code, answer.json) == (200, {"external_id": "c-1", "opted_out": ["sms"]})
    client.post(f"{URL}/opt-out", json={"channel": "all"}, headers=admin)
    assert shown(client.get(URL, headers=admin))["opted_out"] == ["all", "sms"]
    for wrong in ({"channel": "fax"}, {}, {"channel": "sms", "why": 1}, {"channel": ["sms"]}, []):
        assert client.post(f"{URL}/opt-out", json=wrong, headers=admin).status_code == 422
    assert client.post("/api/v1/customers/nobody/opt-out", json={"channel": "sms"}, headers=admin).status_code == 404


def test_an_erased_person_is_gone_for_every_route(
    client: FlaskClient, session: Database, admin: dict[str, str]
) -> None:
    client.put(URL, json={"email": "ada@example.org"}, headers=admin)
    first = client.delete(URL, headers=admin)
    assert first.json is not None
    assert (first.status_code, first.json["erased"], first.json["touched"]["customers"]) == (200, True, 1)
    assert client.delete(URL, headers=admin).json == {"erased": True, "touched": {}}
    assert client.get(URL, headers=admin).status_code == 404
    assert client.get(f"{URL}/timeline", headers=admin).status_code == 404
    assert client.put(URL, json={"email": "ada@example.org"}, headers=admin).status_code == 410
    assert client.delete("/api/v1/customers/nobody", headers=admin).status_code == 404
    assert session.scalars(select(Customer.email)).all() == [None]


def test_a_timeline_is_newest_first_and_pages_without_gaps(
    client: FlaskClient, session: Database, admin: dict[str, str]
) -> None:
    make_brand()
    make_step()
    events = [
        {
            "id": f"e-{i}",
            "customer": {"external_id": "c-1"},
            "journey": "flight",
            "step": "check_in",
            "occurred_at": f"2025-11-02T08:{i // 3:02}:00Z",
        }
        for i in range(10)
    ]
    assert client.post("/api/v1/events", json={"events": events}, headers=admin).status_code == 202
    customer = session.scalars(select(Customer)).one()
    make_response(
        make_survey(), 4, customer_id=customer.id, comment="Fine", answered_at=datetime(2025, 11, 3, tzinfo=UTC)
    )
    session.commit()
    items: list[dict[str, Any]] = []
    address: str | None = f"{URL}/timeline?limit=4"
    pages = 0
    while address:
        page = client.get(address, headers=admin).json
        assert page is not None
        items += page["items"]
        address = page["next"]
        pages += 1
    assert pages == 3
    assert items[0]["kind"] == "response"
    assert (items[0]["score"], items[0]["comment"]) == (4, "Fine")
    assert [one["at"] for one in items] == sorted((one["at"] for one in items), reverse=True)
    assert all(one["received_at"].endswith("Z") for one in items[1:])
    assert sorted(one["id"] for one in items[1:]) == [f"e-{i}" for i in range(10)]
    for odd in ("before=x", "before=2025-11-02T08:00:00Z~event~x", "limit=0", "limit=x", "limit=9999"):
        assert client.get(f"{URL}/timeline?{odd}", headers=admin).status_code == 422


def test_past_contacts_are_imported_once_and_count_for_every_key(
    client: FlaskClient, session: Database, admin: dict[str, str]
) -> None:
    customer = make_customer(external_id="c-1")
    client.put(URL, json={"email": "ada@example.org"}, headers=admin)
    told = [
        {"customer": "c-1", "channel": "email", "at": "2025-10-20T10:00:00Z"},
        {"customer": "c-1", "channel": "email", "at": "2025-10-20T12:00:00+02:00"},
        {"customer": "c-2", "channel": "sms", "at": "2025-10-21T10:00:00Z", "id": "old-7", "survey": "nps", "tier": 1},
        {"customer": "c-3", "channel": "fax", "at": "2025-10-21T10:00:00Z"},
        {"customer": "c-3", "channel": "sms", "at": "2999-10-21T10:00:00Z"},
        {"customer": "c-3", "channel": "sms", "at": "2025-10-21", "x": 1},
    ]
    answer = client.post("/api/v1/contacts/import", json={"contacts": told}, headers=admin)
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["imported"], answer.json["duplicates"]) == (2, 1)
    assert [(one["index"], len(one["errors"])) for one in answer.json["rejected"]] == [(3, 1), (4, 1), (5, 2)]
    again = client.post("/api/v1/contacts/import", json={"contacts": told[:3]}, headers=admin)
    assert again.json == {"imported": 0, "duplicates": 3, "rejected": []}
    rows = session.scalars(select(LedgerEntry).where(LedgerEntry.channel == "email")).all()
    assert {(row.state, row.kind, row.tier, row.at) for row in rows} == {
        ("sent", "first", 2, datetime(2025, 10, 20, 10, 0, tzinfo=UTC))
    }
    keys = session.scalars(select(ContactKey.key).where(ContactKey.customer_id == customer.id)).all()
    assert sorted(row.subject_key for row in rows) == sorted(keys)
    assert session.scalars(select(Customer.external_id).order_by(Customer.external_id)).all() == ["c-1", "c-2"]


def test_ten_thousand_contacts_go_in_at_once_and_no_more(
    client: FlaskClient, session: Database, admin: dict[str, str]
) -> None:
    told = [
        {"customer": f"c-{i % 500}", "channel": "email", "at": f"2025-10-{i % 28 + 1:02}T10:00:00Z"}
        for i in range(10_001)
    ]
    assert client.post("/api/v1/contacts/import", json={"contacts": told}, headers=admin).status_code == 422
    answer = client.post("/api/v1/contacts/import", json={"contacts": told[:10_000]}, headers=admin)
    assert answer.json is not None
    distinct = len({(i % 500, i % 28) for i in range(10_000)})
    assert (answer.json["imported"], answer.json["duplicates"]) == (distinct, 10_000 - distinct)
