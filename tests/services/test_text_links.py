"""The short link that the dispatcher gives to an ask by text message."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Invitation, LocalMessage
from tests import outreach

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - timedelta(days=1)):
        outreach.load()


def asked(**customer: object) -> tuple[Invitation, str]:
    """One ask that was sent: its invitation and its text."""
    with clock.at(NOON):
        outreach.happens("e-1", "c-1", "check_in", NOON, customer=customer)
    assert outreach.send(NOON).sent == 1
    return db.session.scalars(select(Invitation)).one(), db.session.scalars(select(LocalMessage.text)).one()


def test_an_ask_by_text_gets_a_short_link_of_its_own() -> None:
    invitation, text = asked(email=None, phone="+33612345678")
    assert invitation.channel == "sms"
    assert invitation.short_slug is not None
    assert re.fullmatch(r"[0-9A-Za-z]{10}", invitation.short_slug)
    assert f"/t/{invitation.short_slug} STOP to opt out" in text
    assert "/s/" not in text


def test_an_ask_by_email_needs_none() -> None:
    invitation, text = asked()
    assert (invitation.channel, invitation.short_slug) == ("email", None)
    assert "/t/" not in text
