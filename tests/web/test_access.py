"""The access page: what is shown, shown once, asked before, and noted."""

import re
import sqlite3
from contextlib import closing

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session
from werkzeug.test import TestResponse

from surveyapp.models import ApiKey, AuditEntry, Partner, User
from surveyapp.services import keys, vault
from tests.people import PASSWORD, bearer, csrf_for, make_partner, make_user, sign_in_as


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make_user("admin")
    sign_in_as(client, user=user)
    return user


def post(client: FlaskClient, address: str, **fields: str) -> TestResponse:
    with client.session_transaction() as browser:
        token = csrf_for(browser)
    return client.post(address, data={"csrf_token": token} | {k.replace("_", "-"): v for k, v in fields.items()})


def test_a_new_key_is_shown_once_works_and_is_never_shown_again(client: FlaskClient, admin: User) -> None:
    page = post(client, "/admin/access/keys", key_name="Till", key_role="read", key_days="30")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    key = re.search(r"svk_[\w-]{43}", page.text)
    assert key is not None
    assert client.get("/api/v1/decisions", headers=bearer(key[0])).status_code == 200
    listed = client.get("/admin/access/").text
    assert key[0] not in listed
    assert key[0][:12] in listed


def test_a_key_is_revoked_after_a_question(client: FlaskClient, admin: User, session: scoped_session[Session]) -> None:
    key = keys.create_key("Till", "read")
    number = session.scalars(select(ApiKey.id)).one()
    question = client.get(f"/admin/access/keys/{number}/revoke")
    assert "Revoke the key “Till”?" in question.text
    assert client.get("/api/v1/decisions", headers=bearer(key)).status_code == 200
    assert post(client, f"/admin/access/keys/{number}/revoke").status_code == 303
    assert client.get("/api/v1/decisions", headers=bearer(key)).status_code == 401
    assert post(client, f"/admin/access/keys/{number}/revoke").status_code == 404


def test_a_new_person_gets_a_link_to_choose_a_password(client: FlaskClient, admin: User) -> None:
    page = post(client, "/admin/access/users", user_email="Ada@example.org", user_role="analyst", user_partner="")
    link = re.search(r"http://localhost(/set-password/[\w-]+)", page.text)
    assert link is not None
    assert client.get(link[1]).status_code == 200
    assert "has not chosen a password" in client.get("/admin/access/").text


@pytest.mark.parametrize(
    ("address", "fields", "told"),
    [
        ("users", {"user_email": "", "user_role": "analyst"}, "Enter an e-mail address."),
        ("users", {"user_email": "no address", "user_role": "analyst"}, "is no e-mail address"),
        ("users", {"user_email": "p@example.org", "user_role": "partner"}, "names their partner"),
        ("users", {"user_email": "p@example.org", "user_role": "owner"}, "Not a valid choice"),
        ("keys", {"key_name": "", "key_role": "read"}, "Say what the key is for."),
        (
            "keys",
            {"key_name": "x", "key_role": "partner", "key_partner": "nobody", "key_days": ""},
            "no partner &#39;nobody&#39;",
        ),
        ("keys", {"key_name": "x", "key_role": "read", "key_days": "9999"}, "Not a valid choice"),
        ("partners", {"partner_key": "a", "partner_name": "A", "partner_origins": "https://a.example/x"}, "no origin"),
    ],
)
def test_a_form_that_does_not_fit_says_why_and_changes_nothing(
    client: FlaskClient, admin: User, session: scoped_session[Session], address: str, fields: dict[str, str], told: str
) -> None:
    page = post(client, f"/admin/access/{address}", **fields)
    assert page.status_code == 422
    assert told in page.text
    left = [session.scalars(select(model.id)).all() for model in (User, ApiKey, Partner)]
    assert left == [[admin.id], [], []]


def test_a_person_is_disabled_after_a_question_and_enabled_again(
    client: FlaskClient, admin: User, session: scoped_session[Session]
) -> None:
    user = make_user("editor")
    assert "signed out at once" in client.get(f"/admin/access/users/{user.id}/disable").text
    assert session.get_one(User, user.id).disabled_at is None
    assert post(client, f"/admin/access/users/{user.id}/disable").status_code == 303
    session.expire_all()
    assert session.get_one(User, user.id).disabled_at is not None
    post(client, f"/admin/access/users/{user.id}/enable")
    session.expire_all()
    assert session.get_one(User, user.id).disabled_at is None


def test_the_last_administrator_stays(client: FlaskClient, admin: User) -> None:
    refused = post(client, f"/admin/access/users/{admin.id}/disable")
    assert (refused.status_code, "the last administrator" in refused.text) == (409, True)
    refused = post(client, f"/admin/access/users/{admin.id}/role", role="editor", partner="")
    assert (refused.status_code, "the last administrator" in refused.text) == (422, True)
    assert client.get("/admin/access/").status_code == 200


def test_a_role_changes(client: FlaskClient, admin: User, session: scoped_session[Session]) -> None:
    user = make_user("editor")
    assert client.get(f"/admin/access/users/{user.id}/role").status_code == 200
    assert post(client, f"/admin/access/users/{user.id}/role", role="analyst", partner="").status_code == 303
    session.expire_all()
    assert session.get_one(User, user.id).role == "analyst"


def test_a_password_link_replaces_the_one_before(client: FlaskClient, admin: User) -> None:
    user = make_user("editor")
    links = []
    for _ in range(2):
        found = re.search(r"/set-password/[\w-]+", post(client, f"/admin/access/users/{user.id}/link").text)
        assert found is not None
        links.append(found[0])
    assert [client.get(link).status_code for link in links] == [410, 200]


def test_a_partner_s_secret_is_replaced_after_a_question(
    client: FlaskClient, admin: User, session: scoped_session[Session]
) -> None:
    partner = make_partner("acme")
    before = vault.unseal(partner.secret_encrypted)
    assert "Make a new secret for acme?" in client.get("/admin/access/partners/acme/rotate").text
    page = post(client, "/admin/access/partners/acme/rotate")
    session.expire_all()
    after = vault.unseal(session.scalars(select(Partner.secret_encrypted)).one())
    assert after != before
    assert after in page.text
    assert client.get("/admin/access/partners/nobody/rotate").status_code == 404


def test_unknown_people_and_acts_are_404(client: FlaskClient, admin: User) -> None:
    for address in ("users/999/role", "users/999/disable", f"users/{admin.id}/erase", "keys/999/revoke"):
        assert client.get(f"/admin/access/{address}").status_code == 404


def test_every_change_names_its_administrator_in_the_log(
    client: FlaskClient, admin: User, session: scoped_session[Session]
) -> None:
    post(client, "/admin/access/keys", key_name="<b>Till</b>", key_role="read", key_days="")
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "key.created")).one()
    assert entry.actor == admin.email
    log = client.get("/admin/access/audit?subject=key").text
    assert "&lt;b&gt;Till&lt;/b&gt;" in log
    assert "<b>Till" not in log
    assert "user.signed_in" not in log


def test_the_log_is_read_page_by_page(client: FlaskClient, admin: User) -> None:
    for number in range(60):
        keys.create_key(f"key number {number}", "read")
    first = client.get("/admin/access/audit?subject=key").text
    assert "key number 59" in first
    assert "key number 9<" not in first
    older = re.search(r'href="(/admin/access/audit\?[^"]*before=\d+)"', first)
    assert older is not None
    second = client.get(older[1].replace("&amp;", "&")).text
    assert "key number 9<" in second
    assert "key number 59" not in second


def test_someone_without_the_role_sees_nothing_of_it(app: OpenAPI) -> None:
    client = app.test_client()
    sign_in_as(client, "editor")
    for address in ("/admin/access/", "/admin/access/audit"):
        assert client.get(address).status_code == 403


def test_a_partner_s_person_sees_their_account_and_no_console(client: FlaskClient) -> None:
    user = make_user("partner")
    page = client.get("/sign-in").text
    assert "Sign in" in page
    answer = post(client, "/sign-in", email=user.email, password=PASSWORD)
    assert answer.headers["Location"] == "/partner/"
    assert user.email in client.get("/account").text
    assert client.get("/admin/").status_code == 403


def test_the_account_page_and_root_send_strangers_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/account").headers["Location"] == "/sign-in"
    assert client.get("/second-factor/set-up").headers["Location"] == "/sign-in"
    assert client.get("/").headers["Location"] == "/admin/"


def test_a_factor_is_dropped_after_a_question(
    client: FlaskClient, admin: User, session: scoped_session[Session]
) -> None:
    user = make_user("editor", totp_secret=vault.seal("A" * 32), totp_step=5)
    assert "Make sure it is they who ask" in client.get(f"/admin/access/users/{user.id}/drop-factor").text
    post(client, f"/admin/access/users/{user.id}/drop-factor")
    session.expire_all()
    row = session.get_one(User, user.id)
    assert (row.totp_secret, row.totp_step, row.auth_epoch) == (None, None, 1)


@pytest.mark.database("sqlite")
def test_a_page_that_only_reads_waits_for_no_writer(
    app: OpenAPI, client: FlaskClient, admin: User, session: scoped_session[Session]
) -> None:
    key = keys.create_key("Till", "read")
    assert (
        client.get("/api/v1/decisions", headers=bearer(key)).status_code == 200
    )  # its use is noted; not again so soon
    session.commit()
    with closing(sqlite3.connect(app.config["DATABASE_URL"].removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert client.get("/admin/access/").status_code == 200
        assert client.get("/api/v1/decisions", headers=bearer(key)).status_code == 200
        other.execute("ROLLBACK")
