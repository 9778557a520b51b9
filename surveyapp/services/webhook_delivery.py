"""Sends what is due to endpoints, at least once: claim, call, record, each claim fenced by its lease's token.

No transaction is open while an endpoint is called. Who dies between the call and its record leaves a lease that runs
out, and the same message is sent again under the same id.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, delete, or_, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints, logs
from surveyapp.channels.webhook import Fate, Posted, Poster, Posting
from surveyapp.domain.webhooks import GIVE_UP_AFTER, GIVE_UP_FAILURES, LONGEST, DeliveryState, wait_after
from surveyapp.models import Customer, Webhook, WebhookDelivery
from surveyapp.services import audit, draining, vault
from surveyapp.services.transaction import transaction
from surveyapp.services.webhooks import ERASED, WebhookUnknown, instant, loopback_allowed

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
AT_ONCE = 8  # calls at the same time; every one ends within five seconds
MOST = 400  # messages in one pass
KEPT = timedelta(days=30)
BATCH = 1_000
BY_ITSELF = "webhooks"
ENDED = (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DEAD)


class NotReplayable(Exception):
    """It waits to be sent anyway, or nothing is left of it to send."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send now; without a posting its secret cannot be read."""

    id: int
    webhook_id: int
    token: int
    posting: Posting | None


def send_due(poster: Poster | None = None, most: int = MOST) -> dict[str, int]:
    """Send what is due (at most about `most` messages); how many met each fate.

    Begins nothing more once the process has been asked to stop.
    """
    done: dict[str, int] = {}
    seen = 0
    while seen < most and not draining.under_way():
        claimed, now = _claim(AT_ONCE)
        if not claimed:
            break
        poster = poster or Poster(loopback=loopback_allowed())
        fates = _call(claimed, poster, int(now.timestamp()))
        failpoints.reached("webhooks_called")
        for one, posted in zip(claimed, fates, strict=True):
            _record(one, posted)
            done[posted.fate] = done.get(posted.fate, 0) + 1
        seen += len(claimed)
    if done:
        log.info("webhooks_sent", **done)
    return done


def replay(uid: str, message: str) -> None:
    """Send a message that has ended once more, under its own id. Raises WebhookUnknown, NotReplayable."""
    with transaction() as session:
        own = select(Webhook.id).where(Webhook.uid == uid)
        row = session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.uid == message, WebhookDelivery.webhook_id.in_(own))
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise WebhookUnknown(message)
        if row.state not in ENDED or not row.payload:
            raise NotReplayable(message)
        row.state, row.failures, row.ended_at = DeliveryState.PLANNED, 0, None
        row.next_at = clock.database_now(session)
        audit.note(session, "webhook.replayed", uid, {"message": message})


def forget() -> int:
    """Delete messages of more than 30 days ago, sent or not, in batches; returns how many."""
    gone = 0
    while True:
        with transaction() as session:
            before = clock.database_now(session) - KEPT
            old = WebhookDelivery.at < before, WebhookDelivery.state != DeliveryState.SENDING
            ids = list(session.scalars(select(WebhookDelivery.id).where(*old).limit(BATCH)))
            session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids)))
        gone += len(ids)
        if len(ids) < BATCH:
            return gone


def _claim(limit: int) -> tuple[list[Claimed], datetime]:
    """Lease what is due, every endpoint its share, so that a slow one keeps nobody waiting."""
    claimed: list[Claimed] = []
    with transaction() as session:
        now = clock.database_now(session)
        endpoints = session.scalars(_ready(now)).all()
        share = max(1, limit // max(1, len(endpoints)))
        for endpoint in endpoints[:limit]:
            for row in _due_rows(session, endpoint.id, now, share):
                row.state, row.lease_token = DeliveryState.SENDING, row.lease_token + 1
                row.lease_until = now + timedelta(seconds=current_app.config["LEASE_SECONDS"])
                row.attempts, row.last_at = row.attempts + 1, now
                claimed.append(Claimed(row.id, endpoint.id, row.lease_token, _posting(endpoint, row, now)))
    failpoints.reached("webhooks_claimed")
    return claimed, now


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(WebhookDelivery.state == DeliveryState.PLANNED, WebhookDelivery.next_at <= now),
        and_(WebhookDelivery.state == DeliveryState.SENDING, WebhookDelivery.lease_until < now),
    )


def _ready(now: datetime) -> Select[Webhook]:
    """Endpoints with something due that may be called now, the longest waiting first."""
    due = select(WebhookDelivery.next_at).where(WebhookDelivery.webhook_id == Webhook.id, _is_due(now))
    return (
        select(Webhook)
        .where(Webhook.paused_at.is_(None), Webhook.disabled_at.is_(None), due.exists())
        .where(or_(Webhook.held_until.is_(None), Webhook.held_until <= now))
        .order_by(due.order_by(WebhookDelivery.next_at).limit(1).scalar_subquery(), Webhook.id)
    )


def _due_rows(session: AnySession, webhook_id: int, now: datetime, limit: int) -> Sequence[WebhookDelivery]:
    """Due messages of one endpoint, locked. Those about somebody erased meanwhile end here."""
    query = (
        select(WebhookDelivery, Customer.erased_at)
        .outerjoin(Customer, Customer.id == WebhookDelivery.customer_id)
        .where(WebhookDelivery.webhook_id == webhook_id, _is_due(now))
        .order_by(WebhookDelivery.next_at, WebhookDelivery.id)
        .limit(limit)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = []
    for row, erased_at in session.execute(query).all():
        if erased_at is None:
            rows.append(row)
            continue
        row.payload, row.customer_id = {}, None
        _end(row, DeliveryState.DEAD, now, ERASED)
    return rows


def _posting(endpoint: Webhook, row: WebhookDelivery, now: datetime) -> Posting | None:
    body = {"type": row.event, "timestamp": instant(row.at), "data": row.payload}
    sealed = [endpoint.secret_encrypted]
    if endpoint.former_secret_encrypted and endpoint.former_secret_until and endpoint.former_secret_until > now:
        sealed.append(endpoint.former_secret_encrypted)
    try:
        secrets = tuple(vault.unseal(one) for one in sealed)
    except vault.SecretUnreadable:
        return None
    return Posting(row.uid, endpoint.url, json.dumps(body, ensure_ascii=False).encode(), secrets)


def _call(claimed: Sequence[Claimed], poster: Poster, timestamp: int) -> list[Posted]:
    def call(one: Claimed) -> Posted:
        if one.posting is None:
            return Posted(Fate.LATER, error="not sent: the secret was kept under another SECRET_KEY; make a new one")
        return poster.post(one.posting, timestamp)

    if len(claimed) == 1:
        return [call(claimed[0])]
    with ThreadPoolExecutor(len(claimed)) as threads:
        return list(threads.map(call, claimed))


def _record(one: Claimed, posted: Posted) -> None:
    """Write down what became of the call, if the claim is still ours."""
    with transaction() as session:
        now = clock.database_now(session)
        owner = select(Webhook).where(Webhook.id == one.webhook_id).with_for_update(key_share=True)
        endpoint = session.scalars(owner).one_or_none()
        row = session.scalars(
            select(WebhookDelivery)
            .where(
                WebhookDelivery.id == one.id,
                WebhookDelivery.lease_token == one.token,
                WebhookDelivery.state == DeliveryState.SENDING,
            )
            .with_for_update()
        ).one_or_none()
        if endpoint is None or row is None:
            return
        row.last_status = posted.status
        if posted.fate is Fate.TAKEN:
            _end(row, DeliveryState.DELIVERED, now, None)
            endpoint.failures, endpoint.failing_since, endpoint.held_until = 0, None, None
            return
        _fail(endpoint, row, posted, now)
        _judge(session, endpoint, posted, now)


def _fail(endpoint: Webhook, row: WebhookDelivery, posted: Posted, now: datetime) -> None:
    endpoint.failures, endpoint.failing_since = endpoint.failures + 1, endpoint.failing_since or now
    if posted.fate is Fate.REFUSED and posted.status is None:
        log.error("webhook_blocked", webhook=endpoint.uid, why=posted.error)
    if posted.fate is not Fate.LATER:
        _end(row, DeliveryState.FAILED, now, posted.error)
        return
    row.failures += 1
    wait = wait_after(row.failures, row.uid)
    if posted.retry_after:
        asked = min(timedelta(seconds=posted.retry_after), LONGEST)
        endpoint.held_until = max(endpoint.held_until or now, now + asked)
        wait = wait and max(wait, asked)
    if wait is None:
        _end(row, DeliveryState.DEAD, now, posted.error)
        return
    row.state, row.lease_until, row.next_at = DeliveryState.PLANNED, None, now + wait
    row.last_error = posted.error


def _judge(session: AnySession, endpoint: Webhook, posted: Posted, now: datetime) -> None:
    """Disable an endpoint that says it is gone, or that has taken nothing for days."""
    reason = None
    if posted.fate is Fate.GONE:
        reason = "It answered 410: gone for good."
    elif endpoint.failures >= GIVE_UP_FAILURES and now - (endpoint.failing_since or now) >= GIVE_UP_AFTER:
        reason = f"It has taken nothing for {GIVE_UP_AFTER.days} days; last: {posted.error}"
    if reason is None or endpoint.disabled_at is not None:
        return
    endpoint.disabled_at, endpoint.disabled_reason = now, reason[:200]
    with audit.acting(BY_ITSELF):
        audit.note(session, "webhook.disabled", endpoint.uid, {"reason": endpoint.disabled_reason})
    log.error("webhook_disabled", webhook=endpoint.uid, failures=endpoint.failures)


def _end(row: WebhookDelivery, state: DeliveryState, now: datetime, error: str | None) -> None:
    row.state, row.lease_until, row.next_at, row.ended_at = state, None, None, now
    row.last_error = error
