"""The asks that count against contact keys, as the ledger has them. Read only."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, cast, func, select, true
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.facts import Ask
from surveyapp.domain.vocabulary import LedgerState
from surveyapp.models import LedgerEntry

AnySession = Session | scoped_session[Session]
ASK_COLUMNS = (
    LedgerEntry.id,
    LedgerEntry.message_id,
    LedgerEntry.import_id,
    LedgerEntry.subject_key,
    LedgerEntry.decision,
    LedgerEntry.channel,
    LedgerEntry.at,
    LedgerEntry.kind,
    LedgerEntry.tier,
    LedgerEntry.survey,
    LedgerEntry.survey_group,
    LedgerEntry.step,
    LedgerEntry.instance,
    LedgerEntry.answered_at,
)


def asks_of(session: AnySession, keys: Sequence[str], since: datetime, most: int) -> dict[str, list[Ask]]:
    """The asks of each key after `since`, newest first.

    On PostgreSQL each key reads its latest `most` rows from the index, whatever there is. A key that has so many is
    read whole: a rule with a clock of its own may count one that lies behind many others.
    """
    if session.get_bind().dialect.name != "postgresql":
        return _read(session, keys, since, None)
    found = _read(session, keys, since, most)
    crowded = [key for key, asks in found.items() if len(asks) == most]
    return found | _read(session, crowded, since, None) if crowded else found


def _read(session: AnySession, keys: Sequence[str], since: datetime, most: int | None) -> dict[str, list[Ask]]:
    entry = LedgerEntry
    counted = (entry.state != LedgerState.RELEASED, entry.at > since)
    if most is None:
        query = select(*ASK_COLUMNS).where(entry.subject_key.in_(keys), *counted)
        rows = session.execute(query.order_by(entry.at.desc()))
    else:
        key = func.unnest(cast(list(keys), ARRAY(Text))).table_valued("key").render_derived(name="wanted")
        latest = select(*ASK_COLUMNS).where(entry.subject_key == key.c.key, *counted)
        each = latest.order_by(entry.at.desc()).limit(most).lateral("latest")
        rows = session.execute(select(each).select_from(key.join(each, true())))
    found: dict[str, list[Ask]] = defaultdict(list)
    for row in rows:
        found[row.subject_key].append(ask_of(row, answered=row.answered_at is not None))
    return found


def ask_of(row: Any, *, answered: bool) -> Ask:
    """A row of ASK_COLUMNS (or a LedgerEntry) as the rules see it."""
    return Ask(
        key=f"m{row.message_id}" if row.message_id else f"i{row.import_id or row.id}",
        decision=row.decision or "",
        at=row.at,
        channel=row.channel,
        kind=row.kind,
        tier=row.tier,
        survey=row.survey,
        group=row.survey_group,
        step=row.step,
        instance=row.instance,
        answered=answered,
    )
