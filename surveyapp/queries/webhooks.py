"""Endpoints of webhooks as a console or a program sees them, and what each was told. Read only; no secret leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.webhooks import DeliveryState
from surveyapp.models import Webhook, WebhookDelivery

AnySession = Session | scoped_session[Session]
UNDONE = (DeliveryState.PLANNED, DeliveryState.SENDING)
LOST = (DeliveryState.FAILED, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """An endpoint; `waiting`, `delivered` and `lost` count its messages of the last thirty days."""

    uid: str
    url: str
    description: str
    events: tuple[str, ...]
    created_at: datetime
    former_secret_until: datetime | None
    paused_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    held_until: datetime | None
    failing_since: datetime | None
    failures: int
    waiting: int
    delivered: int
    lost: int

    @property
    def state(self) -> str:
        """`active`, `paused` or `disabled`."""
        return "disabled" if self.disabled_at else "paused" if self.paused_at else "active"


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One message and how its sending stands. `data` is empty once its person was erased."""

    row: int
    uid: str
    event: str
    at: datetime
    state: str
    attempts: int
    next_at: datetime | None
    last_at: datetime | None
    last_status: int | None
    last_error: str | None
    ended_at: datetime | None
    data: dict[str, Any]

    @property
    def replayable(self) -> bool:
        return self.state not in UNDONE and bool(self.data)


def endpoints(session: AnySession, uid: str | None = None) -> list[EndpointLine]:
    """Every endpoint, the oldest first; with a `uid` that one, if it is there."""
    waiting, delivered, lost = (
        func.count(WebhookDelivery.id).filter(WebhookDelivery.state.in_(states))
        for states in (UNDONE, (DeliveryState.DELIVERED,), LOST)
    )
    query = (
        select(Webhook, waiting, delivered, lost)
        .outerjoin(WebhookDelivery, WebhookDelivery.webhook_id == Webhook.id)
        .group_by(Webhook.id)
        .order_by(Webhook.id)
    )
    if uid is not None:
        query = query.where(Webhook.uid == uid)
    return [_endpoint(*row) for row in session.execute(query)]


def _endpoint(row: Webhook, waiting: int, delivered: int, lost: int) -> EndpointLine:
    return EndpointLine(
        row.uid, row.url, row.description, tuple(row.events), row.created_at, row.former_secret_until, row.paused_at,
        row.disabled_at, row.disabled_reason, row.held_until, row.failing_since, row.failures, waiting, delivered, lost,
    )  # fmt: skip


def deliveries(
    session: AnySession, uid: str, state: str | None, event: str | None, before: int | None, limit: int
) -> Sequence[DeliveryLine]:
    """The messages of one endpoint, newest first, of rows before `before`; at most `limit`."""
    wanted = [Webhook.uid == uid]
    if state is not None:
        wanted.append(WebhookDelivery.state == state)
    if event is not None:
        wanted.append(WebhookDelivery.event == event)
    if before is not None:
        wanted.append(WebhookDelivery.id < before)
    query = (
        select(WebhookDelivery)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(and_(*wanted))
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
    )
    return [
        DeliveryLine(
            row.id, row.uid, row.event, row.at, row.state, row.attempts, row.next_at, row.last_at, row.last_status,
            row.last_error, row.ended_at, row.payload,
        )
        for row in session.scalars(query)
    ]  # fmt: skip


def disabled(session: AnySession) -> list[tuple[str, str | None]]:
    """The endpoints that were disabled because they take nothing: description or id, and why."""
    query = select(Webhook.description, Webhook.uid, Webhook.disabled_reason).where(Webhook.disabled_at.is_not(None))
    return [(row.description or row.uid, row.disabled_reason) for row in session.execute(query.order_by(Webhook.id))]
