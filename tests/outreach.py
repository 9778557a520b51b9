"""A small programme and its events, for tests of deciding and sending."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.events import EventIn, read_event
from surveyapp.extensions import db
from surveyapp.models import Decision, Event, Trigger
from surveyapp.services.delivery import Tally, send_due
from surveyapp.services.journeys import IntakeResult, record_events
from surveyapp.services.programme import apply_programme
from surveyapp.services.senders import configured

PROGRAMME = """
programme: 1
brand: {name: Oddjob, language: en, languages: [en, fr], timezone: Europe/Paris}
journeys:
  - key: flight
    name: {en: Flight}
    steps:
      - {key: check_in, name: {en: Check-in}, event: "Checked In", tier: 2}
      - {key: boarding, name: {en: Boarding}, event: "Boarded", tier: 2}
      - {key: baggage, name: {en: Baggage}, event: "Bag Delivered", tier: 1, moment_of_truth: true}
surveys:
  - {key: check_in_csat, metric: csat5, about: {en: check-in}, follow_up: comment}
  - {key: boarding_csat, metric: csat5, about: {en: boarding}, follow_up: comment}
  - {key: baggage_csat, metric: csat5, about: {en: baggage}, follow_up: comment}
triggers:
  - {key: after_check_in, step: flight.check_in, survey: check_in_csat, channels: [email, sms], expires: 7d}
  - {key: after_boarding, step: flight.boarding, survey: boarding_csat, channels: [email, sms], expires: 7d}
  - {key: after_baggage, step: flight.baggage, survey: baggage_csat, channels: [email, sms], expires: 7d}
"""
RELATIONSHIP = """
  - {key: relationship, every: 90d, survey: relational_nps, channels: [email], reserve: 14d, expires: 7d}
"""
SURVEYED = "triggers:\n"
POLICY = "policy:\n  gap: {1: 7d, 2: 30d, 3: 30d}\n"


def load(policy: str = POLICY, programme: str = PROGRAMME) -> None:
    """Apply the small programme with this policy."""
    apply_programme(programme + policy, actor="test")


def with_relationship(extra: str = RELATIONSHIP) -> str:
    """The small programme with a recurring relationship survey that reserves its slot."""
    survey = "  - {key: relational_nps, metric: nps, about: {en: us}}\n"
    return PROGRAMME.replace(SURVEYED, survey + SURVEYED) + extra.lstrip("\n")


def outcomes() -> dict[str, tuple[str, str | None]]:
    """Outcome and reason of every decision, by the event's id and the trigger's key."""
    query = (
        select(Event.event_id, Trigger.key, Decision.outcome, Decision.reason)
        .join(Event, Event.id == Decision.event_id)
        .join(Trigger, Trigger.id == Decision.trigger_id)
    )
    rows = db.session.execute(query).all()
    return {event if not event.startswith("every:") else trigger: (o, r) for event, trigger, o, r in rows}


def verdict_of(event: str, rule: str) -> dict[str, Any]:
    """The refusing verdict of a rule about an event."""
    query = select(Decision.verdicts).join(Event).where(Event.event_id == event)
    [verdicts] = db.session.scalars(query)
    assert verdicts is not None
    found: dict[str, Any] = next(v for v in verdicts if v["rule"] == rule and not v["allowed"])
    return found


def happens(number: str, person: str, step: str, at: datetime, **overrides: Any) -> IntakeResult:
    """Record one event of `person` at `flight.step`."""
    return record_events([event(number, person, step, at, **overrides)], source="api")


def event(number: str, person: str, step: str, at: datetime, **overrides: Any) -> EventIn:
    known = {"external_id": person, "email": f"{person}@example.org", **overrides.pop("customer", {})}
    value = {
        "id": number,
        "customer": {k: v for k, v in known.items() if v is not None},
        "journey": "flight",
        "step": step,
        "instance": f"trip-{number}",
        "occurred_at": at.isoformat(),
        **overrides,
    }
    read = read_event(value, max(at, clock.now()))
    assert isinstance(read, EventIn), read
    return read


def send(at: datetime | None = None) -> Tally:
    """One dispatch pass, at `at` where one is given."""
    if at is None:
        return send_due(configured())
    with clock.at(at):
        return send_due(configured())
