"""`flask programme check`, `apply` and `export`, as an operator meets them."""

from pathlib import Path

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import AuditEntry, ProgrammeVersion
from tests.services.programmes import PROGRAMME, changed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "programme.yaml"
    path.write_text(PROGRAMME, encoding="utf-8")
    return path


def run(app: OpenAPI, *words: object) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=["programme", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def versions(session: scoped_session[Session]) -> int:
    return session.scalar(select(func.count()).select_from(ProgrammeVersion)) or 0


def test_a_good_file_is_checked_and_nothing_is_written(
    app: OpenAPI, session: scoped_session[Session], file: Path
) -> None:
    assert run(app, "check", file) == (0, f"{file}: no problems\n", "")
    assert versions(session) == 0


@pytest.mark.parametrize("command", ["check", "apply"])
def test_each_problem_is_a_line_with_its_place(
    app: OpenAPI, session: scoped_session[Session], file: Path, command: str
) -> None:
    file.write_text(changed(("tier: 2", "tier: 9"), ("blocked: drop", "blocked: never")), encoding="utf-8")
    assert run(app, command, file) == (
        1,
        "",
        f"{file}:12:70: 'tier' is a whole number from 1 to 3, not '9'.\n"
        f"{file}:30:14: 'blocked' is one of drop, wait, next_channel, not 'never'.\n",
    )
    assert versions(session) == 0


def test_a_file_is_applied_once(app: OpenAPI, session: scoped_session[Session], file: Path) -> None:
    code, out, err = run(app, "apply", file)
    assert (code, err) == (0, "")
    assert out.startswith("brand\n")
    assert out.endswith("policy: version 1\nprogramme version 1\n")
    assert run(app, "apply", file) == (0, "programme version 1, nothing to change\n", "")
    noted = session.execute(select(AuditEntry.action, AuditEntry.actor).order_by(AuditEntry.action)).all()
    assert [tuple(row) for row in noted] == [("policy.activate", "command line"), ("programme.apply", "command line")]


def test_what_is_exported_applies_without_a_change(app: OpenAPI, file: Path, tmp_path: Path) -> None:
    assert run(app, "export") == (1, "", "Error: no programme has been applied yet\n")
    run(app, "apply", file)
    code, out, _ = run(app, "export")
    assert code == 0
    copy = tmp_path / "copy.yaml"
    copy.write_text(out, encoding="utf-8")
    assert run(app, "apply", copy)[1] == "programme version 1, nothing to change\n"


def test_a_file_that_cannot_be_read_is_named(app: OpenAPI, tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert run(app, "check", missing) == (1, "", f"Error: {missing}: No such file or directory\n")
    assert run(app, "apply", tmp_path) == (1, "", f"Error: {tmp_path}: Is a directory\n")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    code, _, err = run(app, "check", tmp_path / "bytes.yaml")
    assert (code, err) == (1, f"{tmp_path / 'bytes.yaml'}:1:1: The file is not UTF-8 text: byte 0xff.\n")


def test_check_notes_what_a_channel_leaves_out(app: OpenAPI, tmp_path: Path) -> None:
    file = tmp_path / "programme.yaml"
    call = "follow_up: [{key: call, kind: consent}]"
    file.write_text(PROGRAMME.replace("follow_up: comment", call))
    code, out, _ = run(app, "check", file)
    assert (code, out.splitlines()[0]) == (
        0, "note: survey check_in_csat: A text message cannot ask 'call': the conversation leaves it out."
    )  # fmt: skip
