"""Small builders of rows for tests: `make_x(**overrides)` adds one row with plain defaults and flushes it."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from surveyapp.extensions import db
from surveyapp.models import (
    Brand,
    Customer,
    Decision,
    Event,
    Invitation,
    Journey,
    ReportingAttribute,
    Response,
    Step,
    Survey,
    SurveyVersion,
    Trigger,
)

MOMENT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def number_anew() -> None:
    """Names and ids begin at 1 again, so that a test meets the same ones whatever ran before it."""
    global _numbers
    _numbers = itertools.count(1)


def make_customer(**overrides: Any) -> Customer:
    number = next(_numbers)
    values: dict[str, Any] = {
        "external_id": f"c-{number}",
        "email": f"ada{number}@example.org",
        "consent": {},
        "attributes": {},
        "created_at": MOMENT,
    }
    customer = Customer(**(values | overrides))
    db.session.add(customer)
    db.session.commit()
    return customer


def make_survey(key: str = "check_in_csat", metric: str = "csat5", **definition: Any) -> SurveyVersion:
    """The next published version of the survey with that key, made if it is not there yet."""
    survey = db.session.scalar(select(Survey).where(Survey.key == key))
    if survey is None:
        survey = Survey(key=key, metric=metric)
        db.session.add(survey)
        db.session.flush()
    number = len(survey.versions) + 1
    version = SurveyVersion(
        survey=survey,
        number=number,
        definition={"metric": metric} | definition,
        digest=f"{key}-{number}",
        published_at=MOMENT,
    )
    db.session.add(version)
    db.session.commit()
    return version


def make_responses(version: SurveyVersion, histogram: Mapping[int, int], **overrides: Any) -> list[Response]:
    """So many answers of each score, stored together."""
    made = [make_response(version, score, flush=False, **overrides) for score, n in histogram.items() for _ in range(n)]
    db.session.flush()
    return made


def make_response(version: SurveyVersion, score: int | None, *, flush: bool = True, **overrides: Any) -> Response:
    """An answer to that version, not counted in any cell: tests of the cells count it themselves.

    Without `flush` it has no id yet, and many are stored together by the next query.
    """
    number = next(_numbers)
    values: dict[str, Any] = {
        "uid": f"r-{number}",
        "survey_id": version.survey_id,
        "survey_version_id": version.id,
        "metric": version.survey.metric,
        "score": score,
        "status": "confirmed",
        "channel": "email",
        "language": "en",
        "journey": "flight",
        "step": "flight.check_in",
        "phase": "before",
        "event_at": MOMENT,
        "reporting_day": MOMENT.date(),
        "answered_at": MOMENT,
        "updated_at": MOMENT,
        "context": {},
        "answers": {},
        "source": "test",
    }
    response = Response(**(values | overrides))
    db.session.add(response)
    if flush:
        db.session.flush()
    return response


def make_reporting_attribute(name: str, slot: int) -> ReportingAttribute:
    attribute = ReportingAttribute(name=name, slot=slot)
    db.session.add(attribute)
    db.session.commit()
    return attribute


def make_brand(**overrides: Any) -> Brand:
    values: dict[str, Any] = {
        "id": 1,
        "name": "Oddjob Airways",
        "language": "en",
        "languages": ["en", "fr"],
        "timezone": "Europe/Paris",
    }
    brand = Brand(**(values | overrides))
    db.session.add(brand)
    db.session.commit()
    return brand


def make_step(key: str = "check_in", **overrides: Any) -> Step:
    """A step of the journey `flight`, which is made if it is not there yet."""
    journey = db.session.scalar(select(Journey).where(Journey.key == "flight"))
    values: dict[str, Any] = {"name": {"en": "Check-in"}, "phase": "before", "event": "Checked In"}
    journey = journey or Journey(key="flight", name={"en": "Flight", "fr": "Vol"})
    step = Step(journey=journey, key=key, **(values | overrides))
    db.session.add(step)
    db.session.commit()
    return step


def make_invitation(
    version: SurveyVersion, customer: Customer | None = None, step: Step | None = None, **overrides: Any
) -> Invitation:
    """An ask by e-mail, with its event, trigger and decision where a step is given."""
    number = next(_numbers)
    customer = customer or make_customer()
    if step is not None:
        trigger = Trigger(key=f"after_{number}", step=step, survey=version.survey, channels=["email"], definition={})
        event = Event(
            event_id=f"e-{number}",
            customer_id=customer.id,
            step_id=step.id,
            instance="AF123",
            occurred_at=MOMENT,
            received_at=MOMENT,
            properties=overrides.pop("properties", {}),
            timezone=overrides.pop("timezone", None),
            source="test",
        )
        db.session.add_all([trigger, event])
        db.session.flush()
        decision = Decision(
            uid=f"d-{number}",
            event_id=event.id,
            trigger_id=trigger.id,
            customer_id=customer.id,
            survey_id=version.survey_id,
            outcome="asked",
            at=MOMENT,
        )
        db.session.add(decision)
        overrides = {"trigger": trigger, "event": event, "decision": decision} | overrides
    values: dict[str, Any] = {
        "uid": f"invitation-{number:04d}",
        "customer_id": customer.id,
        "survey_version_id": version.id,
        "channel": "email",
        "language": "en",
        "created_at": MOMENT,
    }
    invitation = Invitation(**(values | overrides))
    db.session.add(invitation)
    db.session.commit()
    return invitation
