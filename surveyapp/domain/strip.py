"""The calendar strip: on which days one customer was asked, could be asked, or could not, and which rule says so.

Puts every day to the same `decide` that sends. Pure: whoever calls brings the facts and the days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import Ask, Facts, Person, Verdict
from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_value_words import words
from surveyapp.domain.prospects import happening_at, next_eligible
from surveyapp.domain.vocabulary import Outcome, Reason

DAYS = 56
BEFORE = 28  # days of the strip that lie behind the day it is drawn around
SHORT = {
    Reason.CAP: "ask limit",
    Reason.BUDGET: "budget spent",
    Reason.OPEN_CASE: "open case",
    Reason.SENSITIVE: "sensitive event",
    Reason.OPTED_OUT: "opted out",
    Reason.NO_CONSENT: "no consent",
    Reason.NO_ADDRESS: "no address",
    Reason.SUPPRESSED_ADDRESS: "address refuses",
    Reason.PAUSED: "on a break",
    Reason.STOPPED: "stopped",
    Reason.SURVEY_CLOSED: "survey closed",
    Reason.HOLDOUT: "never asked",
    Reason.YIELDED: "reserved",
    "quiet_hours": "closed day",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a lane. `state` is asked, free or closed; `name` says the rule of a closed day."""

    day: date
    state: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring closed days with one name: from the cell `first` on, `length` of them."""

    first: int
    length: int
    name: str


@dataclass(frozen=True, slots=True)
class Lane:
    tier: int
    cells: tuple[Cell, ...]
    next_at: datetime | None

    @property
    def spans(self) -> tuple[Span, ...]:
        found: list[Span] = []
        for position, cell in enumerate(self.cells):
            if cell.state != "closed":
                continue
            last = found[-1] if found else None
            if last and last.first + last.length == position and last.name == cell.name:
                found[-1] = replace(last, length=last.length + 1)
            else:
                found.append(Span(position, 1, cell.name))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Strip:
    """Lanes over the same days; `today` is where now lies, in days from the first one (None: outside)."""

    days: tuple[date, ...]
    lanes: tuple[Lane, ...]
    zone: str
    today: float | None
    happened: tuple[tuple[float, str], ...] = ()

    def asked(self) -> list[date]:
        """The days with an ask, each once."""
        return sorted({cell.day for lane in self.lanes for cell in lane.cells if cell.state == "asked"})


def first_day(around: date) -> date:
    """The Monday on which a strip around that day begins."""
    earliest = around - timedelta(days=BEFORE)
    return earliest - timedelta(days=earliest.weekday())


def begins(around: datetime, zone: str) -> datetime:
    """The first instant of the strip around that one, on the clock of `zone`."""
    return _start(first_day(around.astimezone(ZoneInfo(zone)).date()), zone)


def draw(
    lanes: Mapping[int, Facts],
    policy: Policy,
    around: datetime,
    key: str,
    happened: Sequence[tuple[datetime, str]] = (),
    blocked_since: datetime | None = None,
) -> Strip:
    """The eight weeks around an instant. `lanes` are the facts of an ask of each tier, all of the same person.

    Facts reach back the longest window before the strip's first day. Blocks count from `blocked_since` on.
    """
    zone = next(iter(lanes.values())).person.zones[0]
    first = first_day(around.astimezone(ZoneInfo(zone)).date())
    days = tuple(first + timedelta(days=number) for number in range(DAYS))
    drawn = tuple(
        _lane(tier, _open_chance(facts), policy, days, zone, around, key, blocked_since)
        for tier, facts in sorted(lanes.items())
    )
    start = _start(first, zone)
    inside = tuple((at, what) for moment, what in happened if 0 <= (at := _position(moment, start)) < DAYS)
    return Strip(days, drawn, zone, _position(around, start), inside)


def _lane(
    tier: int,
    facts: Facts,
    policy: Policy,
    days: Sequence[date],
    zone: str,
    around: datetime,
    key: str,
    blocked_since: datetime | None,
) -> Lane:
    asked = {ask.at.astimezone(ZoneInfo(zone)).date() for ask in facts.asks if ask.tier == tier}
    cells = []
    for day in days:
        start, end = _start(day, zone), _start(day + timedelta(days=1), zone)
        if day in asked:
            cells.append(Cell(day, "asked"))
        elif facts.person.known_since >= end:
            cells.append(Cell(day, "closed", "not known yet"))
        else:
            moment = around if start <= around < end else start
            cells.append(_cell(_known(facts, moment, around, blocked_since), policy, day, moment, end, key))
    return Lane(tier, tuple(cells), next_eligible(_known(facts, around, around, None), policy, around, key))


def _cell(facts: Facts, policy: Policy, day: date, start: datetime, end: datetime, key: str) -> Cell:
    """Whether there is an instant of that day at which the person could be asked."""
    moment = max(start, facts.person.known_since)
    for _ in range(6):
        decision = decide(happening_at(facts, moment), policy, moment, key)
        if decision.outcome is Outcome.ASKED:
            return Cell(day, "free")
        against = [verdict for verdict in decision.verdicts if not verdict.allowed]
        waits = [verdict.next_at for verdict in against]
        latest = max((wait for wait in waits if wait), default=None)
        if latest is None or None in waits or latest >= end:
            blocking = [v for v in against if v.next_at is None or v.next_at >= end]
            return Cell(day, "closed", name(min(blocking or against, key=_weight)))
        moment = max(latest, moment + timedelta(seconds=1))
    return Cell(day, "closed", "quiet hours")


def _weight(verdict: Verdict) -> tuple[bool, float]:
    """Refusals before waits; among the former the one that lasts longest."""
    return verdict.postpones, -(verdict.next_at.timestamp() if verdict.next_at else float("inf"))


def name(verdict: Verdict) -> str:
    """A refusing rule in two or three words, as it stands across its days."""
    if verdict.rule == Reason.GAP:
        asks = [item for item in verdict.evidence if isinstance(item, Ask)]
        if len(asks) == 1 and verdict.next_at is not None:
            return f"{words(verdict.next_at - asks[0].at)} of rest"
        return "rest"
    return SHORT.get(verdict.rule, verdict.rule.replace("_", " "))


def _known(facts: Facts, moment: datetime, around: datetime, blocked_since: datetime | None) -> Facts:
    """What was known at that moment: later asks, answers and cases are left out."""
    if moment > around:
        return facts
    person = facts.person
    if blocked_since is not None and blocked_since > moment:
        person = replace(person, blocks=())
    return replace(
        facts,
        person=person,
        asks=tuple(ask for ask in facts.asks if ask.at <= moment),
        answers=tuple(answer for answer in facts.answers if answer.at <= moment),
        sensitive=tuple(event for event in facts.sensitive if event.at <= moment),
        cases=tuple(
            replace(case, closed_at=None) if case.closed_at and case.closed_at > moment else case
            for case in facts.cases
            if case.opened_at <= moment
        ),
    )


def _open_chance(facts: Facts) -> Facts:
    """The same facts about no particular journey, rival or draw: the strip is about rests and limits."""
    candidate = replace(facts.candidate, sample=1.0, instance=None, decision="(strip)", cancelled_by=None)
    return replace(facts, candidate=candidate, already_asked=None, rivals=())


def invented(facts: Facts, around: datetime) -> Facts:
    """The same ask of a customer who does not exist: asked 26 and 5 days ago, reachable, known for years."""
    person = Person(
        key="(invented)",
        known_since=around - timedelta(days=1000),
        addresses=frozenset({"email", "sms"}),
        zones=facts.person.zones,
        zone_source=facts.person.zone_source,
        country=facts.person.country,
    )
    asks = tuple(
        Ask(
            key=f"(invented {ago})",
            decision="",
            at=around - timedelta(days=ago),
            channel="email",
            kind="first",
            tier=tier,
            survey=facts.candidate.survey,
            group=facts.candidate.group,
            step=facts.candidate.step,
            answered=ago > 10,
        )
        for ago, tier in ((5, 1), (26, 2))
    )
    return Facts(person, facts.candidate, asks)


def _start(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _position(moment: datetime, start: datetime) -> float:
    return (moment - start).total_seconds() / 86400
