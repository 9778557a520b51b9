"""The stand-in providers as fixtures, each a process of its own, and the messages to hand over."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from surveyapp.channels.base import OutgoingMessage
from surveyapp.domain.vocabulary import Channel
from tests.providers import StandIn
from tests.reference import SPECIFICATIONS

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def _http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    stand_in = StandIn("http", tmp_path_factory.mktemp("providers"))
    yield stand_in
    stand_in.stop()


@pytest.fixture(scope="session")
def _smtp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    stand_in = StandIn("smtp", tmp_path_factory.mktemp("providers"))
    yield stand_in
    stand_in.stop()


@pytest.fixture
def providers(_http: StandIn) -> StandIn:
    """SendGrid and Twilio, as if just started."""
    _http.start_afresh()
    return _http


@pytest.fixture
def mail_server(_smtp: StandIn) -> StandIn:
    """A mail server, as if just started."""
    _smtp.start_afresh()
    return _smtp


def make_email(number: int, **changes: Any) -> OutgoingMessage:
    token = f"token{number:06d}"
    link = f"https://questions.example.org/s/{token}"
    values: dict[str, Any] = {
        "uid": f"m-{number}",
        "channel": Channel.EMAIL,
        "recipient": f"ada{number}@example.org",
        "sender": "Oddjob Airways <ask@example.org>",
        "subject": "One question about check-in",
        "text": f"How likely?\n10 – {link}?score=10\n",
        "html": f'<!DOCTYPE html><html><body><a href="{link}?score=10">10</a></body></html>',
        "headers": {
            "Message-ID": f"<m-{number}@example.org>",
            "List-Unsubscribe": f"<https://questions.example.org/u/{'long' * 20}{token}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        "merge": {"answer": token},
    }
    return OutgoingMessage(**(values | changes))


def make_text(number: int, **changes: Any) -> OutgoingMessage:
    values: dict[str, Any] = {
        "uid": f"m-{number}",
        "channel": Channel.SMS,
        "recipient": f"+336123{number:05d}",
        "sender": "Oddjob",
        "subject": None,
        "text": "How likely? Reply 0 to 10. STOP to opt out",
    }
    return OutgoingMessage(**(values | changes))


@pytest.fixture
def specification() -> Callable[[str, str], Any]:
    """`specification(file, pointer)`: a validator for what `pointer` names in a provider's specification, or a skip."""
    validator = pytest.importorskip("jsonschema_rs", reason="jsonschema-rs is not installed")

    def read(file: str, pointer: str) -> Any:
        path = SPECIFICATIONS / file
        if not path.exists():
            pytest.skip(f"{path} is not there: nothing to validate against")
        document = json.loads(path.read_text())
        schema = document
        for name in pointer.split("/")[1:]:
            schema = schema[name.replace("~1", "/")]
        return validator.validator_for({"components": document["components"], **schema})

    return read
