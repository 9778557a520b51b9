"""Plays a history of events through the real pipeline on an injected clock: intake, decision, sending, answer.

Nothing here decides or counts by itself; it moves the clock and calls the services that do.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from surveyapp import clock
from surveyapp.domain.events import EventIn
from surveyapp.domain.questions import Kind, parse_definition
from surveyapp.domain.vocabulary import MessageState, Outcome, ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import Decision, Event, Invitation, Message, Step
from surveyapp.services import delivery, responses, senders
from surveyapp.services.journeys import record_events
from surveyapp.services.recurrence import plan_recurring

INTAKE = 1000
CLAIM = 200
DAY = timedelta(days=1)
GRID = datetime(2000, 1, 1, 9, tzinfo=UTC)  # nine and 21 h: one of them is daytime wherever somebody lives


@dataclass(frozen=True, slots=True)
class Asked:
    """An ask that somebody may answer: to whom, about which event, by which channel.

    `choices` are the options of its further questions of which several may be chosen, whatever the score.
    """

    invitation_id: int
    customer: str
    step: str | None
    event: str
    properties: dict[str, object]
    language: str
    channel: str
    metric: str
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answers, and how long after being asked."""

    score: int
    comment: str | None = None
    after: timedelta = timedelta(0)
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Replayed:
    """What a replay did so far."""

    events: int = 0
    asked: int = 0
    answered: int = 0


Answer = Callable[[Asked], Reply | None]


def replay(
    events: Sequence[EventIn],
    answer: Answer,
    *,
    source: str,
    step: timedelta,
    until: datetime,
    progress: Callable[[Replayed], None],
    recurring: bool = False,
) -> Replayed:
    """Play `events` (sorted by time) and answer what is asked by `answer`, the clock advancing by `step` to `until`.

    `progress` is called after every slice. What still waits then is left waiting; no answer is dated after `until`.
    With `recurring` the triggers that need no event are planned once a day, as the scheduler does more often.
    """
    done = Replayed()
    ways_out = senders.configured()
    replies: list[tuple[datetime, int, Asked, Reply]] = []
    last_invitation, planned = 0, datetime.min.replace(tzinfo=UTC)
    for moment, part in _slices(events, step, until):
        with clock.at(moment):
            for start in range(0, len(part), INTAKE):
                done.events += record_events(part[start : start + INTAKE], source=source).accepted
            if recurring and moment >= planned + DAY:
                plan_recurring()
                planned = moment
            tally = delivery.send_due(ways_out, CLAIM)
            if tally.sent:
                for asked in _new_asks(last_invitation):  # a reminder is sent too, but asks nobody anew
                    done.asked += 1
                    last_invitation = max(last_invitation, asked.invitation_id)
                    reply = answer(asked)
                    if reply is not None:
                        replies.append((moment + reply.after, len(replies), asked, reply))
        replies = _give(replies, moment, done)
        progress(done)
    return done


def _slices(
    events: Sequence[EventIn], step: timedelta, until: datetime
) -> Iterator[tuple[datetime, Sequence[EventIn]]]:
    """The events slice by slice; a slice's moment is its end. Slices without an event still pass the time.

    Slices end at the same hours of every day, whenever the replay begins: what waits for the morning finds one.
    """
    if not events:
        return
    first, position = events[0].occurred_at, 0
    moment = first - (first - GRID) % step
    while moment < until:
        moment = min(moment + step, until)
        start = position
        while position < len(events) and events[position].occurred_at <= moment:
            position += 1
        yield moment, events[start:position]


def _new_asks(after: int) -> Iterable[Asked]:
    """The asks that were handed over since invitation `after`."""
    query = (
        select(Invitation)
        .join(Message, Message.invitation_id == Invitation.id)
        .where(Invitation.id > after, Message.state.in_((MessageState.SENT, MessageState.DELIVERED)))
        .options(
            joinedload(Invitation.customer),
            joinedload(Invitation.event),
            joinedload(Invitation.survey_version),
        )
        .order_by(Invitation.id)
    )
    steps = {s.id: s.path for s in db.session.scalars(select(Step).options(joinedload(Step.journey))).unique()}
    found = [
        Asked(
            invitation_id=invitation.id,
            customer=invitation.customer.external_id or "",
            step=steps.get(_event(invitation).step_id or 0),
            event=_event(invitation).event_id,
            properties=_event(invitation).properties,
            language=invitation.language,
            channel=invitation.channel,
            metric=invitation.survey_version.definition["metric"],
            choices=_choices(invitation.survey_version.definition),
        )
        for invitation in db.session.scalars(query).unique()
    ]
    db.session.rollback()
    return found


def _event(invitation: Invitation) -> Event:
    assert invitation.event is not None
    return invitation.event


def _give(
    replies: list[tuple[datetime, int, Asked, Reply]], moment: datetime, done: Replayed
) -> list[tuple[datetime, int, Asked, Reply]]:
    """Record the answers whose time has come; those that remain."""
    for at, _, asked, reply in sorted(r for r in replies if r[0] <= moment):
        with clock.at(at):
            responses.record(
                db.session.get_one(Invitation, asked.invitation_id),
                score=reply.score,
                comment=reply.comment,
                answers=reply.answers,
                status=ResponseStatus.CONFIRMED,
                channel=asked.channel,
                language=asked.language,
            )
        done.answered += 1
    return [r for r in replies if r[0] > moment]


def _choices(definition: Mapping[str, Any]) -> dict[str, list[str]]:
    several = (Kind.MANY, Kind.REASONS)
    asked = [q for q in parse_definition(definition).questions if q.kind in several and not q.when]
    return {question.key: [option.key for option in question.options] for question in asked}


def outcomes(source: str) -> Counter[str]:
    """How many decisions about events of this source asked, still wait, or refused, these by their reason."""
    query = (
        select(Decision.outcome, Decision.reason, func.count())
        .join(Event, Event.id == Decision.event_id)
        .where(Event.source == source)
        .group_by(Decision.outcome, Decision.reason)
    )
    found: Counter[str] = Counter()
    for outcome, reason, number in db.session.execute(query):
        found[str(reason) if outcome == Outcome.REFUSED else str(outcome)] += number
    db.session.rollback()
    return found
