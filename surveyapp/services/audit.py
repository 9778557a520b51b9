"""Writes who changed or looked at what. Rows are only ever added; no secret or answer enters the detail."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.models import AuditEntry

actor: ContextVar[str] = ContextVar("audit_actor", default="system")


@contextmanager
def acting(name: str) -> Iterator[None]:
    """Within the body, `name` is who acts."""
    token = actor.set(name)
    try:
        yield
    finally:
        actor.reset(token)


def note(
    session: Session | scoped_session[Session], action: str, target: str, detail: dict[str, Any] | None = None
) -> None:
    """One audit row joins the caller's transaction, under the actor that the web or the command line has set.

    `action` is `subject.verb` (`key.created`), `target` names the thing by its public key.
    """
    entry = AuditEntry(at=clock.now(), actor=actor.get()[:254], action=action, object=target[:254], detail=detail or {})
    session.add(entry)
