"""`flask send`: a pass, and a hold over everything."""

from flask_openapi3 import OpenAPI

from surveyapp import clock
from tests import outreach


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
