"""The state of one group while it is played: what is planned, what was booked, what a decision may know of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from surveyapp.domain.eligibility import decide, rank
from surveyapp.domain.facts import Answer, Ask, Candidate, Case, Decision, Facts, Rival
from surveyapp.domain.policy import Policy
from surveyapp.domain.simulation.cast import Booked, Group, Happening, Part, Rates, Subject
from surveyapp.domain.vocabulary import Outcome

PATIENT = frozenset({"holding", "quiet_hours"})


class Rules(NamedTuple):
    """What holds for every group: the policy, the coin's key, how often people answer, how long links stay open."""

    policy: Policy
    key: str
    rates: Rates
    open_for: timedelta
    reserving: bool = False


class Item:
    """A planned ask or reminder. `due` moves when it waits."""

    __slots__ = ("_rank", "answered_at", "candidate", "done", "due", "happening", "order", "part", "visit")

    def __init__(
        self, happening: Happening, part: Part, candidate: Candidate, due: datetime, visit: bool, order: int
    ) -> None:
        self.happening = happening
        self.part = part
        self.candidate = candidate
        self.due = due
        self.order = order
        self.done = False
        c = candidate
        self._rank = rank(c.tier, c.priority, c.expires_at, c.occurred_at)
        self.visit = visit
        self.answered_at: datetime | None = None

    def rank(self) -> tuple[int, int, float, float]:
        """How much it matters beside others, best first."""
        return self._rank


class Stage:
    """What is known within one group. Asks are booked on every record that shares a contact key."""

    def __init__(self, group: Group, rules: Rules) -> None:
        subjects = group.subjects.values()
        self.subjects = group.subjects
        self.policy = rules.policy
        self.key = rules.key
        self.competing = bool(self.policy.holding) or rules.reserving
        self.needs_answers = bool(self.policy.answer_gaps or self.policy.same_questions)
        self.window = self.policy.longest_window
        self.asks_of = {s.id: sorted(s.asks, key=lambda b: b.ask.at, reverse=True) for s in subjects}
        self.answers = {s.id: list(s.answers) for s in subjects}
        self.covered = {s.id: dict(s.covered) for s in subjects}
        self.waiting: dict[int, list[Item]] = {s.id: [] for s in subjects}

    def book(self, item: Item, channel: str, now: datetime) -> None:
        """Let an ask count from `now` on, and with it the answer it will get."""
        c, customer = item.candidate, item.happening.customer
        key = f"{c.decision}:{c.kind}"
        ask = Ask(key, c.decision, now, channel, c.kind, c.tier, c.survey, c.group, c.step, c.instance)
        booked = Booked(ask, item.answered_at)
        for other in self.subjects[customer].linked_at(now):
            self.asks_of[other].insert(0, booked)
        if c.kind == "first" and c.instance is not None:
            covered, place = self.covered[customer], (c.survey, c.instance)
            covered[place] = (*covered.get(place, ()), (now, c.decision))
        if c.kind == "first" and self.needs_answers and item.answered_at:
            self.answers[customer].append(Answer(c.survey, c.metric, c.step, item.answered_at))

    def arrive(self, item: Item) -> None:
        """From now on the planned ask may compete with others."""
        self.waiting[item.happening.customer].append(item)

    def facts(self, item: Item, now: datetime) -> Facts:
        """What is known of a planned ask at `now`, rivals apart."""
        subject = self.subjects[item.happening.customer]
        person, candidate = subject.person, item.candidate
        if subject.blocks:
            held = (h.block for h in subject.blocks if h.since <= now and (h.until is None or now <= h.until))
            person = replace(person, blocks=tuple(held))
        if item.part.closes_at is not None and now > item.part.closes_at:
            candidate = replace(candidate, survey_open=False)
        return Facts(
            person=person,
            candidate=candidate,
            asks=self._asks(subject, now),
            answers=tuple(a for a in self.answers[subject.id] if a.at <= now) if self.needs_answers else (),
            already_asked=self._already(subject, candidate, now),
            sensitive=tuple(s for s in subject.sensitive if s.at <= now) if subject.sensitive else (),
            cases=_cases(subject, now) if subject.cases else (),
        )

    def _asks(self, subject: Subject, now: datetime) -> tuple[Ask, ...]:
        """What counts at `now`, newest first, as far back as the policy looks."""
        booked, since = self.asks_of[subject.id], now - self.window
        if not booked:
            return ()
        if not self.policy.back_offs:
            return tuple(b.ask for b in booked if since < b.ask.at <= now)
        return tuple(
            replace(b.ask, answered=b.answered_at is not None and b.answered_at <= now)
            for b in booked
            if since < b.ask.at <= now
        )

    def _already(self, subject: Subject, candidate: Candidate, now: datetime) -> str | None:
        if candidate.kind != "first" or candidate.instance is None:
            return None
        covering = self.covered[subject.id].get((candidate.survey, candidate.instance), ())
        return next((label for since, label in covering if since <= now and label != candidate.decision), None)

    def _others(self, item: Item, now: datetime) -> Iterator[Item]:
        for customer in sorted(self.subjects[item.happening.customer].linked_at(now)):
            waiting = self.waiting[customer] = [other for other in self.waiting[customer] if not other.done]
            for other in waiting:
                expires, cancelled = other.candidate.expires_at, other.happening.cancelled_at
                if other is not item and (expires is None or expires >= now) and (not cancelled or cancelled > now):
                    yield other

    def rivals(self, item: Item, now: datetime) -> Iterator[Rival]:
        """What competes with a first ask, as queries/rivals finds it for live sending."""
        if item.candidate.kind != "first":
            return
        for other in self._others(item, now):
            if self._holds_slot(other, item, now):
                yield self._rival(other, reserved=True)
            elif self._in_window(item, other) and self._would_ask(other, now):
                yield self._rival(other, reserved=False)

    def _holds_slot(self, other: Item, item: Item, now: datetime) -> bool:
        """Whether the other has a slot reserved now that an ask by `item` would cost it, or put off."""
        reserve = other.part.trigger.reserve
        if reserve is None or other.candidate.due_at > now + reserve:
            return False
        if item.part.trigger.reserve is not None and item.rank() <= other.rank():
            return False
        moment = max(now, other.due)
        without = self.facts(other, now)
        asked = _settled(decide(without, self.policy, moment, self.key), moment)
        if asked is None:
            return False
        c = item.candidate
        ask = Ask("(this)", c.decision, now, c.channels[0], c.kind, c.tier, c.survey, c.group, c.step, c.instance)
        also = replace(without, asks=(ask, *without.asks))
        afterwards = _settled(decide(also, self.policy, moment, self.key), moment)
        return afterwards is None or afterwards > asked

    def _rival(self, other: Item, reserved: bool) -> Rival:
        c = other.candidate
        since = other.due if reserved else None
        return Rival(c.decision, c.trigger, c.tier, c.priority, c.expires_at, c.occurred_at, since, other.due)

    def beaten_by(self, winner: Item, now: datetime) -> Iterator[Item]:
        """The asks whose place this winner's holding window takes."""
        for other in list(self._others(winner, now)):
            if self._in_window(winner, other) and other.rank() >= winner.rank() and self._would_ask(other, now):
                yield other

    def _in_window(self, item: Item, other: Item) -> bool:
        holding = self.policy.holding
        return bool(holding) and abs(item.candidate.due_at - other.candidate.due_at) <= holding

    def _would_ask(self, other: Item, now: datetime) -> bool:
        ruling = decide(self.facts(other, now), self.policy, now, self.key)
        return ruling.outcome is Outcome.ASKED or (ruling.outcome is Outcome.WAITING and ruling.reason in PATIENT)


def _settled(ruling: Decision, moment: datetime) -> datetime | None:
    """When the ask would be made by this ruling, or None."""
    if ruling.outcome is Outcome.ASKED:
        return moment
    return ruling.not_before if ruling.outcome is Outcome.WAITING else None


def _cases(subject: Subject, now: datetime) -> tuple[Case, ...]:
    """The cases as they stood at `now`: one that was closed later is open."""
    return tuple(
        case if case.closed_at is None or case.closed_at <= now else replace(case, closed_at=None)
        for case in subject.cases
        if case.opened_at <= now
    )
