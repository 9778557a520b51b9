"""What an operator types to let people and programs in."""

import json

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import ApiKey, AuditEntry, Base, Partner, User
from surveyapp.queries import accounts as queries
from surveyapp.services import vault
from surveyapp.services.keys import hashed
from tests.people import bearer


def run(app: OpenAPI, *words: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=words)
    return result.exit_code, result.stdout, result.stderr


def test_a_key_is_printed_alone_and_works(app: OpenAPI, session: scoped_session[Session]) -> None:
    code, out, err = run(app, "keys", "create", "till", "--role", "read")
    assert (code, err, out.count("\n")) == (0, "", 1)
    key = out.strip()
    assert key.startswith("svk_")
    assert len(key) == 47
    row = session.scalars(select(ApiKey)).one()
    assert (row.name, row.role, row.prefix, row.key_hash) == ("till", "read", key[:12], hashed(key))
    assert app.test_client().get("/api/v1/decisions", headers=bearer(key)).status_code == 200


def test_a_user_gets_a_link_that_sets_a_password(app: OpenAPI, session: scoped_session[Session]) -> None:
    code, out, err = run(app, "users", "create", "Ada@Example.ORG", "--role", "admin")
    assert (code, err) == (0, "")
    assert out.startswith("http://localhost/set-password/")
    assert app.test_client().get(out.strip().removeprefix("http://localhost")).status_code == 200
    user = session.scalars(select(User)).one()
    assert (user.email, user.role, user.password_hash) == ("ada@example.org", "admin", None)


def test_a_partner_is_printed_as_json(app: OpenAPI, session: scoped_session[Session]) -> None:
    code, out, err = run(
        app, "partners", "create", "acme", "--name", "Acme", "--origin", "https://ACME.example/", "--origin", "http://localhost:8080"
    )  # fmt: skip
    made = json.loads(out)
    assert (code, err, set(made)) == (0, "", {"publishable", "secret"})
    assert made["publishable"].startswith("pk_")
    row = session.scalars(select(Partner)).one()
    assert row.origins == ["http://localhost:8080", "https://acme.example"]
    assert (row.publishable, vault.unseal(row.secret_encrypted)) == (made["publishable"], made["secret"])


def test_a_partner_has_people_and_keys_of_its_own(app: OpenAPI, session: scoped_session[Session]) -> None:
    run(app, "partners", "create", "acme", "--name", "Acme", "--origin", "https://acme.example")
    assert run(app, "users", "create", "p@acme.example", "--role", "partner", "--partner", "acme")[0] == 0
    assert run(app, "keys", "create", "acme", "--role", "partner", "--partner", "acme")[0] == 0
    assert [(u.role, u.partner) for u in queries.users(session)] == [("partner", "acme")]
    assert [(k.role, k.partner) for k in queries.keys(session)] == [("partner", "acme")]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("keys create x --role owner", 2, "'owner' is not one of"),
        ("keys create x", 2, "Missing option '--role'"),
        ("keys create x --role partner", 1, "names its partner"),
        ("keys create x --role read --partner acme", 1, "names its partner"),
        ("keys create x --role partner --partner nobody", 1, "There is no partner 'nobody'"),
        ("users create ada --role admin", 1, "'ada' is no e-mail address"),
        ("users create ada@example.org --role boss", 2, "'boss' is not one of"),
        ("users create ada@example.org --role partner", 1, "names their partner"),
        ("partners create a/b --name A --origin https://a.example", 1, "letters, digits"),
        ("partners create a --name A --origin https://a.example/page", 1, "is no origin"),
        ("partners create a --name A --origin https://*.example", 1, "without a wildcard"),
        ("partners create a --name A --origin javascript:alert(1)", 1, "is no origin"),
        ("partners create a --name A --origin null", 1, "is no origin"),
        ("partners create a --name A --origin https://me@a.example", 1, "is no origin"),
    ],
)
def test_a_refusal_says_why_on_standard_error_and_changes_nothing(
    app: OpenAPI, session: scoped_session[Session], words: str, code: int, told: str
) -> None:
    got, out, err = run(app, *words.split())
    assert (got, out) == (code, "")
    assert told in err
    assert "Traceback" not in err
    counts = {t.name: session.scalar(select(func.count()).select_from(t)) for t in Base.metadata.sorted_tables}
    assert {name for name, count in counts.items() if count} == set()


def test_the_same_address_or_key_twice_is_refused(app: OpenAPI, session: scoped_session[Session]) -> None:
    for _ in range(2):
        user = run(app, "users", "create", "ada@example.org", "--role", "admin")
        partner = run(app, "partners", "create", "acme", "--name", "A", "--origin", "https://a.example")
    assert (user[0], "has a sign-in already" in user[2]) == (1, True)
    assert (partner[0], "There is a partner 'acme' already" in partner[2]) == (1, True)
    assert session.scalar(select(func.count()).select_from(User)) == 1


def test_every_change_leaves_an_audit_row_of_the_command_line(app: OpenAPI, session: scoped_session[Session]) -> None:
    run(app, "partners", "create", "acme", "--name", "A", "--origin", "https://a.example")
    run(app, "keys", "create", "till", "--role", "ingest")
    run(app, "users", "create", "ada@example.org", "--role", "admin")
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(r.actor, r.action) for r in rows] == [
        ("command line", "partner.created"),
        ("command line", "key.created"),
        ("command line", "user.created"),
    ]
