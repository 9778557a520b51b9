"""May we ask this customer now? The facts of an event that has not happened, for explaining. Read only."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, scoped_session

from surveyapp.domain.facts import Facts
from surveyapp.domain.policy import Policy
from surveyapp.domain.vocabulary import MessageKind, MessageState
from surveyapp.models import Brand, Customer, Decision, Event, Message, Step, Trigger
from surveyapp.queries import contact_history, rivals
from surveyapp.queries.triggers import as_rule

AnySession = Session | scoped_session[Session]


def trigger_by_key(session: AnySession, key: str) -> Trigger | None:
    """The trigger with its survey, step and journey."""
    query = (
        select(Trigger)
        .where(Trigger.key == key)
        .options(joinedload(Trigger.survey), joinedload(Trigger.step).joinedload(Step.journey))
    )
    return session.scalars(query).unique().one_or_none()


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
