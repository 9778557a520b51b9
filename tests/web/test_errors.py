"""One shape for every error: a problem document for programs, a calm page for people, never a trace."""

import io
import json
from typing import Any, NoReturn

import pytest
import structlog
from flask import Blueprint, abort, request
from flask.testing import FlaskClient
from flask_openapi3 import APIBlueprint, OpenAPI
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from surveyapp import logs
from surveyapp.extensions import db
from surveyapp.models import Customer
from surveyapp.web import security
from surveyapp.web.problems import problem
from surveyapp.web.security import ANYONE, By, Surface
from tests.builders import MOMENT


class Item(BaseModel):
    name: str = Field(max_length=3)
    count: int

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not value.isascii():
            raise ValueError("use plain letters")
        return value


class Body(BaseModel):
    items: list[Item]


pytestmark = pytest.mark.own_app

TOLD = "secret"
RAISED: dict[str, Exception] = {
    "unexpected": RuntimeError("secret inside"),
    "operational": OperationalError("SELECT secret", {"p": "secret"}, Exception("database is locked")),
    "pool": PoolTimeout("QueuePool limit secret"),
    "integrity": IntegrityError("INSERT secret", {}, Exception("duplicate secret")),
}


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    app.before_request_funcs[None].clear()
    failing = APIBlueprint("failing", __name__)
    pages = Blueprint("failing_pages", __name__)

    @failing.post("/api/v1/items")
    def items(body: Body) -> Any:
        return {}

    def fail(what: str) -> NoReturn:
        if what == "real":
            db.session.execute(insert(Customer), [{"external_id": TOLD, "created_at": MOMENT}] * 2)
        raise RAISED[what]

    def stop(code: int) -> NoReturn:
        abort(code)

    def sleep() -> NoReturn:
        db.session.execute(text("SET LOCAL statement_timeout = '50ms'"))
        db.session.execute(text("SELECT pg_sleep(9)"))
        raise AssertionError("the statement was not cut off")

    pages.add_url_rule("/admin/fail/<what>", "fail", fail)
    pages.add_url_rule("/api/v1/fail/<what>", "api_fail", fail)
    pages.add_url_rule("/admin/stop/<int:code>", "stop", stop)
    pages.add_url_rule("/api/v1/stop/<int:code>", "api_stop", stop)
    pages.add_url_rule("/api/v1/sleep", "sleep", sleep)
    pages.add_url_rule("/api/v1/read", "read", lambda: request.get_data(), methods=["POST"])
    security.guard(app, [Surface(b, "", By.NOTHING, ANYONE, ANYONE) for b in (failing, pages)])
    app.register_api(failing)
    app.register_blueprint(pages)
    return app.test_client()


def test_each_wrong_field_is_named_with_a_sentence_and_without_its_value(client: FlaskClient) -> None:
    items = [{"name": "é", "count": "many"}, {"name": "toolongsecret", "count": 1, "extra": 1}, {"count": 1}]
    answer = client.post("/api/v1/items", json={"items": items})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    body = answer.json or {}
    assert {k: body[k] for k in ("type", "title", "status", "detail")} == {
        "type": "about:blank",
        "title": "The request does not fit",
        "status": 422,
        "detail": "4 fields are wrong.",
    }
    assert body["errors"] == [
        {"field": "items.0.name", "message": "Use plain letters."},
        {"field": "items.0.count", "message": "Input should be a valid integer, unable to parse string as an integer."},
        {"field": "items.1.name", "message": "String should have at most 3 characters."},
        {"field": "items.2.name", "message": "Field required."},
    ]
    assert "secret" not in answer.text


@pytest.mark.parametrize("what", ["operational", "pool"])
def test_68_a_database_that_is_away_is_503_with_a_time_to_come_back(client: FlaskClient, what: str) -> None:
    for address, kind in (("/admin/fail/", "text/html; charset=utf-8"), ("/api/v1/fail/", "application/problem+json")):
        answer = client.get(address + what)
        assert (answer.status_code, answer.content_type) == (503, kind)
        assert answer.headers["Retry-After"] == "5"
        assert "secret" not in answer.text


@pytest.mark.parametrize("what", ["unexpected", "integrity"])
def test_what_nobody_expected_is_500_with_a_number_and_nothing_else(client: FlaskClient, what: str) -> None:
    page = client.get("/admin/fail/" + what)
    assert page.status_code == 500
    assert page.headers["X-Request-Id"] in page.text
    assert "secret" not in page.text
    assert "Traceback" not in page.text
    answer = client.get("/api/v1/fail/" + what)
    assert (answer.json or {})["instance"] == "urn:uuid:" + answer.headers["X-Request-Id"]
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("what", "kind"), [("unexpected", "RuntimeError"), ("integrity", "IntegrityError"), ("real", "IntegrityError")]
)
def test_i79_a_failure_is_one_line_that_says_where_and_quotes_nothing(
    client: FlaskClient, what: str, kind: str
) -> None:
    lines = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(lines))
    try:
        client.get(f"/api/v1/fail/{what}?a=secret%0A%7B%22event%22%3A1%7D", headers={"User-Agent": "secret"})
    finally:
        logs.configure("ERROR")
    (line,) = lines.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["error"]) == ("request_failed", "error", kind)
    assert "in fail\n" in told["exception"]
    assert kind in told["exception"]
    assert "secret" not in line


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 410, 413, 415, 422, 429, 503])
def test_every_refusal_has_the_shape_of_its_reader(client: FlaskClient, code: int) -> None:
    answer = client.get(f"/api/v1/stop/{code}")
    assert (answer.status_code, answer.content_type) == (code, "application/problem+json")
    body = answer.json or {}
    assert (body["type"], body["status"]) == ("about:blank", code)
    assert body["title"]
    page = client.get(f"/admin/stop/{code}")
    assert (page.status_code, page.mimetype) == (code, "text/html")
    assert page.text.count("<h1>") == 1


def test_an_unknown_address_is_404_and_a_wrong_verb_405_with_what_is_allowed(client: FlaskClient) -> None:
    assert client.get("/api/v1/nowhere").content_type == "application/problem+json"
    assert client.get("/nowhere").mimetype == "text/html"
    assert client.get("/nowhere", headers={"Accept": "application/json"}).content_type == "application/problem+json"
    wrong = client.get("/api/v1/items")
    assert (wrong.status_code, set(wrong.headers["Allow"].split(", "))) == (405, {"POST", "OPTIONS"})


def test_a_body_beyond_every_limit_is_413(client: FlaskClient) -> None:
    answer = client.post("/api/v1/read", data=b"x" * (8 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


@pytest.mark.database("postgresql")
def test_68_a_statement_that_runs_too_long_is_503(client: FlaskClient) -> None:
    assert client.get("/api/v1/sleep").status_code == 503


def test_a_problem_names_neither_the_address_nor_its_query(app: OpenAPI) -> None:
    with app.test_request_context("/api/v1/customers/ada@example.org?token=secret"):
        body = problem(404, detail="There is no such customer.").json
    assert body == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such customer.",
    }
