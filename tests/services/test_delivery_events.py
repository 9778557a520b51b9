"""The memory of provider events; the rest of their promises is proved through the hooks (tests/web/webhooks)."""

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.channels.base import DeliveryEvent, DeliveryKind
from surveyapp.extensions import db
from surveyapp.models import HookEvent
from surveyapp.services.delivery_events import forget_events

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def event(kind: str, uid: str, number: int = 1) -> DeliveryEvent:
    return DeliveryEvent("sendgrid", f"sg-{number}", DeliveryKind(kind), uid=uid)


def test_events_that_no_provider_repeats_any_more_are_forgotten(app: Flask) -> None:
    for days in (0, 13, 15, 40):
        db.session.add(HookEvent(provider="sendgrid", event_id=f"e-{days}", at=NOON - timedelta(days=days)))
    db.session.commit()
    with clock.at(NOON):
        assert forget_events() == 2
    assert sorted(db.session.scalars(select(HookEvent.event_id))) == ["e-0", "e-13"]
