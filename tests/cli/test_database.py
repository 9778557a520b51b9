"""A command that cannot work with the database says why, and shows no traceback."""

import pytest
from flask import Flask

from tests.conftest import MakeApp

COMMANDS = [
    "send --once",
    "keys create shop --role ingest",
    "users create ada@example.org --role admin",
    "partners create acme --name Acme --origin https://acme.example",
    "programme export",
    "rollups rebuild --check",
    "demo load",
]


def said(app: Flask, command: str) -> tuple[int, str]:
    with app.app_context():
        done = app.test_cli_runner().invoke(args=command.split())
    return done.exit_code, done.output.split(":")[1].strip() + done.output.split(":", 2)[2].rstrip()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_without_tables_is_sent_to_the_migrations(
    unmigrated_url: str, make_app: MakeApp, command: str
) -> None:
    code, sentence = said(make_app(unmigrated_url), command)
    assert code == 1
    assert sentence.startswith("DATABASE_URL the database is at migration none, this release needs 00")
    assert sentence.endswith(": flask db upgrade.")


def test_an_unreachable_database_is_said_in_words(make_app: MakeApp) -> None:
    app = make_app("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert said(app, "send --once") == (1, "DATABASE_URL the database does not answer (OperationalError).")
