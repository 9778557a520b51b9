"""What is known of the people behind a batch of due asks: contact keys, earlier asks, blocks, answers. Read only.

The caller holds the contact keys' locks; everything read here is then true until it commits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, defer, joinedload, scoped_session

from surveyapp.domain.facts import Answer, Ask, Block, Candidate, Case, Facts, Person, Rival, Sensitive
from surveyapp.domain.policy import Policy
from surveyapp.domain.triggers import order_channels, plan
from surveyapp.domain.vocabulary import Outcome
from surveyapp.models import (
    ChannelState,
    ContactKey,
    Customer,
    Decision,
    Event,
    Invitation,
    Journey,
    Message,
    Response,
    Step,
    Suppression,
    Survey,
    SurveyVersion,
    Trigger,
)
from surveyapp.queries.cases import cases_of
from surveyapp.queries.earlier_asks import asks_of
from surveyapp.queries.recipients import recipient_country, recipient_zones
from surveyapp.queries.triggers import as_rule

AnySession = Session | scoped_session[Session]
LATEST = 200  # asks of one contact key that are read at first
ANSWERS = 50


@dataclass(slots=True)
class History:
    """Everything read for a batch, keyed so that `facts_of` needs no further statement.

    `former` are addresses that a customer gave up, and when: what was asked there until then is theirs.
    """

    keys: Mapping[int, tuple[str, ...]]
    asks: dict[str, list[Ask]]
    blocks: Mapping[str, list[Block]]
    already: dict[tuple[int, int, str], list[tuple[int | None, str]]]
    answers: Mapping[int, list[Answer]]
    sensitive: Mapping[int, list[Sensitive]]
    stopped: frozenset[str]
    brand_zone: str
    versions: Mapping[int, int] = field(default_factory=dict)
    former: Mapping[int, list[tuple[str, datetime]]] = field(default_factory=dict)
    cases: Mapping[int, list[Case]] = field(default_factory=dict)

    def records(self, customer_id: int) -> list[int]:
        """The row ids of the records that were united in this person, itself first."""
        others = [int(key[2:]) for key in self.keys[customer_id] if key[:2] == "c:"]
        return [customer_id, *(i for i in others if i != customer_id)]

    def remember(self, keys: Iterable[str], ask: Ask) -> None:
        """Book an ask that was reserved in this very batch, so that the next decision counts it."""
        for key in keys:
            self.asks.setdefault(key, []).insert(0, ask)

    def asks_of(self, customer_id: int) -> tuple[Ask, ...]:
        """The person's asks, newest first, each once, whichever of their keys it was booked on."""
        found = {ask.key: ask for key in self.keys[customer_id] for ask in self.asks.get(key, ())}
        for key, until in self.former.get(customer_id, ()):
            found |= {ask.key: ask for ask in self.asks.get(key, ()) if ask.at <= until}
        return tuple(sorted(found.values(), key=lambda a: a.at, reverse=True))


def keys_of(session: AnySession, customer_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The contact keys that are each customer's now, sorted."""
    found: dict[int, list[str]] = {customer_id: [f"c:{customer_id}"] for customer_id in customer_ids}
    rows = session.execute(
        select(ContactKey.customer_id, ContactKey.key).where(
            ContactKey.customer_id.in_(customer_ids), ContactKey.until.is_(None)
        )
    )
    for customer_id, key in rows:
        found[customer_id].append(key)
    return {customer_id: tuple(sorted(set(keys))) for customer_id, keys in found.items()}


def read_history(
    session: AnySession,
    messages: Sequence[Message],
    keys: Mapping[int, tuple[str, ...]],
    policy: Policy,
    now: datetime,
    zone: str,
) -> History:
    """What the rules of `policy` may need to know of the people behind `messages` (their relationships loaded)."""
    all_keys = sorted({key for one in keys.values() for key in one})
    former = _former(session, sorted(keys))
    old_keys = {key for given_up in former.values() for key, _ in given_up}
    records = sorted({int(key[2:]) for key in all_keys if key[:2] == "c:"})
    counted = max(LATEST, policy.most_counted)
    return History(
        keys=keys,
        asks=asks_of(session, sorted({*all_keys, *old_keys}), now - policy.longest_window, counted),
        blocks=_blocks(session, all_keys),
        already=_already(session, messages, keys),
        answers=_answers(session, records) if policy.answer_gaps or policy.same_questions else {},
        sensitive=_sensitive(session, records, now),
        stopped=_stopped(session),
        brand_zone=zone,
        versions=_versions(session, sorted({m.survey_id for m in messages})),
        former=former,
        cases=cases_of(session, records, now - _longest_rest(policy)) if policy.open_cases else {},
    )


def _longest_rest(policy: Policy) -> timedelta:
    return max(rule.rest for rule in policy.open_cases)


def facts_of(history: History, message: Message, now: datetime, rivals: tuple[Rival, ...] = ()) -> Facts:
    """The facts of one due message at `now`."""
    customer = message.customer
    records = history.records(customer.id)
    blocks = tuple(block for key in history.keys[customer.id] for block in history.blocks.get(key, ()))
    zones, source = recipient_zones(customer.timezone, customer.phone, history.brand_zone)
    person = Person(
        key=person_key(customer),
        known_since=customer.created_at,
        addresses=customer.reachable,
        zones=zones,
        zone_source=source,
        country=recipient_country(customer.timezone, customer.phone),
        consent=customer.consent,
        blocks=blocks,
        erased=customer.erased_at is not None,
    )
    candidate = candidate_of(message, history.stopped, now)
    return Facts(
        person=person,
        candidate=candidate,
        asks=history.asks_of(customer.id),
        answers=tuple(answer for i in records for answer in history.answers.get(i, ())),
        already_asked=_covered(history, message),
        sensitive=tuple(event for i in records for event in history.sensitive.get(i, ())),
        cases=tuple(case for i in records for case in history.cases.get(i, ())),
        rivals=rivals,
    )


def person_key(customer: Customer) -> str:
    """What keys a person's coin: the external id as sent, so that an outside program can recompute the draw."""
    return customer.external_id or f"anonymous:{customer.id}"


def candidate_of(message: Message, stopped: frozenset[str], now: datetime) -> Candidate:
    """The ask that a due message stands for."""
    decision, trigger, survey = message.decision, message.trigger, message.survey
    assert decision is not None
    event = decision.event
    rule = as_rule(trigger)
    held = trigger.stopped_at or survey.stopped_at
    channels = tuple(c for c in order_channels(rule.channels, message.customer.preferred_channel) if c != "web")
    if message.kind == "reminder" or message.fails_over:
        channels = (message.channel,)
    return Candidate(
        decision=decision.uid,
        trigger=rule.key,
        survey=survey.key,
        metric=survey.metric,
        event=event.event_id,
        channels=channels or ("web",),
        tier=message.tier,
        occurred_at=event.occurred_at,
        due_at=max(plan(rule, event.occurred_at, message.customer.preferred_channel).due_at, decision.at),
        priority=message.priority,
        kind=message.kind,
        group=survey.group,
        step=rule.step,
        instance=event.instance,
        expires_at=message.expires_at,
        sample=rule.sample if message.kind == "first" else 1.0,
        per=rule.per,
        per_event=rule.half_width is not None,
        blocked=rule.blocked if message.kind == "first" else "drop",
        context={**event.attributes, **event.properties},
        survey_open=is_open(trigger, survey, now),
        stopped=stopped | {"all"} if held else stopped,
    )


def is_open(trigger: Trigger, survey: Survey, now: datetime) -> bool:
    """Whether the trigger and its survey still ask."""
    if trigger.archived_at or survey.archived_at or survey.full_at:
        return False
    return survey.closes_at is None or now <= survey.closes_at


def _covered(history: History, message: Message) -> str | None:
    if message.kind != "first" or message.decision is None:
        return None
    instance = message.decision.event.instance
    if instance is None:
        return None
    for record in history.records(message.customer_id):
        for decision_id, label in history.already.get((record, message.survey_id, instance), ()):
            if decision_id != message.decision_id:
                return label
    return None


def _former(session: AnySession, customers: Sequence[int]) -> dict[int, list[tuple[str, datetime]]]:
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    query = select(ContactKey.customer_id, ContactKey.key, ContactKey.until).where(
        ContactKey.customer_id.in_(customers), ContactKey.until.is_not(None)
    )
    for customer_id, key, until in session.execute(query):
        if until is not None:
            found[customer_id].append((key, until))
    return found


def _blocks(session: AnySession, keys: Sequence[str]) -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = defaultdict(list)
    query = select(Suppression.key, Suppression.channel, Suppression.reason, Suppression.until).where(
        Suppression.key.in_(keys)
    )
    for key, channel, reason, until in session.execute(query):
        found[key].append(Block(channel, reason, until))
    return found


def _already(
    session: AnySession, messages: Sequence[Message], keys: Mapping[int, tuple[str, ...]]
) -> dict[tuple[int, int, str], list[tuple[int | None, str]]]:
    """Per customer, survey and instance: the decisions that asked, and answers that came without one."""
    found: dict[tuple[int, int, str], list[tuple[int | None, str]]] = defaultdict(list)
    wanted = {
        (int(key[2:]), m.survey_id)
        for m in messages
        if m.kind == "first" and m.decision and m.decision.event.instance
        for key in keys[m.customer_id]
        if key[:2] == "c:"
    }
    if not wanted:
        return found
    asked = (
        select(Decision.id, Decision.uid, Decision.customer_id, Decision.survey_id, Event.instance)
        .join(Event, Event.id == Decision.event_id)
        .where(tuple_(Decision.customer_id, Decision.survey_id).in_(wanted), Decision.outcome == Outcome.ASKED)
    )
    for decision_id, uid, customer_id, survey_id, instance in session.execute(asked):
        if instance is not None:
            found[customer_id, survey_id, instance].append((decision_id, uid))
    answered = select(Response.uid, Response.customer_id, Response.survey_id, Response.instance).where(
        tuple_(Response.customer_id, Response.survey_id).in_(wanted), Response.decision.is_(None)
    )
    for uid, person_id, survey_id, instance in session.execute(answered):
        if instance is not None and person_id is not None:
            found[person_id, survey_id, instance].append((None, uid))
    return found


def _answers(session: AnySession, customers: Sequence[int]) -> dict[int, list[Answer]]:
    found: dict[int, list[Answer]] = defaultdict(list)
    query = (
        select(Response)
        .where(Response.customer_id.in_(customers), Response.status == "confirmed")
        .options(joinedload(Response.survey))
        .order_by(Response.answered_at.desc())
    )
    for response in session.scalars(query):
        if response.customer_id is not None and len(found[response.customer_id]) < ANSWERS:
            found[response.customer_id].append(
                Answer(response.survey.key, response.metric, response.step, response.answered_at)
            )
    return found


def _sensitive(session: AnySession, customers: Sequence[int], now: datetime) -> dict[int, list[Sensitive]]:
    found: dict[int, list[Sensitive]] = defaultdict(list)
    steps = session.execute(
        select(Step.id, Journey.key, Step.key, Step.sensitive_seconds)
        .join(Journey)
        .where(Step.sensitive_seconds.is_not(None), Step.archived_at.is_(None))
    ).all()
    if not steps:
        return found
    spans = {step_id: (f"{journey}.{key}", timedelta(seconds=span or 0)) for step_id, journey, key, span in steps}
    oldest = now - max(span for _, span in spans.values())
    query = select(Event.customer_id, Event.step_id, Event.occurred_at).where(
        Event.customer_id.in_(customers), Event.step_id.in_(spans), Event.occurred_at > oldest
    )
    for customer_id, step_id, at in session.execute(query):
        path, span = spans[step_id or 0]
        found[customer_id].append(Sensitive(path, at, at + span))
    return found


def _stopped(session: AnySession) -> frozenset[str]:
    return frozenset(session.scalars(select(ChannelState.channel).where(ChannelState.stopped_at.is_not(None))))


def _versions(session: AnySession, surveys: Sequence[int]) -> dict[int, int]:
    """The row id of each survey's latest version."""
    query = select(SurveyVersion.survey_id, SurveyVersion.id).where(SurveyVersion.survey_id.in_(surveys))
    return {row.survey_id: row.id for row in session.execute(query.order_by(SurveyVersion.number))}


def load(session: AnySession, ids: Sequence[int], options: Sequence[Any] | None = None) -> list[Message]:
    """The messages with everything that facts and sending read (or with these `options`), in the order of `ids`."""
    query = select(Message).where(Message.id.in_(ids)).options(*(loaded() if options is None else options))
    by_id = {message.id: message for message in session.scalars(query).unique()}
    return [by_id[i] for i in ids if i in by_id]


def written_down() -> list[Any]:
    """What the outcome of a call changes or needs. Triggers, the same for many, are read once when asked for."""
    decision = joinedload(Message.decision).options(defer(Decision.verdicts))
    return [decision.joinedload(Decision.event).load_only(Event.event_id), joinedload(Message.invitation)]


def rendered() -> list[Any]:
    """What a message is made of. Survey versions and triggers, the same for many, are read once when asked for."""
    return [
        joinedload(Message.decision).options(defer(Decision.verdicts)),
        joinedload(Message.customer),
        joinedload(Message.invitation).joinedload(Invitation.event),
    ]


def loaded() -> list[Any]:
    """The relationships that facts and sending read, joined into the one statement."""
    return [
        joinedload(Message.decision).joinedload(Decision.event),
        joinedload(Message.customer),
        joinedload(Message.trigger).joinedload(Trigger.survey),
        joinedload(Message.trigger).joinedload(Trigger.step).joinedload(Step.journey),
        joinedload(Message.survey),
        joinedload(Message.invitation).joinedload(Invitation.survey_version),
        joinedload(Message.invitation).joinedload(Invitation.event),
    ]
