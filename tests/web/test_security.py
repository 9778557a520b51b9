"""Who may enter: every route × verb × caller against the table, and what stands at the doors."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Blueprint, request
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session
from werkzeug.routing import Rule

from surveyapp import clock
from surveyapp.domain.vocabulary import KeyRole, Role
from surveyapp.models import ApiKey, Base
from surveyapp.services import accounts, keys
from surveyapp.web import security
from surveyapp.web.security import SAFE, By, Surface
from surveyapp.web.surfaces import SURFACES
from tests.conftest import MakeApp
from tests.people import PASSWORD, bearer, csrf_for, make_key, sign_in_as

pytestmark = pytest.mark.own_app
VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ENTERED = 299


@pytest.fixture
def settings() -> dict[str, object]:
    """The demonstration's page has doors only there."""
    return {"DEMO": True}


def stubbed(app: OpenAPI) -> OpenAPI:
    """The application with every view replaced by one that says it was reached: the doors are tested, not the rooms."""
    for endpoint in app.view_functions:
        app.view_functions[endpoint] = lambda **_: ("entered", ENTERED)
    return app


def table() -> dict[str, Surface]:
    return {surface.blueprint.name: surface for surface in SURFACES}


def address(rule: Rule) -> str:
    values = {name: _value(converter) for name, converter in rule._converters.items()}
    _, path = rule.build(values) or ("", "")
    return path


def _value(converter: object) -> object:
    return {"IntegerConverter": 1, "AnyConverter": "x"}.get(type(converter).__name__, "x")


def doors(app: OpenAPI) -> Iterator[tuple[Surface, str, str]]:
    for rule in app.url_map.iter_rules():
        surface = table().get(rule.endpoint.rpartition(".")[0])
        if surface is None:
            assert rule.endpoint == "static", f"{rule.rule} is in no surface"
            continue
        for verb in VERBS:
            if verb in (rule.methods or ()) and not _any(rule):
                yield surface, verb, address(rule)


def _any(rule: Rule) -> bool:
    return any(type(c).__name__ == "AnyConverter" for c in rule._converters.values())


def expected(surface: Surface, verb: str, caller: str) -> set[int]:
    allowed = surface.reads if verb in SAFE else surface.writes
    if surface.by in (By.NOTHING, By.FORM):
        return {ENTERED} if allowed else {403}
    kind, _, role = caller.partition(":")
    if surface.by is By.SESSION:
        return {303} if kind != "user" else {ENTERED if role in allowed else 403}
    return {401} if kind != "key" else {ENTERED if role in allowed else 403}


CALLERS = ["nobody:", *(f"user:{r.value}" for r in Role), *(f"key:{r.value}" for r in KeyRole)]


@pytest.mark.parametrize("caller", CALLERS)
def test_b23_every_route_and_verb_lets_in_exactly_whom_the_table_names(app: OpenAPI, caller: str) -> None:
    kind, _, role = caller.partition(":")
    client = stubbed(app).test_client()
    token = sign_in_as(client, role) if kind == "user" else csrf_of_nobody(client)
    key = make_key(role) if kind == "key" else None
    wrong = []
    for surface, verb, path in doors(app):
        headers = {"X-CSRFToken": token}
        auth = None
        if key and surface.by is By.BASIC:
            auth = (key, "")
        elif key:
            headers |= bearer(key)
        body = {} if surface.by in (By.BEARER, By.BASIC) and verb not in SAFE else None
        got = client.open(path, method=verb, headers=headers, auth=auth, json=body)
        status = ENTERED if verb == "OPTIONS" and got.status_code == 200 else got.status_code  # Flask's own answer
        if status not in expected(surface, verb, caller):
            wrong.append((verb, path, status, expected(surface, verb, caller)))
    assert wrong == []


def csrf_of_nobody(client: FlaskClient) -> str:
    with client.session_transaction() as browser:
        return csrf_for(browser)


def own_surface(by: By, allowed: frozenset[str]) -> Surface:
    blueprint = Blueprint("extra", __name__)
    blueprint.add_url_rule("/extra", "view", lambda: ("entered", ENTERED), methods=["GET", "POST"])
    return Surface(blueprint, "", by, allowed, allowed)


def test_a_route_outside_the_table_is_refused_to_everyone(app: OpenAPI, client: FlaskClient) -> None:
    surface = own_surface(By.NOTHING, security.ANYONE)
    app.register_blueprint(surface.blueprint)
    app.add_url_rule("/loose", "loose", lambda: ("entered", ENTERED))
    sign_in_as(client, "admin")
    assert client.get("/extra").status_code == 404
    assert client.get("/loose").status_code == 404


def test_a_surface_that_names_nobody_lets_nobody_in(database_url: str, make_app: MakeApp) -> None:
    app = make_app(database_url)
    surface = own_surface(By.NOTHING, frozenset())
    app.before_request_funcs[None].clear()
    security.guard(app, [surface])
    app.register_blueprint(surface.blueprint)
    assert app.test_client().get("/extra").status_code == 403


# 21


@pytest.fixture
def door(app: OpenAPI) -> FlaskClient:
    """A client of an application that has one route for keys with the role `read`, and one for ingest by Basic."""
    app.before_request_funcs[None].clear()
    reading, sending = Blueprint("reading", __name__), Blueprint("sending", __name__)
    reading.add_url_rule("/api/v1/door", "view", _who, methods=["GET", "POST"])
    sending.add_url_rule("/v1/door", "view", _who, methods=["POST"])
    readers, senders = frozenset({KeyRole.READ}), frozenset({KeyRole.INGEST})
    security.guard(
        app,
        [Surface(reading, "", By.BEARER, readers, readers), Surface(sending, "", By.BASIC, frozenset(), senders)],
    )
    app.register_blueprint(reading)
    app.register_blueprint(sending)
    return app.test_client()


def _who() -> dict[str, object]:
    key = security.current_key()
    return {"name": key.name, "role": key.role, "partner": key.partner}


def test_21_a_good_key_enters_and_says_who_it_is(door: FlaskClient) -> None:
    key = keys.create_key("reports", "read")
    assert door.get("/api/v1/door", headers=bearer(key)).json == {"name": "reports", "role": "read", "partner": None}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic bm9uc2Vuc2U6",
        "Digest x",
        "Bearer \u00e9\u00e9",
        "Bearer " + "x" * 5000,
    ],
)
def test_21_a_missing_or_garbage_key_is_refused(door: FlaskClient, header: str | None) -> None:
    answer = door.get("/api/v1/door", headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer realm=surveyapp"
    assert (answer.json or {})["title"] == "Unauthorized"


def test_21_revoked_and_expired_keys_are_refused_like_unknown_ones(
    door: FlaskClient, session: scoped_session[Session]
) -> None:
    revoked, expired = keys.create_key("old", "read"), keys.create_key("past", "read", expires_at=_long_ago())
    row = session.scalars(session.query(ApiKey).filter_by(name="old").statement).one()
    keys.revoke_key(row.id)
    answers = [door.get("/api/v1/door", headers=bearer(key)) for key in (revoked, expired, "svk_unknown")]
    assert [a.status_code for a in answers] == [401, 401, 401]
    assert len({(a.json or {})["detail"] for a in answers}) == 1


def test_21_a_key_in_the_address_or_the_form_is_no_key(door: FlaskClient) -> None:
    key = make_key("read")
    for name in ("key", "api_key", "access_token", "token", "Authorization"):
        assert door.get(f"/api/v1/door?{name}={key}").status_code == 401
    assert door.post("/api/v1/door", data={"key": key}).status_code == 401
    assert door.get("/api/v1/door", auth=(key, "")).status_code == 401


def test_21_basic_takes_the_key_as_the_user_name(door: FlaskClient) -> None:
    key = make_key("ingest")
    assert door.post("/v1/door", auth=(key, "")).status_code == 200
    assert door.post("/v1/door", headers=bearer(key)).status_code == 401
    assert door.post("/v1/door", auth=("", key)).status_code == 401
    refused = door.post("/v1/door")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Basic realm=surveyapp")


def test_21_a_key_of_another_role_is_known_and_refused(door: FlaskClient) -> None:
    answer = door.get("/api/v1/door", headers=bearer("ingest"))
    assert answer.status_code == 403
    assert (answer.json or {})["detail"] == "A key with the role 'ingest' may not do this."


def test_21_a_refused_key_is_logged_without_the_secret(
    door: FlaskClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    door.get("/api/v1/door", headers={"Authorization": "Bearer svk_stolen"})
    assert "svk_stolen" not in capsys.readouterr().err + caplog.text


def test_21_no_key_is_kept_in_clear_anywhere(app: OpenAPI, session: scoped_session[Session]) -> None:
    key = make_key("admin")
    partner = keys.create_partner("acme", "Acme", ["https://acme.example"])
    token = accounts.create_user("ada@example.org", "admin")
    accounts.set_password(token, PASSWORD)
    everything = str(
        [
            tuple(row)
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f'SELECT * FROM "{table.name}"'))
        ]
    )
    assert "acme" in everything
    for secret in (key, partner.secret, token, PASSWORD):
        assert secret not in everything


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(door: FlaskClient, session: scoped_session[Session]) -> None:
    key = make_key("read")
    with clock.at(datetime(2026, 11, 2, 9, 0, tzinfo=UTC)):
        door.get("/api/v1/door", headers=bearer(key))
    with clock.at(datetime(2026, 11, 2, 9, 0, 59, tzinfo=UTC)):
        door.get("/api/v1/door", headers=bearer(key))
    used = session.scalars(session.query(ApiKey.last_used_at).statement).one()
    assert used == datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    with clock.at(datetime(2026, 11, 2, 9, 1, tzinfo=UTC)):
        door.get("/api/v1/door", headers=bearer(key))
    assert session.scalars(session.query(ApiKey.last_used_at).statement).one() == datetime(
        2026, 11, 2, 9, 1, tzinfo=UTC
    )


# 26


UNSAFE = "/admin/access/keys"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_26_a_post_from_another_site_is_refused_even_with_a_token(
    client: FlaskClient, headers: dict[str, str], session: scoped_session[Session]
) -> None:
    token = sign_in_as(client)
    answer = client.post(UNSAFE, data={"csrf_token": token, "key-name": "x", "key-role": "read"}, headers=headers)
    assert answer.status_code == 403
    assert session.query(ApiKey).count() == 0


def test_26_a_post_without_a_token_is_refused(client: FlaskClient, session: scoped_session[Session]) -> None:
    sign_in_as(client)
    assert client.post(UNSAFE, data={"key-name": "x", "key-role": "read"}).status_code == 403
    assert client.post(UNSAFE, data='{"name":"x","role":"read"}', content_type="text/plain").status_code == 403
    assert client.post(UNSAFE, data={"csrf_token": "x", "key-name": "x", "key-role": "read"}).status_code == 403
    assert session.query(ApiKey).count() == 0


def test_26_a_token_of_another_session_is_refused(app: OpenAPI, client: FlaskClient) -> None:
    foreign = sign_in_as(app.test_client())
    sign_in_as(client)
    assert client.post(UNSAFE, data={"csrf_token": foreign, "key-name": "x", "key-role": "read"}).status_code == 403


def test_26_every_unsafe_console_route_refuses_a_post_without_a_token(app: OpenAPI) -> None:
    client = stubbed(app).test_client()
    sign_in_as(client)
    reached = [
        (verb, path)
        for surface, verb, path in doors(app)
        if surface.by in (By.SESSION, By.FORM)
        and verb not in SAFE
        and client.open(path, method=verb).status_code != 403
    ]
    assert reached == []


# 27


def test_27_forwarded_headers_are_ignored_unless_a_proxy_is_declared(client: FlaskClient) -> None:
    token = sign_in_as(client)
    spoofed = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Origin": "https://evil.example"}
    assert (
        client.post(
            UNSAFE, data={"csrf_token": token, "key-name": "x", "key-role": "read"}, headers=spoofed
        ).status_code
        == 403
    )
    away = client.application.test_client().get("/admin/access/", headers=spoofed)
    assert away.headers["Location"] == "/sign-in?next=/admin/access/"


def test_27_one_declared_hop_is_believed_and_no_more(database_url: str, make_app: MakeApp) -> None:
    app = make_app(database_url, PROXY_HOPS=1)
    app.view_functions["auth.sign_in"] = lambda: request.remote_addr
    answer = app.test_client().get("/sign-in", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    assert answer.text == "198.51.100.7"


# 38


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example/admin/",
        "javascript:alert(1)", "/admin/../../evil", "/admin//evil.example", "/administrator", "/sign-out", "admin/",
        "/admin/\r\nSet-Cookie: a=b", "/admin/\u2028", " /admin/", "", None,
    ],
)  # fmt: skip
def test_38_a_next_that_is_no_page_of_ours_is_dropped(wanted: str | None) -> None:
    assert security.local_path(wanted) is None


@pytest.mark.parametrize(
    "wanted", ["/admin", "/admin/", "/admin/journeys/flight?from=2026-11-02", "/admin/metrics/nps"]
)
def test_38_a_page_of_the_console_is_kept(wanted: str) -> None:
    assert security.local_path(wanted) == wanted


def test_a_page_asks_a_stranger_to_sign_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/admin/access/?show=keys&x=//evil")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/admin/access/%3Fshow%3Dkeys%26x%3D//evil"


def _long_ago() -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC)
