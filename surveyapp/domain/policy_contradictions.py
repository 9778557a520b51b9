"""Rules of a policy that cancel one another: what can never let an ask through, and what never matters."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from surveyapp.domain.durations import format_duration
from surveyapp.domain.policy import EVERYONE, Budget, Cap, Policy, Quiet
from surveyapp.domain.policy_values import CHANNELS, Path

DAY = 24 * 60
CALENDAR = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}


def contradictions(found: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Path, str]]:
    """What cannot be, with the sentence that says what to write instead. `found` are rules by field of Policy."""
    yield from _caps(found.get("caps", ()))
    yield from _budgets(found.get("budgets", ()))
    yield from _never_open(found.get("quiets", ()))


def _caps(caps: Sequence[Cap]) -> Iterator[tuple[Path, str]]:
    for cap in caps:
        for other in caps:
            same = cap.scope == other.scope and cap.clock == other.clock
            if same and cap.most > other.most and _lies_within(cap, other):
                yield (
                    ("caps",),
                    f"{cap.most} asks in the shorter window can never happen, since the longer one allows "
                    f"{other.most}: lower the first or raise the second",
                )


def _lies_within(cap: Cap, other: Cap) -> bool:
    """Whether every window of the one lies inside a window of the other; a week may begin in another month."""
    if cap.calendar and other.calendar:
        return cap.calendar == "day" and other.calendar != "day"
    shorter = CALENDAR[cap.calendar] if cap.calendar else cap.per
    return bool(shorter and other.per and shorter < other.per)


def _budgets(budgets: Sequence[Budget]) -> Iterator[tuple[Path, str]]:
    for budget in budgets:
        channels = [budget.scope.channel] if budget.scope.channel else CHANNELS
        if budget.points and all(budget.costs.get(channel, 1.0) > budget.points for channel in channels):
            yield (
                ("rules",),
                f"the budget{budget.scope.words()} is smaller than the cost of a single ask: raise the points",
            )


def _never_open(quiets: Sequence[Quiet]) -> Iterator[tuple[Path, str]]:
    """Rules on when that leave no moment, or too short a one, for everybody or for all that one scope covers."""
    for scope in dict.fromkeys(quiet.scope for quiet in quiets):
        mine = [quiet for quiet in quiets if quiet.scope in (EVERYONE, scope)]
        where = scope.words()
        if len({day for quiet in mine for day in quiet.weekdays}) == 7:
            yield (
                ("rules",),
                f"together these rules close all seven days{where}: nobody could ever be asked; leave a day open",
            )
        closed = {minute for quiet in mine for minute in _minutes(quiet.start, quiet.end)}
        spread = max((quiet.jitter for quiet in mine if quiet.start is not None), default=timedelta(0))
        left = timedelta(minutes=DAY - len(closed))
        if not left:
            yield (
                ("rules",),
                f"together the quiet hours cover the whole day{where}: nobody could ever be asked; leave an hour open",
            )
        elif left < spread:
            yield (
                ("rules",),
                f"the quiet hours leave {format_duration(left)} of the day open{where}, and asks are spread over "
                f"{format_duration(spread)} after opening: leave more open, or make jitter shorter",
            )


def _minutes(start: time | None, end: time | None) -> set[int]:
    if start is None or end is None:
        return set()
    first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    return set(range(first, last)) if first <= last else set(range(first, DAY)) | set(range(last))


def remarks(policy: Policy) -> list[str]:
    """Rules that are allowed and never matter, or say `never`, in sentences for whoever is writing the policy."""
    found = []
    rests = [g for g in policy.gaps if g.clock == "shared" and g.scope == EVERYONE and len(g.tiers) == 3]
    for cap in policy.caps:
        if not cap.most:
            found.append(f"A limit of 0 means never{cap.scope.words()}. Take the rule away for no limit.")
        for gap in rests:
            least = min(gap.tiers.values())
            if cap.per and least and cap.most > -(-cap.per // least):
                found.append(
                    f"At most {cap.most} asks in {format_duration(cap.per)}{cap.scope.words()} never matters: "
                    f"{format_duration(least)} of rest already allow fewer."
                )
    for own in (g for g in policy.gaps if g.scope != EVERYONE):
        if any(all(rest <= floor.tiers[tier] for tier, rest in own.tiers.items()) for floor in rests):
            found.append(
                f"The rest{own.scope.words()} never matters: the rest between any two asks is at least as long. "
                "Make it longer than that, or take it away."
            )
    for budget in policy.budgets:
        if not budget.points:
            found.append(f"A budget of 0 points means never{budget.scope.words()}. Take the rule away for no limit.")
    if any(set(gap.tiers.values()) == {timedelta(0)} for gap in policy.gaps):
        found.append("A rest of no time never matters. Take the rule away or give it a length.")
    return found
