"""Signing in: what is checked, what is said, what a session survives."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session
from werkzeug.test import TestResponse

from surveyapp import clock
from surveyapp.domain import totp
from surveyapp.models import AuditEntry, SignIn, SignInFailure, User
from surveyapp.services import accounts, sign_in, vault
from tests.people import PASSWORD, csrf_for, make_user, sign_in_as

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
WRONG = "three wrong green whales"


def post(client: FlaskClient, address: str, address_of: str = "127.0.0.1", **fields: str) -> TestResponse:
    with client.session_transaction() as browser:
        fields["csrf_token"] = csrf_for(browser)
    return client.post(address, data=fields, environ_base={"REMOTE_ADDR": address_of})


def attempt(client: FlaskClient, email: str, password: str, address: str = "127.0.0.1", **fields: str) -> TestResponse:
    return post(client, "/sign-in", address, email=email, password=password, **fields)


def test_the_right_password_lets_in_and_goes_where_one_wanted(client: FlaskClient) -> None:
    user = make_user()
    answer = attempt(client, f" {user.email.upper()} ", PASSWORD, next="/admin/access/?a=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/access/?a=1")
    assert client.get("/admin/access/").status_code == 200


def test_38_a_foreign_next_leads_home(client: FlaskClient) -> None:
    user = make_user()
    for wanted in ("//evil.example/admin/", "javascript:alert(1)", "https://evil.example/admin/"):
        page = client.get("/sign-in", query_string={"next": wanted})
        assert "evil" not in page.text
        assert "javascript:" not in page.text
        answer = attempt(client, user.email, PASSWORD, next=wanted)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")
        post(client, "/sign-out")


def test_the_session_is_a_new_one_after_sign_in(client: FlaskClient) -> None:
    user = make_user()
    with client.session_transaction() as browser:
        before = csrf_for(browser)
        browser["planted"] = "by a stranger"
        planted = browser["csrf_token"]
    attempt(client, user.email, PASSWORD)
    with client.session_transaction() as browser:
        assert "planted" not in browser
        assert browser.get("csrf_token") != planted
    assert client.post("/admin/access/keys", data={"csrf_token": before, "key-name": "x"}).status_code == 403


def test_a_session_token_chosen_by_someone_else_opens_nothing(client: FlaskClient) -> None:
    user = make_user()
    with client.session_transaction() as browser:
        browser["_user_id"] = "fixed-by-a-stranger"
    assert client.get("/admin/access/").status_code == 303
    attempt(client, user.email, PASSWORD)
    with client.session_transaction() as browser:
        assert browser["_user_id"] != "fixed-by-a-stranger"


# 24


def _change_password(user: User) -> None:
    accounts.set_password(accounts.new_password_link(user.id), "four calm green whales")


@pytest.mark.parametrize(
    "change",
    [
        _change_password,
        lambda user: accounts.change_role(user.id, "editor"),
        lambda user: accounts.disable_user(user.id),
        lambda user: sign_in.drop_factor(user.id),
        lambda user: sign_in.enrol(user.id, SECRET, totp.code(SECRET, totp.step_at(clock.now()))),
    ],
    ids=["password", "role", "disabled", "factor dropped", "factor set"],
)
def test_24_every_session_is_dead_at_the_next_request(app: OpenAPI, change: object) -> None:
    make_user("admin")
    user = make_user("admin")
    browsers = [app.test_client(), app.test_client()]
    for browser in browsers:
        sign_in_as(browser, user=user)
        assert browser.get("/admin/access/").status_code == 200
    change(user)  # type: ignore[operator]
    assert [browser.get("/admin/access/").status_code for browser in browsers] == [303, 303]


def test_24_signing_out_ends_this_session_even_for_a_copied_cookie(app: OpenAPI, client: FlaskClient) -> None:
    user = make_user()
    attempt(client, user.email, PASSWORD)
    with client.session_transaction() as browser:
        token = browser["_user_id"]
    other = app.test_client()
    sign_in_as(other, user=user)
    assert post(client, "/sign-out").headers["Location"] == "/sign-in"
    with client.session_transaction() as browser:
        browser["_user_id"] = token
    assert client.get("/admin/access/").status_code == 303
    assert other.get("/admin/access/").status_code == 200


def test_a_session_runs_out_after_seven_days(client: FlaskClient) -> None:
    with clock.at(START):
        sign_in_as(client)
    with clock.at(START + timedelta(days=7) - timedelta(seconds=1)):
        assert client.get("/admin/access/").status_code == 200
    with clock.at(START + timedelta(days=7)):
        assert client.get("/admin/access/").status_code == 303


# 28, enumeration


def _refused(client: FlaskClient, email: str) -> tuple[int, str]:
    answer = attempt(client, email, WRONG)
    with client.session_transaction() as browser:
        token = csrf_for(browser)
    return answer.status_code, answer.text.replace(email, "EMAIL").replace(token, "TOKEN").split("csrf_token", 1)[0]


def test_28_unknown_disabled_and_passwordless_people_are_refused_in_the_same_words(app: OpenAPI) -> None:
    known, disabled, new = make_user(), make_user(disabled_at=START), make_user(password=None)
    pages = [_refused(app.test_client(), e) for e in (known.email, disabled.email, new.email, "nobody@example.org")]
    assert pages[0][0] == 403
    assert "The e-mail address or the password is not right." in pages[0][1]
    assert len(set(pages)) == 1


def test_28_the_same_work_is_done_for_a_known_and_an_unknown_address(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    seen: list[list[str]] = []
    real = accounts.hasher().verify

    class Counting:
        def verify(self, password_hash: str, password: str) -> bool:
            seen.append(password_hash.split("$")[1:4])
            return real(password_hash, password)

    monkeypatch.setattr(accounts, "hasher", Counting)
    attempt(client, user.email, WRONG)
    attempt(client, "nobody@example.org", WRONG)
    assert seen == [["argon2id", "v=19", "m=8,t=1,p=1"]] * 2


def test_28_a_disabled_person_with_the_right_password_stays_out(client: FlaskClient) -> None:
    user = make_user(disabled_at=START)
    assert attempt(client, user.email, PASSWORD).status_code == 403


def test_28_a_password_link_works_once(client: FlaskClient, session: scoped_session[Session]) -> None:
    token = accounts.create_user("ada@example.org", "analyst")
    assert client.get(f"/set-password/{token}").status_code == 200
    again = post(client, f"/set-password/{token}", password="short", again="short")
    assert again.status_code == 422
    answer = post(client, f"/set-password/{token}", password=PASSWORD, again=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert client.get(f"/set-password/{token}").status_code == 410
    assert post(client, f"/set-password/{token}", password=WRONG, again=WRONG).status_code == 410
    assert attempt(client, "ada@example.org", PASSWORD).status_code == 303
    assert [e.action for e in session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
        "user.created",
        "user.password_set",
        "user.signed_in",
    ]


def test_28_a_password_link_is_closed_when_late_tampered_replaced_or_of_a_disabled_person(client: FlaskClient) -> None:
    make_user()
    with clock.at(START):
        token = accounts.create_user("ada@example.org", "analyst")
    with clock.at(START + timedelta(hours=24) - timedelta(seconds=1)):
        assert client.get(f"/set-password/{token}").status_code == 200
    with clock.at(START + timedelta(hours=24)):
        assert client.get(f"/set-password/{token}").status_code == 410
    with clock.at(START):
        assert client.get(f"/set-password/{token[:-1]}").status_code == 410
        user = make_user("editor")
        first = accounts.new_password_link(user.id)
        second = accounts.new_password_link(user.id)
        assert client.get(f"/set-password/{first}").status_code == 410
        assert client.get(f"/set-password/{second}").status_code == 200
        accounts.disable_user(user.id)
        assert client.get(f"/set-password/{second}").status_code == 410


@pytest.mark.parametrize("password", ["elevenchars", "password1234", "PASSWORD 1234", "aaaaaaaaaaaaaaa", "a" * 257])
def test_a_weak_password_is_refused_and_the_link_stays_open(client: FlaskClient, password: str) -> None:
    token = accounts.create_user("ada@example.org", "analyst")
    assert post(client, f"/set-password/{token}", password=password, again=password).status_code == 422
    assert client.get(f"/set-password/{token}").status_code == 200


# 25


def test_25_ten_wrong_passwords_from_anywhere_close_the_account_for_a_while(app: OpenAPI) -> None:
    user = make_user()
    with clock.at(START):
        for number in range(10):
            assert attempt(app.test_client(), user.email, WRONG, f"198.51.100.{number}").status_code == 403
        blocked = attempt(app.test_client(), user.email, PASSWORD, "203.0.113.9")
        assert (blocked.status_code, blocked.headers["Retry-After"]) == (429, "900")
    with clock.at(START + timedelta(minutes=15)):
        assert attempt(app.test_client(), user.email, PASSWORD, "203.0.113.9").status_code == 303


def test_25_the_owner_gets_in_from_their_own_browser_while_strangers_try(app: OpenAPI, client: FlaskClient) -> None:
    user = make_user()
    with clock.at(START):
        attempt(client, user.email, PASSWORD)
        post(client, "/sign-out")
        for number in range(12):
            attempt(app.test_client(), user.email, WRONG, f"198.51.100.{number}")
        assert attempt(app.test_client(), user.email, PASSWORD, "203.0.113.9").status_code == 429
        assert attempt(client, user.email, PASSWORD, "203.0.113.9").status_code == 303


def test_25_a_known_browser_may_not_guess_for_ever_nor_for_someone_else(app: OpenAPI, client: FlaskClient) -> None:
    user, other = make_user(), make_user()
    with clock.at(START):
        attempt(client, user.email, PASSWORD)
        post(client, "/sign-out")
        assert [attempt(client, user.email, WRONG).status_code for _ in range(11)] == [403] * 10 + [429]
        for number in range(10):
            attempt(app.test_client(), other.email, WRONG, f"198.51.100.{number}")
        assert attempt(client, other.email, PASSWORD).status_code == 429


def test_25_an_unknown_account_is_closed_like_a_known_one(app: OpenAPI) -> None:
    with clock.at(START):
        codes = [attempt(app.test_client(), "nobody@example.org", WRONG).status_code for _ in range(11)]
    assert codes == [403] * 10 + [429]


def test_25_one_address_may_not_try_a_hundred_accounts(app: OpenAPI) -> None:
    client = app.test_client()
    with clock.at(START):
        codes = [attempt(client, f"user{n}@example.org", WRONG, "2001:db8::1").status_code for n in range(100)]
        assert set(codes) == {403}
        assert attempt(client, "last@example.org", WRONG, "2001:db8::ffff").status_code == 429
        assert attempt(client, "last@example.org", WRONG, "2001:db8:0:1::1").status_code == 403


def test_a_success_forgives_the_tries_before_it(client: FlaskClient, session: scoped_session[Session]) -> None:
    user = make_user()
    for _ in range(9):
        attempt(client, user.email, WRONG)
    attempt(client, user.email, PASSWORD)
    assert len(session.scalars(select(SignInFailure)).all()) == 9  # those of the network address stay counted


def test_no_address_of_a_person_or_a_machine_is_kept_by_the_throttle(
    client: FlaskClient, session: scoped_session[Session]
) -> None:
    attempt(client, "ada@example.org", WRONG, "203.0.113.9")
    scopes = [f.scope for f in session.scalars(select(SignInFailure))]
    assert [len(scope) for scope in scopes] == [64, 64]


SECRET = totp.secret_from(b"12345678901234567890")


def with_factor(role: str = "admin") -> User:
    return make_user(role, totp_secret=vault.seal(SECRET))


def digits(at: datetime) -> str:
    return totp.code(SECRET, totp.step_at(at))


def test_a_second_factor_is_asked_after_the_password(client: FlaskClient, session: scoped_session[Session]) -> None:
    user = with_factor()
    with clock.at(START):
        answer = attempt(client, user.email, PASSWORD, next="/admin/access/")
        assert answer.headers["Location"] == "/second-factor"
        assert client.get("/admin/access/").status_code == 303
        assert session.scalars(select(SignIn)).all() == []
        done = post(client, "/second-factor", code=digits(START))
        assert (done.status_code, done.headers["Location"]) == (303, "/admin/access/")
        assert client.get("/admin/access/").status_code == 200


def test_25_a_code_works_once(app: OpenAPI, client: FlaskClient) -> None:
    user = with_factor()
    with clock.at(START):
        for browser, status in ((client, 303), (app.test_client(), 403)):
            attempt(browser, user.email, PASSWORD)
            assert post(browser, "/second-factor", code=digits(START)).status_code == status


def test_25_ten_wrong_codes_close_the_second_step_for_a_while(client: FlaskClient) -> None:
    user = with_factor()
    with clock.at(START):
        attempt(client, user.email, PASSWORD)
        assert [post(client, "/second-factor", code="000000").status_code for _ in range(10)] == [403] * 10
        assert post(client, "/second-factor", code=digits(START)).status_code == 429
    later = START + timedelta(minutes=15)
    with clock.at(later):
        attempt(client, user.email, PASSWORD)
        assert post(client, "/second-factor", code=digits(later)).status_code == 303


def test_the_second_step_is_closed_without_the_first(client: FlaskClient) -> None:
    assert client.get("/second-factor").headers["Location"] == "/sign-in"
    assert post(client, "/second-factor", code="123456").headers["Location"] == "/sign-in"


def test_setting_up_a_second_factor_keeps_this_browser_and_ends_the_others(app: OpenAPI, client: FlaskClient) -> None:
    user = make_user()
    other = app.test_client()
    for browser in (client, other):
        sign_in_as(browser, user=user)
    page = client.get("/second-factor/set-up")
    with client.session_transaction() as browser:
        secret = browser["factor"]
    assert " ".join(secret[i : i + 4] for i in range(0, 32, 4)) in page.text
    assert post(client, "/second-factor/set-up", code="000000").status_code == 422
    answer = post(client, "/second-factor/set-up", code=totp.code(secret, totp.step_at(clock.now())))
    assert answer.headers["Location"] == "/account"
    assert "asks for a code" in client.get("/account").text
    assert other.get("/admin/access/").status_code == 303


class TestOnHttps:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"BASE_URL": "https://localhost"}

    def test_an_administrator_must_set_up_a_second_factor(self, app: OpenAPI) -> None:
        client = app.test_client()
        token = sign_in.open_session(make_user().id)
        with client.session_transaction(base_url="https://localhost") as browser:
            browser["_user_id"] = token
        answer = client.get("/admin/access/", base_url="https://localhost")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/second-factor/set-up")

    def test_an_editor_need_not(self, app: OpenAPI) -> None:
        client = app.test_client()
        token = sign_in.open_session(make_user("editor").id)
        with client.session_transaction(base_url="https://localhost") as browser:
            browser["_user_id"] = token
        assert client.get("/admin/", base_url="https://localhost").status_code == 200

    def test_cookies_are_host_bound_and_secure(self, app: OpenAPI) -> None:
        client = app.test_client()
        cookie = client.get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]
        assert cookie.startswith("__Host-session=")
        assert cookie.endswith("; Secure; HttpOnly; Path=/; SameSite=Lax")


def test_a_password_reset_does_not_go_round_the_second_factor(client: FlaskClient) -> None:
    user = with_factor()
    accounts.set_password(accounts.new_password_link(user.id), "four calm green whales")
    assert attempt(client, user.email, "four calm green whales").headers["Location"] == "/second-factor"


def test_pages_before_sign_in_are_kept_by_nobody_and_framed_by_nobody(client: FlaskClient) -> None:
    headers = client.get("/sign-in").headers
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
