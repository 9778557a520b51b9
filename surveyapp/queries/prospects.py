"""May we ask this customer now? The facts of an event that has not happened, for explaining. Read only."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, scoped_session

from surveyapp import clock
from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import Decision as Ruling
from surveyapp.domain.facts import Facts
from surveyapp.domain.policy import Policy
from surveyapp.domain.prospects import happening_at
from surveyapp.domain.vocabulary import MessageKind, MessageState
from surveyapp.models import Brand, Customer, Decision, Event, Message, Step, Trigger
from surveyapp.queries import contact_clock, contact_history, rivals
from surveyapp.queries import policy as policies
from surveyapp.queries.triggers import as_rule

AnySession = Session | scoped_session[Session]


class Ruled(NamedTuple):
    """What was ruled at the instant `at`, from what and by which policy."""

    ruling: Ruling
    facts: Facts
    policy: Policy
    at: datetime


def trigger_by_key(session: AnySession, key: str) -> Trigger | None:
    """The trigger with its survey, step and journey."""
    query = (
        select(Trigger)
        .where(Trigger.key == key)
        .options(joinedload(Trigger.survey), joinedload(Trigger.step).joinedload(Step.journey))
    )
    return session.scalars(query).unique().one_or_none()


def instant_for(session: AnySession, customer: Customer) -> datetime:
    """The instant at which an ask of this customer would be decided now.

    It lies after the event itself where the clock was set back behind the customer's last contact.
    """
    return contact_clock.instant_for(session, contact_history.keys_of(session, [customer.id])[customer.id])


def ruled_now(
    session: AnySession, customer: Customer, trigger: Trigger, pepper: str, instance: str | None = None
) -> Ruled:
    """What would be ruled if the trigger's event happened now, no holding window awaited."""
    at = instant_for(session, customer)
    policy = policies.policy_in_force(session, at)
    facts = facts_for(session, customer, trigger, policy, at, pepper, instance)
    return Ruled(decide(happening_at(facts, clock.now()), policy, at, pepper), facts, policy, at)


def facts_for(
    session: AnySession,
    customer: Customer,
    trigger: Trigger,
    policy: Policy,
    now: datetime,
    pepper: str,
    instance: str | None = None,
) -> Facts:
    """The facts if the trigger's event happened to the customer at `now` (about `instance`, where one is given).

    What else is planned for the person competes with it, as it would in earnest.
    """
    rule = as_rule(trigger)
    event = Event(
        event_id="(now)",
        customer_id=customer.id,
        occurred_at=now,
        received_at=now,
        instance=instance,
        properties=dict(rule.where),
        attributes=customer.attributes,
        source="explain",
    )
    decision = Decision(uid="(now)", customer_id=customer.id, survey_id=trigger.survey_id, at=now)
    decision.event = event
    message = Message(
        customer_id=customer.id,
        survey_id=trigger.survey_id,
        channel="email",
        kind=MessageKind.FIRST,
        state=MessageState.PLANNED,
        tier=rule.tier,
        priority=rule.priority,
        due_at=now,
        expires_at=now + rule.expires if rule.expires is not None else None,
        attempts=0,
    )
    message.decision, message.customer, message.trigger, message.survey = decision, customer, trigger, trigger.survey
    brand = session.get(Brand, 1)
    planned = rivals.planned_for(session, [customer.id], policy, now)
    people = sorted({customer.id, *(m.customer_id for m in planned)})
    keys = contact_history.keys_of(session, people)
    zone = brand.timezone if brand else "UTC"
    with session.no_autoflush:
        history = contact_history.read_history(session, [message, *planned], keys, policy, now, zone)
    competing = rivals.Rivals(policy, history, planned, now, pepper).of(message)
    return contact_history.facts_of(history, message, now, competing)
