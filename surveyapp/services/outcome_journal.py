"""Keeps the outcomes of a call on this machine's disk while the database is away, and writes them down afterwards.

Without it a message that was accepted would become `unknown`. Reading an entry twice changes nothing: an outcome is
only taken by the very claim it belongs to.
"""

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from surveyapp import clock, logs
from surveyapp.channels.base import Receipt, ReceiptKind
from surveyapp.domain.vocabulary import MessageState
from surveyapp.models import Message
from surveyapp.queries import contact_history
from surveyapp.services.outcomes import Tally, apply_receipt, set_ledger
from surveyapp.services.transaction import transaction

log = logs.get(__name__)
AWAY = (OperationalError, InterfaceError, PoolTimeout)
FORGOTTEN_AFTER = timedelta(days=7)  # what belongs to another database, or to messages long gone
Entry = tuple[Receipt, int]


def keep(entries: Sequence[Entry]) -> None:
    """The receipts, each with the lease token of its claim, lie on the disk when this returns."""
    if not entries:
        return
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    rows = [asdict(receipt) | {"kind": str(receipt.kind), "token": token} for receipt, token in entries]
    name = f"{uuid.uuid4().hex}.json"
    with (place / f"{name}.part").open("w", encoding="utf-8") as file:
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    (place / f"{name}.part").replace(place / name)
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replay() -> int:
    """Write what was kept into the database; answers how many outcomes found their message."""
    settled = 0
    for path in sorted(folder().glob("*.json")):
        try:
            entries, kept_at = _read(path), path.stat().st_mtime
        except FileNotFoundError:
            continue  # another process of this machine was faster
        found = _settle(entries)
        settled += found
        old = clock.now().timestamp() - kept_at > FORGOTTEN_AFTER.total_seconds()
        if found == len(entries) or old:
            path.unlink(missing_ok=True)
    if settled:
        log.warning("outcomes_replayed", messages=settled)
    return settled


def _settle(entries: Sequence[Entry]) -> int:
    """How many of these messages are ours. One that somebody else has settled, or claimed since, stays as it is."""
    tokens = {receipt.uid: (receipt, token) for receipt, token in entries}
    with transaction() as session:
        now = clock.database_now(session)
        query = (
            select(Message)
            .where(Message.uid.in_(tokens))
            .order_by(Message.id)
            .with_for_update(of=Message)
            .options(*contact_history.loaded())
            .execution_options(populate_existing=True)
        )
        messages = session.scalars(query).unique().all()
        for message in messages:
            receipt, token = tokens[message.uid]
            held = message.state == MessageState.SENDING and message.lease_token == token
            reaped = message.state in (MessageState.UNKNOWN, MessageState.UNKNOWN_FINAL)
            if held or (reaped and message.lease_token == token + 1):
                state = apply_receipt(session, message, receipt, now, Tally())
                set_ledger(session, message.id, token, state)
    return len(messages)


def _read(path: Path) -> list[Entry]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    entries = []
    for row in rows:
        token = int(row.pop("token"))
        entries.append((Receipt(**(row | {"kind": ReceiptKind(row["kind"])})), token))
    return entries


def folder() -> Path:
    """Where this machine keeps what its database may not know."""
    return Path(current_app.config["OUTCOME_JOURNAL"] or Path(current_app.instance_path) / "outcomes")
