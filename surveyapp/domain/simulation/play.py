"""Plays one group's events through a policy: what is due is decided, waits are looked at again, asks are booked.

The order is that of live sending with a dispatcher that never pauses: by due time, moments of truth first. An event
counts from the moment it happened, also when it was told late. Stop switches and provider pauses are left out.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import Candidate, Facts
from surveyapp.domain.sampling import coin
from surveyapp.domain.simulation.cast import ANSWERS_AFTER, Group, Happening, Part, Rate
from surveyapp.domain.simulation.stage import Item, Rules, Stage
from surveyapp.domain.simulation.tally import Tally
from surveyapp.domain.triggers import order_channels, plan
from surveyapp.domain.vocabulary import Outcome, Reason

SECOND = timedelta(seconds=1)


class Settled(NamedTuple):
    """How one event at one trigger ended."""

    event: str
    trigger: str
    outcome: str
    reason: str | None
    channel: str | None
    at: datetime


Watch = Callable[[Settled], None]


class Plan(NamedTuple):
    """An ask that an event calls for: the same under every policy."""

    happening: Happening
    part: Part
    candidate: Candidate
    due: datetime
    visit: bool


def plans(group: Group) -> list[Plan]:
    """What the group's events call for, in the order in which they became known."""
    return [_plan(group, happening, part) for happening in group.happenings for part in happening.parts]


def _plan(group: Group, happening: Happening, part: Part) -> Plan:
    trigger, subject = part.trigger, group.subjects[happening.customer]
    planned = plan(trigger, happening.occurred_at, subject.preferred)
    real = happening.real.get(trigger.key)
    channels = tuple(c for c in order_channels(trigger.channels, subject.preferred) if c != "web")
    candidate = Candidate(
        decision=real.uid if real else f"{happening.event}|{trigger.key}",
        trigger=trigger.key,
        survey=trigger.survey,
        metric=part.metric,
        event=happening.event,
        channels=channels or ("web",),
        tier=trigger.tier,
        occurred_at=happening.occurred_at,
        due_at=planned.due_at,
        priority=trigger.priority,
        group=part.group,
        step=trigger.step,
        instance=happening.instance,
        expires_at=planned.expires_at,
        sample=trigger.sample,
        per=trigger.per,
        per_event=trigger.half_width is not None,
        blocked=trigger.blocked,
        context=happening.context,
    )
    visit_at = real.visit_at if real and real.visit_at else happening.visit_at
    if visit_at is not None and "web" in trigger.channels:
        return Plan(happening, part, candidate, visit_at, True)
    return Plan(happening, part, candidate, planned.due_at, False)


class Play:
    """One group under one policy. Everything it learns is in `tally`, and told to `watch` where one is given."""

    def __init__(
        self, group: Group, planned: Sequence[Plan], rules: Rules, tally: Tally, watch: Watch | None = None
    ) -> None:
        self.group = group
        self.plans = planned
        self.rules = rules
        self.tally = tally
        self.watch = watch
        self.stage = Stage(group, rules)
        self.contacts = dict.fromkeys(group.subjects, 0)
        self.heap: list[tuple[datetime, tuple[int, int, float, float], int, int, Item]] = []
        self.pushed = 0
        self.arriving: list[Item] = []

    def run(self) -> None:
        """Play everything, until nothing waits."""
        for planned in self.plans:
            item = Item(*planned, len(self.arriving))
            self.arriving.append(item)
            self._push(item)
        self.arriving.sort(key=lambda item: item.happening.known_at, reverse=True)
        while self.heap:
            now = self.heap[0][0]
            due = []
            while self.heap and self.heap[0][0] == now:
                due.append(heapq.heappop(self.heap)[-1])
            while self.stage.competing and self.arriving and self.arriving[-1].happening.known_at <= now:
                self.stage.arrive(self.arriving.pop())
            for item in due:
                if not item.done and item.due == now:
                    self._settle(item, now)
        heard = {happening.customer for happening in self.group.happenings}
        for customer in heard:
            self.tally.contacts[self.contacts[customer]] += 1

    def _push(self, item: Item) -> None:
        self.pushed += 1
        heapq.heappush(self.heap, (item.due, item.rank(), item.order, self.pushed, item))

    def _settle(self, item: Item, now: datetime) -> None:
        cancelled = item.happening.cancelled_at
        if item.candidate.kind == "reminder" and (cancelled or item.answered_at and item.answered_at <= now):
            return
        if cancelled is not None and cancelled <= now:
            self._refuse(item, Reason.EXPIRED, now)
            return
        facts = self.stage.facts(item, now)
        if item.visit:
            self._offer(item, facts, now)
            return
        if self.stage.competing:
            facts = replace(facts, rivals=tuple(self.stage.rivals(item, now)))
        ruling = decide(facts, self.rules.policy, now, self.rules.key)
        if ruling.outcome is Outcome.ASKED:
            self._ask(item, ruling.channel or "", now)
        elif ruling.outcome is Outcome.WAITING:
            item.due = max(ruling.not_before or now, now + SECOND)
            self._push(item)
        elif item.candidate.kind == "first":
            self._refuse(item, ruling.reason or "", now)
        else:
            item.done = True

    def _offer(self, item: Item, facts: Facts, now: datetime) -> None:
        """The customer is on the page. Where they may not be asked there, other channels keep their turn."""
        item.visit = False
        on_page = replace(facts, candidate=replace(facts.candidate, channels=("web",)))
        ruling = decide(on_page, self.rules.policy, now, self.rules.key)
        if ruling.outcome is Outcome.ASKED:
            self._ask(item, "web", now)
        elif item.candidate.channels == ("web",):
            self._refuse(item, ruling.reason or Reason.EXPIRED, now)
        else:
            item.due = max(item.candidate.due_at, now)
            self._push(item)

    def _refuse(self, item: Item, reason: str, now: datetime) -> None:
        item.done = True
        self.tally.refused[item.part.trigger.key, str(reason)] += 1
        self._tell(item, Outcome.REFUSED, str(reason), None, now)

    def _ask(self, item: Item, channel: str, now: datetime) -> None:
        item.done = True
        self.contacts[item.happening.customer] += 1
        if item.candidate.kind != "first":
            self.tally.reminders += 1
            self.stage.book(item, channel, now)
            return
        self.tally.asked[item.candidate.trigger, channel] += 1
        self._tell(item, Outcome.ASKED, None, channel, now)
        if self.rules.policy.holding:
            for loser in self.stage.beaten_by(item, now):
                self._refuse(loser, Reason.YIELDED, now)
        item.answered_at = self._answered_at(item, channel, now)
        self.stage.book(item, channel, now)
        self._remind(item, channel, now)

    def _remind(self, item: Item, channel: str, now: datetime) -> None:
        """Plan the one reminder of an e-mail, where the trigger has one."""
        after = item.part.trigger.reminder_after
        if after is None or channel != "email":
            return
        candidate = replace(
            item.candidate,
            kind="reminder",
            channels=(channel,),
            expires_at=now + self.rules.open_for,
            sample=1.0,
            blocked="drop",
        )
        reminder = Item(item.happening, item.part, candidate, now + after, False, item.order)
        reminder.answered_at = item.answered_at
        self._push(reminder)

    def _answered_at(self, item: Item, channel: str, now: datetime) -> datetime | None:
        """When this ask is answered: as it really was, or, where it was never made, as often as others are."""
        trigger = item.part.trigger
        real = item.happening.real.get(trigger.key)
        if real is not None and real.asked:
            if real.answered_at is None or real.asked_at is None:
                return None
            return now + max(real.answered_at - real.asked_at, timedelta(0))
        rate = self.rules.rates.get((item.part.place, channel), Rate()).value
        drawn = coin(self.rules.key, f"answer:{item.happening.event}|{trigger.key}") < rate
        return now + ANSWERS_AFTER if drawn else None

    def _tell(self, item: Item, outcome: str, reason: str | None, channel: str | None, now: datetime) -> None:
        if self.watch is not None:
            self.watch(Settled(item.happening.event, item.part.trigger.key, str(outcome), reason, channel, now))
