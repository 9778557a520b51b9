"""Notes on this machine's disk what left last, so that a database restored from a backup is found out and held.

A backup knows nothing of what left after it was made: its messages of that time are still planned, and would leave
again. Decides nothing else; an operator ends the hold.
"""

import json
import os
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from surveyapp import logs
from surveyapp.extensions import db
from surveyapp.models import Message
from surveyapp.services import audit, outcome_journal, switches

log = logs.get(__name__)
HOLDER = "the check after a restore"
CHECKED, FIRST = "surveyapp_handed_over_checked", "surveyapp_first_message"


def note(uid: str, token: int) -> None:
    """This claim of this message is about to leave. A disk that is full stops nothing: then a restore goes unseen."""
    first = current_app.extensions.get(FIRST)
    if first is None:
        first = current_app.extensions[FIRST] = db.session.scalar(select(Message.uid).order_by(Message.id).limit(1))
        db.session.rollback()
    path = _path()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"first": first, "last": uid, "token": token}), encoding="utf-8")
        part.replace(path)
    except OSError as problem:
        log.warning("hand_over_not_noted", error=type(problem).__name__)


def check() -> None:
    """Once in a process: hold all sending where this database is older than what left from this machine."""
    if current_app.extensions.setdefault(CHECKED, False):
        return
    current_app.extensions[CHECKED] = True
    path = _path()
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        uids, token = (str(noted["first"]), str(noted["last"])), int(noted["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # nothing left from here yet
    known = db.session.execute(select(Message.uid, Message.lease_token).where(Message.uid.in_(uids)))
    tokens: dict[str, int] = {row.uid: row.lease_token for row in known}
    db.session.rollback()
    if uids[0] not in tokens or tokens.get(uids[1], -1) >= token:
        return  # another database altogether, or one that knows
    actor = audit.actor.set(HOLDER)
    try:
        switches.hold_sending(span=switches.UNTIL_RESUMED)
    finally:
        audit.actor.reset(actor)
    path.unlink(missing_ok=True)
    log.error("database_older_than_what_left", hold="flask send --resume")


def _path() -> Path:
    return outcome_journal.folder() / "handed-over"
