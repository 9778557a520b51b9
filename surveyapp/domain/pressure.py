"""The rules that count earlier asks: caps, gaps, back-off, grace, budget. Each reads facts and says so in words.

Windows roll: an ask at `t` counts at `now` while now − window < t ≤ now, so a person is free again at
exactly t + window. An ask dated in the future counts, too. Zero means never, absent means no limit.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from surveyapp.domain.durations import format_duration
from surveyapp.domain.facts import Answer, Ask, Facts, Verdict, ask_in_scope
from surveyapp.domain.policy import Cap, Policy, Scope
from surveyapp.domain.quiet_hours import calendar_start, next_calendar_start
from surveyapp.domain.vocabulary import Reason


def _counted(facts: Facts, policy: Policy, scope: Scope, clock: str) -> list[Ask]:
    """The asks a rule counts, newest first."""
    asks = facts.asks if policy.reminders_count else tuple(a for a in facts.asks if a.kind != "reminder")
    return [a for a in asks if ask_in_scope(a, scope)] if clock == "own" else list(asks)


def _free_again(asks: Sequence[Ask], most: int, window: timedelta, now: datetime) -> tuple[list[Ask], datetime | None]:
    """The asks inside the window and, when there are `most` or more, the instant at which there is room again."""
    inside = [a for a in asks if a.at > now - window]
    if len(inside) < most:
        return inside, None
    return inside, (sorted(a.at for a in inside)[len(inside) - most] + window if most else None)


def caps(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    for cap in policy.caps:
        if not facts.candidate.in_scope(cap.scope, channel):
            continue
        if cap.journey:
            yield _journey_cap(facts, policy, cap)
            continue
        asks = _counted(facts, policy, cap.scope, cap.clock)
        if cap.calendar:
            start = calendar_start(now, facts.person.zones[0], cap.calendar)
            inside = [a for a in asks if a.at >= start]
            full = len(inside) >= cap.most
            free = next_calendar_start(now, facts.person.zones[0], cap.calendar) if full and cap.most else None
            span = f"per calendar {cap.calendar} ({facts.person.zones[0]})"
        else:
            window = cap.per or timedelta(0)
            inside, free = _free_again(asks, cap.most, window, now)
            full = len(inside) >= cap.most
            span = f"in {format_duration(window)}"
        where = cap.scope.words()
        if full:
            why = f"{len(inside)} of at most {cap.most} asks {span}{where}" if cap.most else f"never asked{where}"
            yield Verdict(Reason.CAP, False, why, free, tuple(inside))
        else:
            yield Verdict(Reason.CAP, True, f"{len(inside)} of at most {cap.most} asks {span}{where}")


def _journey_cap(facts: Facts, policy: Policy, cap: Cap) -> Verdict:
    """At most so many asks, within the rule's scope, about one trip, claim or ride. A reminder belongs to its ask."""
    c = facts.candidate
    asked = (a for a in facts.asks if a.instance is not None and a.instance == c.instance and a.journey == c.journey)
    same = [a for a in asked if ask_in_scope(a, cap.scope)]
    asks = {a.decision: a for a in same if a.decision != c.decision}
    if c.instance is None:
        return Verdict(Reason.JOURNEY_CAP, True, "the event belongs to no instance")
    if len(asks) >= cap.most:
        why = f"{len(asks)} of at most {cap.most} asks about this {c.journey}"
        return Verdict(Reason.JOURNEY_CAP, False, why, None, tuple(asks.values()))
    return Verdict(Reason.JOURNEY_CAP, True, f"{len(asks)} of at most {cap.most} asks about this {c.journey}")


def gaps(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    c = facts.candidate
    for rule in policy.gaps:
        rest = rule.tiers.get(c.tier)
        if rest is None or not c.in_scope(rule.scope, channel):
            continue
        asks = [a for a in _counted(facts, policy, rule.scope, rule.clock) if a.decision != c.decision]
        where = rule.scope.words()
        span = format_duration(rest)
        last = max(asks, key=lambda a: a.at, default=None)
        if last and last.at + rest > now:
            why = f"last asked {last.at:%Y-%m-%d %H:%M} UTC; {span} of rest are due{where}"
            yield Verdict(Reason.GAP, False, why, last.at + rest, (last,))
        else:
            yield Verdict(Reason.GAP, True, f"{span} of rest are over{where}")


def answer_gaps(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    for rule in policy.answer_gaps:
        if facts.candidate.in_scope(rule.scope, channel):
            last = max(facts.answers, key=lambda a: a.at, default=None)
            yield _rest_after(last, rule.rest, now, "the last answer")


def same_questions(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    c = facts.candidate
    for rule in policy.same_questions:
        if c.in_scope(rule.scope, channel):
            same = (a for a in facts.answers if a.metric == c.metric and a.step == c.step)
            last = max(same, key=lambda a: a.at, default=None)
            yield _rest_after(last, rule.rest, now, "the same question was answered")


def graces(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    for rule in policy.graces:
        if facts.candidate.in_scope(rule.scope, channel):
            yield _rest_since(facts.person.known_since, rule.rest, now, "the customer became known")


def _rest_after(answer: Answer | None, rest: timedelta, now: datetime, what: str) -> Verdict:
    if answer is None:
        return Verdict(Reason.GAP, True, "no answer to rest from")
    return _rest_since(answer.at, rest, now, what, (answer,))


def _rest_since(
    moment: datetime, rest: timedelta, now: datetime, what: str, evidence: tuple[Answer, ...] = ()
) -> Verdict:
    span = format_duration(rest)
    if moment + rest > now:
        why = f"{span} of rest are due since {what} ({moment:%Y-%m-%d})"
        return Verdict(Reason.GAP, False, why, moment + rest, evidence)
    return Verdict(Reason.GAP, True, f"{span} of rest since {what} are over")


def back_offs(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    c = facts.candidate
    for rule in policy.back_offs:
        if not c.in_scope(rule.scope, channel):
            continue
        ignored: list[Ask] = []
        for ask in sorted(facts.asks, key=lambda a: a.at, reverse=True):
            if ask.answered:
                break
            if ask.kind == "first" and ask.decision != c.decision:
                ignored.append(ask)
        if not ignored:
            yield Verdict(Reason.GAP, True, "the last ask was answered")
            continue
        grown = min(rule.most, rule.base * min(rule.factor ** (len(ignored) - 1), 10_000))
        rest = timedelta(seconds=round(grown.total_seconds()))
        free = ignored[0].at + rest
        why = f"{len(ignored)} asks in a row went unanswered: {format_duration(rest)} of rest"
        yield Verdict(Reason.GAP, free <= now, why, free if free > now else None, tuple(ignored))


def budgets(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    for rule in policy.budgets:
        if not facts.candidate.in_scope(rule.scope, channel):
            continue
        cost = rule.costs.get(channel, 1.0)
        asks = [a for a in _counted(facts, policy, rule.scope, "own") if a.at > now - rule.per]
        spent = sum(rule.costs.get(a.channel, 1.0) for a in asks)
        span = format_duration(rule.per)
        if spent + cost <= rule.points:
            yield Verdict(Reason.BUDGET, True, f"{spent:g} of {rule.points:g} points spent in {span}")
            continue
        free, left = None, spent
        for ask in sorted(asks, key=lambda a: a.at):
            left -= rule.costs.get(ask.channel, 1.0)
            if left + cost <= rule.points:
                free = ask.at + rule.per
                break
        why = f"{spent:g} of {rule.points:g} points spent in {span}; {channel} costs {cost:g}"
        yield Verdict(Reason.BUDGET, False, why, free, tuple(asks))


PRESSURE_RULES: tuple[Callable[[Facts, Policy, datetime, str, str], Iterator[Verdict]], ...] = (
    caps,
    gaps,
    answer_gaps,
    same_questions,
    graces,
    back_offs,
    budgets,
)
