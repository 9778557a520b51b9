"""`flask send`: a pass, and a hold over everything."""

import contextvars
import shutil
from pathlib import Path

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import make_url, select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, ChannelState
from surveyapp.services import handed_over, outcome_journal
from tests import outreach
from tests.conftest import MakeApp


def said(app: OpenAPI, *arguments: str) -> str:
    done = app.test_cli_runner().invoke(args=["send", *arguments])
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_nothing_leaves_between_hold_and_resume(app: OpenAPI) -> None:
    outreach.load()
    outreach.happens("e-1", "c-1", "check_in", clock.now())
    assert said(app, "--hold") == "Nothing leaves until: flask send --resume"
    assert said(app, "--once") == "claimed=0 sent=0 refused=0 postponed=0 failed=0 unknown=0"
    assert said(app, "--resume") == "What is due leaves again."
    assert said(app, "--once") == "claimed=1 sent=1 refused=0 postponed=0 failed=0 unknown=0"


def test_it_says_what_it_needs(app: OpenAPI) -> None:
    done = app.test_cli_runner().invoke(args=["send"])
    assert (done.exit_code, "one of --once, --hold and --resume is needed" in done.output) == (2, True)


@pytest.mark.database("sqlite")
def test_h72_after_a_restore_nothing_leaves_again_until_an_operator_says_so(
    app: OpenAPI, database_url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    file = make_url(database_url).database
    assert file is not None
    outreach.load()
    for person in range(3):
        outreach.happens(f"e-{person}", f"c-{person}", "check_in", clock.now())
    close()
    shutil.copyfile(file, tmp_path / "backup")
    assert said(app, "--once") == "claimed=3 sent=3 refused=0 postponed=0 failed=0 unknown=0"
    assert said_anew(make_app(database_url), "--once").startswith("claimed=0 ")  # started again, and nothing restored
    close()
    for ending in ("-wal", "-shm"):
        Path(file + ending).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "backup", file)
    for restarted in (make_app(database_url), make_app(database_url)):
        assert said_anew(restarted, "--once") == "claimed=0 sent=0 refused=0 postponed=0 failed=0 unknown=0"
    state = db.session.scalars(select(ChannelState)).one()
    assert (state.channel, state.reason) == ("all", "held by the check after a restore")
    assert db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)).all() == [
        "sending.held"
    ]
    db.session.rollback()
    assert said(app, "--resume") == "What is due leaves again."
    assert said_anew(make_app(database_url), "--once") == "claimed=3 sent=3 refused=0 postponed=0 failed=0 unknown=0"
    assert said_anew(make_app(database_url), "--once").startswith("claimed=0 ")


def said_anew(app: OpenAPI, *arguments: str) -> str:
    """As another process says it."""

    def process() -> str:
        with app.app_context():
            try:
                return said(app, *arguments)
            finally:
                close()

    return contextvars.Context().run(process)


def close() -> None:
    db.session.remove()
    db.engine.dispose()


def test_h72_a_new_database_on_the_machine_of_an_old_one_is_not_held(app: OpenAPI) -> None:
    outreach.load()
    place = outcome_journal.folder()
    (place / "handed-over").write_text('{"first": "elsewhere", "last": "gone", "token": 1}')
    outreach.happens("e-1", "c-1", "check_in", clock.now())
    assert said(app, "--once").startswith("claimed=1 sent=1 ")
    app.extensions.pop(handed_over.CHECKED)
    (place / "handed-over").write_text("[")
    outreach.happens("e-2", "c-2", "check_in", clock.now())
    assert said(app, "--once").startswith("claimed=1 sent=1 ")
