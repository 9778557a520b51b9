"""Webhooks over HTTP, and what receivers are told in the document."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp.domain.webhooks import Told
from surveyapp.extensions import db
from surveyapp.models import Webhook
from surveyapp.services import cases, webhook_delivery, webhooks
from tests.builders import make_customer, make_invitation, make_step, make_survey
from tests.people import bearer
from tests.services.test_webhooks import answer
from tests.web.admin.test_webhooks import Refusing

GOOD = {"url": "https://example.org/hook", "events": ["case.opened"], "description": "CRM"}


class Api:
    def __init__(self, client: FlaskClient) -> None:
        self.client, self.key = client, bearer("admin")

    def __call__(self, method: str, path: str, status: int, body: Any = None) -> Any:
        answer = self.client.open(f"/api/v1/webhooks{path}", method=method, json=body, headers=self.key)
        assert answer.status_code == status, answer.text
        return answer.json if answer.data else None


@pytest.fixture
def api(app: OpenAPI, client: FlaskClient) -> Api:
    return Api(client)


def test_an_endpoint_lives_from_its_making_to_its_end(api: Api) -> None:
    made = api("POST", "", 201, GOOD)
    secret, uid = made.pop("secret"), made["id"]
    assert secret == webhooks.show_secret(uid)
    assert {k: made[k] for k in (*GOOD, "state", "reason", "waiting")} == GOOD | {
        "state": "active",
        "reason": None,
        "waiting": 0,
    }
    assert api("GET", f"/{uid}", 200) == made
    assert api("GET", "", 200) == {"items": [made], "next": None}
    changed = api("PATCH", f"/{uid}", 200, {"events": ["response.confirmed"], "state": "paused"})
    assert changed == made | {"events": ["response.confirmed"], "state": "paused"}
    assert api("PATCH", f"/{uid}", 200, {"state": "active"})["state"] == "active"
    assert api("POST", f"/{uid}/secret", 200)["secret"] not in (secret, None)
    assert api("DELETE", f"/{uid}", 204) is None
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/secret", None),
        ("GET", "/deliveries", None),
    ):
        api(method, f"/{uid}{path}", 404, body)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ([], "webhook", "must be an object with url, events, description"),
        (GOOD | {"secret": "x"}, "secret", "is unknown here; known are description, events, url"),
        (GOOD | {"url": "http://example.org"}, "url", "must begin with https://"),
        (GOOD | {"url": "https://[fd00::1]/"}, "url", "private or reserved network; name a host"),
        (GOOD | {"url": "https://localhost/"}, "url", "inner network"),
        (GOOD | {"events": ["case.closed"]}, "events", "one or more of response.confirmed, case.opened"),
        (GOOD | {"description": ["x"]}, "description", "must be one line of at most 200 characters"),
        ({}, "url", "must be an address such as"),
    ],
)
def test_what_does_not_fit_names_the_field_and_the_fix_and_stores_nothing(
    api: Api, body: Any, field: str, words: str
) -> None:
    problem = api("POST", "", 422, body)
    assert problem["errors"][0]["field"] == field
    assert words in problem["errors"][0]["message"]
    assert db.session.scalars(select(Webhook)).all() == []


def test_a_change_that_does_not_fit_changes_nothing(api: Api) -> None:
    made = api("POST", "", 201, GOOD)
    for body in ({"state": "disabled"}, {"url": "https://10.0.0.1/", "description": "x"}, {"uid": "wh_1"}):
        api("PATCH", f"/{made['id']}", 422, body)
    assert api("GET", f"/{made['id']}", 200) == {k: v for k, v in made.items() if k != "secret"}


def test_the_deliveries_are_told_by_pages_and_replayed(api: Api) -> None:
    uid = api("POST", "", 201, GOOD)["id"]
    make_customer(external_id="c-1")
    for _ in range(3):
        cases.open_case("c-1")
    first = api("GET", f"/{uid}/deliveries?limit=2", 200)
    rest = api("GET", first["next"].removeprefix("/api/v1/webhooks"), 200)
    assert ([len(page["items"]) for page in (first, rest)], rest["next"]) == ([2, 1], None)
    waiting = first["items"][0]
    assert (waiting["event"], waiting["state"], waiting["attempts"]) == ("case.opened", "planned", 0)
    api("POST", f"/{uid}/deliveries/{waiting['id']}/replay", 409)
    webhook_delivery.send_due(Refusing())
    ended = api("GET", f"/{uid}/deliveries?state=failed&event=case.opened", 200)["items"]
    assert [(one["attempts"], one["last_status"], one["last_error"]) for one in ended] == [(1, 400, "answered 400")] * 3
    api("POST", f"/{uid}/deliveries/{waiting['id']}/replay", 202)
    api("POST", f"/{uid}/deliveries/msg_00/replay", 404)
    assert api("GET", f"/{uid}/deliveries?state=planned", 200)["items"][0]["id"] == waiting["id"]
    assert api("GET", f"/{uid}/deliveries?state=lost", 422)["errors"][0]["field"] == "state"
    assert api("GET", f"/{uid}/deliveries?page=2", 422)["errors"][0]["field"] == "page"


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("role", ["ingest", "read", "partner"])
def test_only_admin_keys_come_here(client: FlaskClient, app: OpenAPI, role: str) -> None:
    key = bearer(role)
    assert client.get("/api/v1/webhooks", headers=key).status_code == 403
    assert client.post("/api/v1/webhooks", json=GOOD, headers=key).status_code == 403


@pytest.mark.database("sqlite")
def test_the_document_tells_what_receivers_get(api: Api, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    assert list(document["webhooks"]) == [event.value for event in Told]
    webhooks.create_webhook(GOOD | {"events": [event.value for event in Told]})
    answer(make_invitation(make_survey(), make_customer(external_id="c-1"), make_step()))
    cases.open_case("c-1")
    with webhooks.transaction() as session:
        webhooks.tell_opt_out(session, 1, {"email": "api"})
    for row in db.session.scalars(select(webhooks.WebhookDelivery)):
        body = document["webhooks"][row.event]["post"]["requestBody"]["content"]["application/json"]["schema"]
        shape = document["components"]["schemas"][body["properties"]["data"]["$ref"].rpartition("/")[2]]
        assert body["properties"]["type"] == {"const": row.event}
        assert set(row.payload) == set(shape["properties"]) == set(shape["required"])
    page = client.get("/api/docs").text
    assert all(f"<code>{event}</code>" in page for event in Told)
