"""Fills a fresh installation with invented data, replays the passenger file, and lets a newcomer try one ask."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import contains_eager, joinedload

from surveyapp import clock
from surveyapp.domain import triggers
from surveyapp.domain.events import CustomerIn, EventIn
from surveyapp.domain.sampling import coin, period_number, sticky_message
from surveyapp.domain.vocabulary import MessageState
from surveyapp.extensions import db
from surveyapp.models import Brand, Customer, Journey, Message, Response, Step
from surveyapp.queries import catalog
from surveyapp.queries import triggers as trigger_queries
from surveyapp.services import passengers, surroundings
from surveyapp.services.generated import SOURCE, Inventor, Stage
from surveyapp.services.journeys import record_events
from surveyapp.services.passengers import Passenger
from surveyapp.services.programme import apply_programme
from surveyapp.services.replay import Asked, Replayed, Reply, replay
from surveyapp.services.transaction import transaction

DAYTIME = ("Europe/Paris", "Asia/Tokyo", "Asia/Kolkata", "America/New_York", "America/Los_Angeles", "Pacific/Auckland")
SLICE = timedelta(hours=6)
COARSE = timedelta(hours=12)


class NotEmpty(Exception):
    """There are customers already; invented ones are never mixed with them."""


@dataclass(frozen=True, slots=True)
class StepCount:
    """Collected answers of one step beside the same passengers' ratings in the file: favourable and all."""

    step: str
    collected: tuple[int, int]
    recounted: tuple[int, int]


def load(progress: Callable[[Replayed], None], people: int = 500, days: int = 56) -> Replayed:
    """Apply the demo programme and play some hundred invented customers through it. Raises NotEmpty."""
    if db.session.scalars(select(Customer.id).limit(1)).first() is not None:
        raise NotEmpty
    now = clock.now()
    with clock.at(now - timedelta(days=days + 30)):
        apply_programme(catalog.demo_file(), actor="demo")
    inventor = Inventor(_stages(), now, people=people, days=days)
    done = replay(
        inventor.events(), inventor.answer, source=SOURCE, step=COARSE, until=now, progress=progress, recurring=True
    )
    surroundings.invent(now, days)
    return done


def _stages() -> list[Stage]:
    query = select(Step).where(Step.archived_at.is_(None)).options(joinedload(Step.journey))
    steps = db.session.scalars(query.order_by(Step.journey_id, Step.position)).unique().all()
    found = [Stage(step.journey.key, step.key, step.sensitive_seconds is not None) for step in steps]
    db.session.rollback()
    return found


def replay_passengers(
    people: list[Passenger], progress: Callable[[Replayed], None]
) -> tuple[Replayed, list[StepCount]]:
    """Play the passengers' flights; whoever is asked answers with the rating in the file, 0 being no answer.

    Also counts, per step, what was collected beside a recount of the same passengers' ratings.
    """
    if db.session.scalars(select(Journey.id).where(Journey.key == passengers.JOURNEY)).first() is None:
        db.session.rollback()
        with clock.at(clock.now() - timedelta(days=200)):
            apply_programme(catalog.journey_file("flight"), actor="replay")
    by_id = {p.external_id: p for p in people}

    def answer(asked: Asked) -> Reply | None:
        passenger, key = by_id.get(asked.customer), (asked.step or "").partition(".")[2]
        rating = passenger.ratings.get(key, 0) if passenger else 0
        return Reply(rating) if rating else None

    events = passengers.events_of(people, clock.now())
    until = events[-1].occurred_at + timedelta(days=10) if events else clock.now()
    done = replay(events, answer, source="replay", step=SLICE, until=until, progress=progress)
    return done, _counts(by_id)


def _counts(by_id: Mapping[str, Passenger]) -> list[StepCount]:
    """Stored answers of passengers by step, beside what the file says of the same passengers and steps."""
    query = (
        select(Response.step, Response.score, Customer.external_id)
        .join(Customer, Customer.id == Response.customer_id)
        .where(Customer.external_id.like("passenger-%"), Response.step.like(f"{passengers.JOURNEY}.%"))
    )
    stored: dict[str, list[tuple[int, int]]] = {}
    for step, score, customer in db.session.execute(query):
        passenger = by_id.get(customer or "")
        if passenger is not None and step is not None and score is not None:
            stored.setdefault(step, []).append((score, passenger.ratings.get(step.partition(".")[2], 0)))
    db.session.rollback()
    return [
        StepCount(
            step, _favourable([score for score, _ in pairs]), _favourable([rating for _, rating in pairs if rating])
        )
        for step, pairs in sorted(stored.items())
    ]


def read_passengers(path: Path, limit: int | None) -> list[Passenger]:
    """The passengers of the file. Raises PassengerFileUnreadable."""
    return passengers.read_passengers(path, limit)


def _favourable(scores: list[int]) -> tuple[int, int]:
    return sum(1 for score in scores if score >= 4), len(scores)


def daytime_zone(now: datetime) -> str:
    """A zone in which it is daytime at `now`, so that quiet hours do not keep a newcomer waiting."""
    return min(DAYTIME, key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - 13))


@dataclass(frozen=True, slots=True)
class StepToTry:
    """A step that some trigger asks about, as a newcomer may choose it."""

    path: str
    journey: str
    name: str


def steps_to_try() -> list[StepToTry]:
    """The steps that have a trigger, in the order of their journeys."""
    listened = {trigger.step_id for trigger in trigger_queries.active(db.session)}
    query = select(Step).join(Step.journey).where(Step.id.in_(listened)).options(contains_eager(Step.journey))
    steps = db.session.scalars(query.order_by(Journey.position, Step.position)).all()
    brand = db.session.get(Brand, 1)
    language = brand.language if brand else "en"
    return [StepToTry(s.path, s.journey.name.get(language, s.journey.key), s.name.get(language, s.key)) for s in steps]


def address_of(customer: str) -> str:
    """The e-mail address of an invented customer."""
    return f"{customer}@customers.example"


def try_step(path: str, language: str | None = None) -> str:
    """Let a new invented customer reach the step `journey.step` now; the customer's external id.

    The event lies far enough back for its trigger's delay to be over. An id that the sampling coin draws is chosen,
    so that a newcomer sees an ask and not a refusal by chance.
    """
    journey, _, step = path.partition(".")
    now = clock.now()
    rules = [trigger.rule for trigger in trigger_queries.active(db.session) if trigger.rule.step == path]
    db.session.rollback()
    happened = now - max((_wait(rule) for rule in rules), default=timedelta(0))
    key = current_app.config["CONTACT_PEPPER"]
    number = secrets.token_hex(3)
    for attempt in range(500):
        external_id = f"try-{number}-{attempt}"
        draws = (coin(key, sticky_message(external_id, r.survey, period_number(happened, r.per))) for r in rules)
        if all(draw < rule.sample for draw, rule in zip(draws, rules, strict=True)):
            break
    customer = CustomerIn(
        external_id=external_id,
        email=address_of(external_id),
        language=language,
        timezone=daytime_zone(now),
        attributes={"generated": True},
        given=frozenset({"email", "language", "timezone", "attributes"}),
    )
    event = EventIn(
        id=f"try:{external_id}:{step}",
        customer=customer,
        occurred_at=happened,
        journey=journey,
        step=step,
        instance=external_id,
        properties={"generated": True},
    )
    record_events([event], source="try")
    return external_id


def date_back(customer: str, to: datetime) -> None:
    """Date what was sent to this invented customer back to `to`, whichever process sent it.

    The scheduler beside us may have been first; what it has in hand is waited for, at most three seconds.
    """
    theirs = select(Customer.id).where(Customer.external_id == customer).scalar_subquery()
    mine = Message.customer_id == theirs
    in_hand = or_(
        Message.state == MessageState.SENDING, and_(Message.state == MessageState.PLANNED, Message.due_at <= to)
    )
    for _ in range(30):
        busy = db.session.scalar(select(exists().where(mine, in_hand)))
        db.session.rollback()
        if not busy:
            break
        time.sleep(0.1)
    with transaction() as session:
        session.execute(update(Message).where(mine, Message.sent_at > to).values(sent_at=to))


def _wait(rule: triggers.Trigger) -> timedelta:
    """How long after its event an ask of this trigger is due by e-mail or text."""
    return rule.delay + (rule.web_for if rule.channels[0] == "web" else timedelta(0))
