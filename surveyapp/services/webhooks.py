"""Endpoints of outgoing webhooks are made, changed and taken away; what happens is put into their queue.

`tell` joins the transaction of what happened, so that an endpoint hears of all that is true and of nothing else. Calls
nobody: that is for `services/webhook_delivery`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.identity import has_control
from surveyapp.domain.webhooks import (
    DESCRIPTION_LIMIT,
    TEST,
    AddressRefused,
    DeliveryState,
    Told,
    read_target,
    secret_of,
)
from surveyapp.models import Case, Customer, Webhook, WebhookDelivery
from surveyapp.queries.responses import told_response
from surveyapp.services import audit, vault
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
OVERLAP = timedelta(days=7)
MOST = 20
SECRET_BYTES = 32
ERASED = "the person was erased"
WAITING = (DeliveryState.PLANNED, DeliveryState.SENDING)


class WebhookUnknown(Exception):
    """There is no endpoint of this id."""


class WebhookRefused(Exception):
    """The settings do not fit; `problems` are sentences, each beginning with the field's name and a colon."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems[0].partition(": ")[2])
        self.problems = problems


class WebhookAsleep(Exception):
    """It is paused or disabled: nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is told to whom."""

    url: str
    events: list[str]
    description: str


def loopback_allowed() -> bool:
    """Whether endpoints may lie on this machine."""
    return bool(current_app.config["DEMO"] or current_app.config["WEBHOOKS_TO_LOOPBACK"])


def read_settings(given: Mapping[str, Any]) -> Settings:
    """An endpoint's settings. Raises WebhookRefused naming every field that does not fit."""
    problems: list[str] = []
    url, events, description = given.get("url"), given.get("events"), given.get("description") or ""
    if not isinstance(url, str) or not url.strip():
        problems.append("url: must be an address such as https://example.org/hook")
    elif why := _refusal(url.strip()):
        problems.append(f"url: {why}")
    chosen = [event for event in Told if isinstance(events, list) and event in events]
    if not isinstance(events, list) or not events or not all(isinstance(e, str) and e in set(Told) for e in events):
        problems.append(f"events: must be a list of one or more of {', '.join(Told)}")
    if not isinstance(description, str) or len(description) > DESCRIPTION_LIMIT or has_control(description):
        problems.append(f"description: must be one line of at most {DESCRIPTION_LIMIT} characters")
    if problems:
        raise WebhookRefused(problems)
    return Settings(str(url).strip(), [event.value for event in chosen], str(description).strip())


def _refusal(url: str) -> str | None:
    try:
        target = read_target(url, loopback=loopback_allowed())
    except AddressRefused as why:
        return str(why)
    if target.host == urlsplit(current_app.config["BASE_URL"]).hostname and not loopback_allowed():
        return "leads back here; name another system"
    return None


def create_webhook(given: Mapping[str, Any]) -> tuple[Webhook, str]:
    """A new endpoint, told from this commit on, and its secret. Raises WebhookRefused."""
    wanted = read_settings(given)
    secret = secret_of(secrets.token_bytes(SECRET_BYTES))
    with transaction() as session:
        if (session.scalar(select(func.count(Webhook.id))) or 0) >= MOST:
            raise WebhookRefused([f"url: there are {MOST} endpoints already; delete one first"])
        row = Webhook(
            uid="wh_" + secrets.token_hex(12),
            url=wanted.url,
            description=wanted.description,
            events=wanted.events,
            secret_encrypted=vault.seal(secret),
            created_at=clock.database_now(session),
        )
        session.add(row)
        audit.note(session, "webhook.created", row.uid, {"host": _host(row.url), "events": row.events})
    return row, secret


def change_webhook(uid: str, given: Mapping[str, Any]) -> Webhook:
    """The endpoint with what was given in the place of what was. Raises WebhookUnknown, WebhookRefused.

    What waits goes to the new address. The audit names hosts only: paths may hold a receiver's secrets.
    """
    with transaction() as session:
        row = _locked(session, uid)
        now = {"url": row.url, "events": row.events, "description": row.description}
        wanted = read_settings(now | dict(given))
        if wanted.url != row.url:
            row.failures, row.failing_since, row.held_until = 0, None, None
        row.url, row.events, row.description = wanted.url, wanted.events, wanted.description
        audit.note(session, "webhook.changed", uid, {"host": _host(row.url), "events": row.events})
    return row


def pause_webhook(uid: str) -> Webhook:
    """The endpoint, called no more; what happens is kept for it. Safe to repeat. Raises WebhookUnknown."""
    with transaction() as session:
        row = _locked(session, uid)
        if row.paused_at is None:
            row.paused_at = clock.database_now(session)
            audit.note(session, "webhook.paused", uid)
    return row


def resume_webhook(uid: str) -> Webhook:
    """The endpoint, called again, paused or disabled as it was; what waited is due. Raises WebhookUnknown."""
    with transaction() as session:
        row = _locked(session, uid)
        if row.paused_at is not None or row.disabled_at is not None:
            row.paused_at = row.disabled_at = row.disabled_reason = row.failing_since = row.held_until = None
            row.failures = 0
            audit.note(session, "webhook.resumed", uid)
    return row


def rotate_secret(uid: str) -> str:
    """A new secret; messages are signed by both for another seven days. Raises WebhookUnknown."""
    made = secret_of(secrets.token_bytes(SECRET_BYTES))
    with transaction() as session:
        row = _locked(session, uid)
        row.former_secret_encrypted, row.secret_encrypted = row.secret_encrypted, vault.seal(made)
        row.former_secret_until = clock.database_now(session) + OVERLAP
        audit.note(session, "webhook.secret_rotated", uid)
    return made


def end_former_secret(uid: str) -> None:
    """Nothing is signed by the secret before from now on, as when it was stolen. Raises WebhookUnknown."""
    with transaction() as session:
        row = _locked(session, uid)
        row.former_secret_encrypted = row.former_secret_until = None
        audit.note(session, "webhook.former_secret_ended", uid)


def show_secret(uid: str) -> str:
    """The secret; that it was looked at is noted. Raises WebhookUnknown, SecretUnreadable."""
    with transaction() as session:
        row = _locked(session, uid)
        secret = vault.unseal(row.secret_encrypted)
        audit.note(session, "webhook.secret_shown", uid)
    return secret


def delete_webhook(uid: str) -> None:
    """The endpoint and its deliveries are gone; a call under way is the last. Raises WebhookUnknown."""
    with transaction() as session:
        row = session.scalars(select(Webhook).where(Webhook.uid == uid).with_for_update()).one_or_none()
        if row is None:
            raise WebhookUnknown(uid)
        session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == row.id))
        audit.note(session, "webhook.deleted", uid, {"host": _host(row.url)})
        session.delete(row)


def send_test(uid: str) -> str:
    """The id of a message that tries the endpoint out. Raises WebhookUnknown, WebhookAsleep."""
    with transaction() as session:
        row = _locked(session, uid)
        if row.paused_at is not None or row.disabled_at is not None:
            raise WebhookAsleep(uid)
        data = {"webhook": uid, "text": "A test. Nothing has happened."}
        message = _message(row.id, TEST, data, None, clock.database_now(session))
        session.execute(insert(WebhookDelivery), [message])
        audit.note(session, "webhook.tested", uid)
    return str(message["uid"])


def tell_confirmed(session: AnySession, uid: str) -> None:
    """Tell of an answer that counts now, or that counts and was changed. Joins the caller's transaction."""
    if listening := _listening(session, Told.RESPONSE_CONFIRMED):
        session.flush()
        told = told_response(session, uid)
        _tell(session, listening, Told.RESPONSE_CONFIRMED, told.data, told.customer_id)


def tell_case(session: AnySession, uid: str) -> None:
    """Tell of a case that is open now. Joins the caller's transaction."""
    if listening := _listening(session, Told.CASE_OPENED):
        session.flush()
        case, customer = session.execute(
            select(Case, Customer.external_id).join(Customer, Customer.id == Case.customer_id).where(Case.uid == uid)
        ).one()
        data = {
            "id": case.uid,
            "customer": customer,
            "reason": case.reason,
            "step": case.step,
            "opened_at": instant(case.opened_at),
        }
        _tell(session, listening, Told.CASE_OPENED, data, case.customer_id)


def tell_opt_out(session: AnySession, customer_id: int, channels: Mapping[str, str]) -> None:
    """Tell that a person may be asked no more, by channel (`email`, `sms`, `web`, `all`, `kind:NAME`) and its source.

    Nothing is told of somebody without an external id: there is nobody the receiver could know. Joins the caller's
    transaction.
    """
    listening = _listening(session, Told.CUSTOMER_OPTED_OUT) if channels else []
    if not listening:
        return
    customer = session.scalar(select(Customer.external_id).where(Customer.id == customer_id))
    for channel, source in sorted(channels.items()) if customer is not None else ():
        data = {"customer": customer, "channel": channel, "source": source}
        _tell(session, listening, Told.CUSTOMER_OPTED_OUT, data, customer_id)


def erase(session: AnySession, customer_ids: list[int]) -> int:
    """Empty what was told or is to be told of these people, and send none of it any more; how many messages."""
    own = WebhookDelivery.customer_id.in_(customer_ids)
    waiting = own & WebhookDelivery.state.in_(WAITING)
    now = clock.database_now(session)
    quiet = {"synchronize_session": False}
    session.execute(
        update(WebhookDelivery)
        .where(waiting)
        .values(state=DeliveryState.DEAD, next_at=None, lease_until=None, ended_at=now, last_error=ERASED)
        .execution_options(**quiet)
    )
    emptied = session.execute(
        update(WebhookDelivery)
        .where(own)
        .values(payload={}, customer_id=None)
        .returning(WebhookDelivery.id)
        .execution_options(**quiet)
    )
    return len(emptied.all())


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def _listening(session: AnySession, event: Told) -> list[int]:
    """The endpoints that want to know, held so that none is deleted before the caller's commit."""
    query = select(Webhook.id, Webhook.events).where(Webhook.disabled_at.is_(None)).order_by(Webhook.id)
    rows = session.execute(query.with_for_update(read=True, key_share=True))
    return [row.id for row in rows if event in row.events]


def _tell(
    session: AnySession, listening: list[int], event: Told, data: dict[str, Any], customer_id: int | None
) -> None:
    now = clock.database_now(session)
    rows = [_message(one, event, data, customer_id, now) for one in listening]
    session.execute(insert(WebhookDelivery), rows)


def _message(
    webhook_id: int, event: str, data: dict[str, Any], customer_id: int | None, now: datetime
) -> dict[str, Any]:
    return {
        "uid": "msg_" + secrets.token_hex(16),
        "webhook_id": webhook_id,
        "customer_id": customer_id,
        "event": str(event),
        "at": now,
        "payload": data,
        "state": DeliveryState.PLANNED,
        "attempts": 0,
        "failures": 0,
        "lease_token": 0,
        "next_at": now,
    }


def _locked(session: AnySession, uid: str) -> Webhook:
    query = select(Webhook).where(Webhook.uid == uid).with_for_update(key_share=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise WebhookUnknown(uid)
    return row


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
