"""Where asks went: every event is in exactly one place, every invitation is counted once."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import Decision, Invitation, Message, Step, SurveyVersion
from surveyapp.queries import funnel
from surveyapp.queries.funnel import Funnel, FunnelFilters
from tests.builders import MOMENT, make_brand, make_invitation, make_response, make_step, make_survey

Database = scoped_session[Session]


@pytest.fixture
def step(session: Database) -> Step:
    make_brand()
    return make_step()


@pytest.fixture
def version(session: Database) -> SurveyVersion:
    return make_survey()


def invited(session: Database, version: SurveyVersion, step: Step, messages: int = 1, **message: Any) -> Invitation:
    invitation = make_invitation(version, step=step)
    for number in range(messages):
        values = {"sent_at": MOMENT, "delivered_at": None, "state": "sent", "kind": "reminder" if number else "first"}
        session.add(
            Message(
                uid=f"m-{invitation.id}-{number}",
                idem_key=f"{invitation.id}:{number}",
                decision_id=invitation.decision_id,
                invitation_id=invitation.id,
                customer_id=invitation.customer_id,
                trigger_id=invitation.trigger_id,
                survey_id=version.survey_id,
                channel="email",
                tier=2,
                priority=0,
                due_at=MOMENT,
                created_at=MOMENT,
                **(values | message),
            )
        )
    session.commit()
    return invitation


def refused(
    session: Database, version: SurveyVersion, step: Step, reason: str | None, outcome: str = "refused"
) -> None:
    invitation = make_invitation(version, step=step)
    decision = session.get_one(Decision, invitation.decision_id)
    session.delete(invitation)
    decision.outcome, decision.reason = outcome, reason
    session.commit()


def test_nobody_asked_gives_zeros_and_no_rate(session: Database) -> None:
    found = funnel.counts(session, FunnelFilters())
    assert found == Funnel()
    assert found.response_rate is None
    assert found.answers_per_delivered is None


def test_every_event_ends_in_one_place(session: Database, version: SurveyVersion, step: Step) -> None:
    for reason in ("no_consent", "expired", "gap", "gap", "cap", "sampled_out"):
        refused(session, version, step, reason)
    refused(session, version, step, None, "waiting")
    invited(session, version, step)
    found = funnel.counts(session, FunnelFilters())
    assert (found.events, found.waiting, found.eligible, found.sampled, found.allowed) == (8, 1, 5, 4, 1)
    assert found.refused == {"gap": 2, "no_consent": 1, "expired": 1, "cap": 1, "sampled_out": 1}


def test_an_invitation_counts_once_however_often_it_was_sent(
    session: Database, version: SurveyVersion, step: Step
) -> None:
    rated = invited(session, version, step, messages=2)
    make_response(version, 4, invitation_id=rated.id, comment="fine")
    invited(session, version, step, delivered_at=MOMENT)
    invited(session, version, step)
    unsure = invited(session, version, step)
    make_response(version, 2, invitation_id=unsure.id, status="provisional")
    robot = invited(session, version, step)
    make_response(version, 1, invitation_id=robot.id, status="suspected_bot")
    invited(session, version, step, sent_at=None, state="failed")
    session.commit()
    found = funnel.counts(session, FunnelFilters())
    assert (found.allowed, found.sent, found.delivered, found.clicked) == (6, 5, 3, 2)
    assert (found.rated, found.confirmed, found.commented) == (2, 1, 1)
    assert found.response_rate == pytest.approx(2 / 5)
    assert found.answers_per_delivered == pytest.approx(1 / 3)


def test_what_the_local_mailbox_keeps_has_arrived(session: Database, version: SurveyVersion, step: Step) -> None:
    invited(session, version, step, provider="mailbox")
    invited(session, version, step, provider="phone", sent_at=None, state="failed")
    invited(session, version, step, provider="sendgrid")
    found = funnel.counts(session, FunnelFilters())
    assert (found.sent, found.delivered, found.clicked) == (2, 1, 0)


@pytest.mark.parametrize(
    ("filters", "events"),
    [
        (FunnelFilters(survey="check_in_csat"), 1),
        (FunnelFilters(survey="other"), 0),
        (FunnelFilters(journey="flight", step="flight.check_in"), 1),
        (FunnelFilters(step="flight.boarding"), 0),
        (FunnelFilters(trigger="nobody"), 0),
    ],
)
def test_every_filter_narrows(
    session: Database, version: SurveyVersion, step: Step, filters: FunnelFilters, events: int
) -> None:
    invited(session, version, step)
    assert funnel.counts(session, filters).events == events


def test_a_day_is_the_local_day_of_each_event(session: Database, version: SurveyVersion, step: Step) -> None:
    late = datetime(2026, 11, 2, 23, 30, tzinfo=MOMENT.tzinfo)
    for zone in ("America/New_York", "Asia/Kolkata", None):
        invitation = make_invitation(version, step=step, timezone=zone)
        assert invitation.event is not None
        invitation.event.occurred_at = late
    session.commit()

    def on(day: date) -> int:
        return funnel.counts(session, FunnelFilters(first=day, last=day)).events

    assert on(date(2026, 11, 2)) == 1
    assert on(date(2026, 11, 3)) == 2
    assert funnel.counts(session, FunnelFilters(first=date(2026, 11, 2))).events == 3
    assert funnel.counts(session, FunnelFilters(last=date(2026, 11, 2) - timedelta(days=1))).events == 0


def test_invitations_and_their_confirmed_scores_are_told_apart_by_class(
    session: Database, version: SurveyVersion, step: Step
) -> None:
    for channel, kind, score, status in (
        ("email", "Eco", 5, "confirmed"),
        ("email", "Eco", 5, "confirmed"),
        ("email", "Eco", 1, "provisional"),
        ("email", True, 2, "suspected_bot"),
        ("sms", True, None, ""),
        ("sms", None, 4, "confirmed"),
    ):
        invitation = invited(session, version, step, messages=2)
        invitation.channel = channel
        assert invitation.event
        invitation.event.properties, invitation.event.attributes = {}, {"kind": "overruled"}
        if kind is not None:
            invitation.event.properties = {"kind": kind}
        if status:
            make_response(version, score, invitation_id=invitation.id, status=status)
    invited(session, version, step, sent_at=None)
    session.commit()
    found = funnel.invited_by(session, FunnelFilters(metric="csat5"), "kind")
    assert {(channel, value): (one.n, one.scores) for (channel, _, value), one in found.items()} == {
        ("email", "Eco"): (3, {5: 2}),
        ("email", "true"): (1, {}),
        ("sms", "true"): (1, {}),
        ("sms", "overruled"): (1, {4: 1}),
    }
    whole = funnel.invited_by(session, FunnelFilters(metric="csat5"), None)
    assert sorted((channel, one.n, one.scores) for (channel, _, _), one in whole.items()) == [
        ("email", 4, {5: 2}), ("sms", 2, {4: 1}),
    ]  # fmt: skip
    counted = funnel.counts(session, FunnelFilters(metric="csat5"))
    assert (counted.sent, counted.confirmed) == (6, 3)
