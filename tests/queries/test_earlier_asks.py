"""Earlier asks: a rule with a clock of its own finds what lies behind many others."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.queries.contact_history import LATEST
from surveyapp.services.contacts import ContactIn, import_contacts
from tests import outreach

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = "policy:\n  rules: [{kind: cap, max: 1, per: 365d, survey: check_in_csat, clock: own}]\n"


@pytest.mark.parametrize("others", [LATEST - 2, LATEST + 5])
def test_an_own_limit_counts_an_ask_behind_many_of_other_surveys(app: Flask, others: int) -> None:
    with clock.at(NOON - 300 * DAY):
        outreach.load(POLICY)
        outreach.happens("first", "c-1", "check_in", NOON - 300 * DAY)
        outreach.send()
    with clock.at(NOON):
        import_contacts([ContactIn("c-1", "email", NOON - (n % 200) * DAY - DAY) for n in range(others)])
        db.session.commit()
        outreach.happens("again", "c-1", "check_in", NOON)
        outreach.send()
    assert outreach.outcomes() == {"first": ("asked", None), "again": ("refused", "cap")}
