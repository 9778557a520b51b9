"""Which asks compete for one person: those inside one holding window, and those with a reserved slot. Read only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased, scoped_session

from surveyapp.domain.eligibility import decide, rank
from surveyapp.domain.facts import Ask, Decision, Earlier, Facts, Rival, Verdict
from surveyapp.domain.policy import Policy
from surveyapp.domain.vocabulary import MessageKind, MessageState, Outcome, Reason
from surveyapp.models import ContactKey, Message, Trigger
from surveyapp.queries import contact_history
from surveyapp.queries.contact_history import History
from surveyapp.queries.triggers import as_rule

AnySession = Session | scoped_session[Session]
PATIENT = frozenset({"holding", "quiet_hours"})


def planned_for(session: AnySession, customers: Sequence[int], policy: Policy, now: datetime) -> list[Message]:
    """The planned first asks, due or not, that may compete with those of these customers.

    Reads nothing more where no rule lets asks compete: without a holding window only reserving triggers do.
    """
    reserving = session.scalars(
        select(Trigger.id).where(Trigger.reserve_seconds.is_not(None), Trigger.archived_at.is_(None))
    ).all()
    if not (policy.holding or reserving):
        return []
    mine, theirs = aliased(ContactKey), aliased(ContactKey)
    linked = (
        select(theirs.customer_id)
        .join(mine, mine.key == theirs.key)
        .where(mine.customer_id.in_(customers), mine.until.is_(None), theirs.until.is_(None))
    )
    query = (
        select(Message.id)
        .where(or_(Message.customer_id.in_(customers), Message.customer_id.in_(linked)))
        .where(Message.state == MessageState.PLANNED, Message.kind == MessageKind.FIRST)
        .where(or_(Message.expires_at.is_(None), Message.expires_at >= now))
        .order_by(Message.id)
    )
    if not policy.holding:
        query = query.where(Message.trigger_id.in_(reserving))
    found = session.scalars(query).all()
    return contact_history.load(session, found) if found else []


class Rivals:
    """The asks that compete with those of a batch. `history` must know the people behind `planned`, too."""

    def __init__(
        self, policy: Policy, history: History, planned: Sequence[Message], now: datetime, pepper: str
    ) -> None:
        self.policy = policy
        self.history = history
        self.now = now
        self.pepper = pepper
        self.by_key: dict[str, list[Message]] = {}
        for message in planned:
            for key in history.keys[message.customer_id]:
                self.by_key.setdefault(key, []).append(message)

    def of(self, message: Message) -> tuple[Rival, ...]:
        """The rivals of a due first message that would be asked themselves, or that hold a reserved slot."""
        if message.kind != MessageKind.FIRST or not self.by_key:
            return ()
        found = []
        for other in self._others(message):
            if self._holds_slot(other, message):
                found.append(_rival(other, reserved=True))
            elif self._in_window(message, other) and self._would_ask(other):
                found.append(_rival(other, reserved=False))
        return tuple(found)

    def beaten_by(self, winner: Message) -> Iterator[tuple[Message, tuple[Verdict, ...]]]:
        """The messages that this winner's holding window takes the place of, each with its verdicts."""
        if not self.policy.holding:
            return
        assert winner.decision is not None
        for other in self._others(winner):
            if not self._in_window(winner, other) or _order(other) < _order(winner) or not self._would_ask(other):
                continue
            facts = contact_history.facts_of(self.history, other, self.now)
            verdicts = decide(facts, self.policy, self.now, self.pepper).verdicts
            why = f"gave way to {winner.trigger.key}, which matters more"
            lost = Verdict(Reason.YIELDED, False, why, None, (Earlier(winner.decision.uid, winner.trigger.key),))
            yield other, (*(v for v in verdicts if v.rule != Reason.YIELDED), lost)

    def _others(self, message: Message) -> list[Message]:
        """What else is planned, as things stand, for the person and for those who share an address."""
        found: Mapping[int, Message] = {
            other.id: other for key in self.history.keys[message.customer_id] for other in self.by_key.get(key, ())
        }
        return [
            other
            for _, other in sorted(found.items())
            if other.id != message.id and other.state == MessageState.PLANNED and other.decision is not None
        ]

    def _holds_slot(self, other: Message, message: Message) -> bool:
        """Whether the other has a slot reserved now that an ask by `message` would cost it, or put off.

        Of two that reserve, the one that ranks first keeps its slot.
        """
        reserve = as_rule(other.trigger).reserve
        if reserve is None or self._due(other) > self.now + reserve:
            return False
        if as_rule(message.trigger).reserve is not None and _order(message) <= _order(other):
            return False
        moment = max(self.now, other.due_at)
        without = contact_history.facts_of(self.history, other, moment)
        asked = _settled(decide(without, self.policy, moment, self.pepper), moment)
        if asked is None:
            return False
        ask = _as_asked(message, self.now)
        afterwards = _settled(decide(_also_asked(without, ask), self.policy, moment, self.pepper), moment)
        return afterwards is None or afterwards > asked

    def _in_window(self, message: Message, other: Message) -> bool:
        return bool(self.policy.holding) and abs(self._due(message) - self._due(other)) <= self.policy.holding

    def _due(self, message: Message) -> datetime:
        return contact_history.candidate_of(message, frozenset(), self.now).due_at

    def _would_ask(self, other: Message) -> bool:
        facts = contact_history.facts_of(self.history, other, self.now)
        ruling = decide(facts, self.policy, self.now, self.pepper)
        return ruling.outcome is Outcome.ASKED or (ruling.outcome is Outcome.WAITING and ruling.reason in PATIENT)


def _settled(ruling: Decision, moment: datetime) -> datetime | None:
    """When the ask would be made by this ruling, or None."""
    if ruling.outcome is Outcome.ASKED:
        return moment
    return ruling.not_before if ruling.outcome is Outcome.WAITING else None


def _also_asked(facts: Facts, ask: Ask) -> Facts:
    return replace(facts, asks=(ask, *facts.asks))


def _as_asked(message: Message, now: datetime) -> Ask:
    """The ask that this message would be, were it made now on its first channel."""
    candidate = contact_history.candidate_of(message, frozenset(), now)
    return Ask(
        "(this)",
        candidate.decision,
        now,
        candidate.channels[0],
        candidate.kind,
        candidate.tier,
        candidate.survey,
        candidate.group,
        candidate.step,
        candidate.instance,
    )


def _order(message: Message) -> tuple[int, int, float, float]:
    assert message.decision is not None
    return rank(message.tier, message.priority, message.expires_at, message.decision.event.occurred_at)


def _rival(other: Message, reserved: bool) -> Rival:
    assert other.decision is not None
    return Rival(
        decision=other.decision.uid,
        trigger=other.trigger.key,
        tier=other.tier,
        priority=other.priority,
        expires_at=other.expires_at,
        occurred_at=other.decision.event.occurred_at,
        reserved_from=other.due_at if reserved else None,
        due_at=other.due_at,
    )
