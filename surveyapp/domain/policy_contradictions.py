"""Rules of a policy that cancel one another: what can never let an ask through, and what never matters."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from surveyapp.domain.durations import format_duration
from surveyapp.domain.policy import EVERYONE, Budget, Cap, Policy, Quiet
from surveyapp.domain.policy_values import Path

DAY = 24 * 60


def contradictions(found: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Path, str]]:
    """What cannot be, with the sentence that says what to write instead. `found` are rules by field of Policy."""
    yield from _caps(found.get("caps", ()))
    yield from _budgets(found.get("budgets", ()))
    yield from _never_open(found.get("quiets", ()))


def _caps(caps: Sequence[Cap]) -> Iterator[tuple[Path, str]]:
    for cap in caps:
        for other in caps:
            same = cap.scope == other.scope and cap.clock == other.clock
            if same and cap.per and other.per and cap.per < other.per and cap.most > other.most:
                yield (
                    ("caps",),
                    f"{cap.most} asks in the shorter window can never happen, since the longer one allows "
                    f"{other.most}: lower the first or raise the second",
                )


def _budgets(budgets: Sequence[Budget]) -> Iterator[tuple[Path, str]]:
    for budget in budgets:
        if budget.points and all(cost > budget.points for cost in budget.costs.values()):
            yield (
                ("rules",),
                "the budget is smaller than the cost of a single ask on every channel: raise the points",
            )


def _never_open(quiets: Sequence[Quiet]) -> Iterator[tuple[Path, str]]:
    general = [quiet for quiet in quiets if quiet.scope == EVERYONE]
    if len({day for quiet in general for day in quiet.weekdays}) == 7:
        yield ("rules",), "together these rules close all seven days: nobody could ever be asked; leave a day open"
    closed: set[int] = set()
    for quiet in general:
        if quiet.start is not None and quiet.end is not None:
            closed |= _minutes(quiet.start, quiet.end)
    if len(closed) == DAY:
        yield ("rules",), "together the quiet hours cover the whole day: nobody could ever be asked; leave an hour open"


def _minutes(start: time, end: time) -> set[int]:
    first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    return set(range(first, last)) if first <= last else set(range(first, DAY)) | set(range(last))


def remarks(policy: Policy) -> list[str]:
    """Rules that are allowed and never matter, or say `never`, in sentences for whoever is writing the policy."""
    found = []
    for cap in policy.caps:
        if not cap.most:
            found.append(f"A limit of 0 means never{cap.scope.words()}. Take the rule away for no limit.")
        rests = [g for g in policy.gaps if g.clock == "shared" and g.scope == EVERYONE and len(g.tiers) == 3]
        for gap in rests:
            least = min(gap.tiers.values())
            if cap.per and least and cap.most > -(-cap.per // least):
                found.append(
                    f"At most {cap.most} asks in {format_duration(cap.per)}{cap.scope.words()} never matters: "
                    f"{format_duration(least)} of rest already allow fewer."
                )
    if any(set(gap.tiers.values()) == {timedelta(0)} for gap in policy.gaps):
        found.append("A rest of no time never matters. Take the rule away or give it a length.")
    return found
