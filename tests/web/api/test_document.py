"""The OpenAPI document is complete and true: every route is in it, and whatever fits it never breaks the server."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session, scoped_session

from surveyapp.extensions import db
from surveyapp.web.api.document import VERBS
from tests.builders import make_brand, make_step
from tests.people import bearer

Database = scoped_session[Session]
EXAMPLES = 8


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json is not None
    return answer.json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb in VERBS:
            if verb in item:
                yield path, verb, item[verb]


@pytest.mark.database("sqlite")
def test_every_route_of_the_api_is_in_the_document(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, verb) for path, verb, _ in operations(document)} == routes


@pytest.mark.database("sqlite")
def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    seen: set[str] = set()
    for path, verb, operation in operations(document):
        where = f"{verb} {path}"
        assert operation["summary"], where
        assert operation["operationId"] not in seen, where
        seen.add(operation["operationId"])
        assert any(status < "300" for status in operation["responses"]), where
        told = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path)), where
        if verb in ("put", "post", "patch"):
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), where
        if not path.endswith("openapi.json"):
            assert operation["security"] == [{"bearer": []}], where
            assert {"401", "403"} <= set(operation["responses"]), where


@pytest.mark.database("sqlite")
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = repr(document)
    for name in set(re.findall(r"'#/components/schemas/([^']+)'", text)):
        assert name in document["components"]["schemas"]
    assert "#/$defs/" not in text
    assert document["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}


@pytest.mark.database("sqlite")
def test_the_readable_page_names_every_route_and_runs_nothing_foreign(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    for path, _, operation in operations(document):
        assert path in page.text
        assert operation["summary"].replace("'", "&#39;") in page.text
    assert not re.search(r"<script(?![^>]+src=\"/static/)|<style|style=|onclick=|(?:src|href)=\"https?:", page.text)


@pytest.fixture
def schema(app: Flask, session: Database) -> Any:
    make_brand()
    make_step()
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


@pytest.mark.filterwarnings("ignore")
def test_nothing_that_fits_the_document_breaks_the_server(
    app: Flask, client: FlaskClient, session: Database, schema: Any
) -> None:
    headers = bearer("admin")
    called: set[str] = set()

    def call(case: Any) -> None:
        db.session.remove()
        answer = case.call(headers=headers)
        called.add(case.operation.label)
        assert answer.status_code < 500, case.as_curl_command()
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0] == "application/problem+json"

    for result in schema.get_all_operations():
        operation = result.ok()
        strategy: st.SearchStrategy[Any] = operation.as_strategy()
        run = settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(case=strategy)(call))
        run()
    assert called == {operation.label for result in schema.get_all_operations() for operation in [result.ok()]}
