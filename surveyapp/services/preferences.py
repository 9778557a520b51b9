"""What a person says about being asked: on which channels, and whether they want a break. Knows no page or token."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete

from surveyapp import clock
from surveyapp.domain.identity import tombstone
from surveyapp.domain.vocabulary import Channel, Reason
from surveyapp.models import Customer, Suppression
from surveyapp.services import audit, webhooks
from surveyapp.services.customers import ALL, OPTED_OUT, lock_keys, opt_in, opt_out, pepper
from surveyapp.services.inserts import insert_new, insert_quietly
from surveyapp.services.transaction import transaction

SOURCE = "preferences"
BREAKS = (90, 180, 365)


def answer_kind(customer: Customer, kind: str, *, ask: bool) -> None:
    """Questions of this kind (`kind:NAME`) are asked from this commit on, or no more."""
    (opt_in if ask else opt_out)(customer, kind, source=SOURCE)


def save_preferences(customer: Customer, open_channels: Collection[str], break_days: int | None) -> None:
    """From this commit on the person is asked on these channels only, and not at all for `break_days` days.

    0 days end a break; None leaves it as it is. Refusals by providers stay. Safe to repeat. What waits is decided
    again when it is due.
    """
    with transaction() as session:
        keys = lock_keys(session, customer.id)
        now = clock.database_now(session)
        own = [Suppression.key.in_(keys), Suppression.reason == OPTED_OUT]
        opened = sorted(set(open_channels) & set(Channel))
        taken_back = delete(Suppression).where(*own, Suppression.channel.in_([*opened, ALL]))
        before = set(session.scalars(taken_back.returning(Suppression.channel)))
        closed = [channel for channel in Channel if channel not in opened]
        rows = [
            {"key": key, "channel": str(channel), "reason": OPTED_OUT, "source": SOURCE, "at": now}
            for key in keys
            for channel in closed
        ]
        new = insert_new(session, Suppression, rows, ["key", "channel", "reason"])
        if ALL not in before:
            webhooks.tell_opt_out(session, customer.id, {row.channel: SOURCE for row in new})
        if break_days is not None:
            session.execute(delete(Suppression).where(Suppression.key.in_(keys), Suppression.reason == Reason.PAUSED))
        if break_days:
            until = now + timedelta(days=break_days)
            rest = {"channel": ALL, "reason": str(Reason.PAUSED), "source": SOURCE, "at": now, "until": until}
            insert_quietly(session, Suppression, [{"key": key, **rest} for key in keys], ["key", "channel", "reason"])
        name = tombstone(customer.external_id or f"anonymous:{customer.id}", pepper())
        audit.note(session, "customer.preferences", name, {"channels": opened, "break_days": break_days})
