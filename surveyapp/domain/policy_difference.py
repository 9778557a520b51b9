"""What changes between two contact policies, in words: `Rest before a step: 30 days, was 14 days`. Judges nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from surveyapp.domain.policy import EVERYONE, Cap, Exemption, Policy, Quiet, Scope
from surveyapp.domain.policy_words import TIERS, WEEKDAYS, words

OFF = "off"


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule that is not the same. `before` or `after` is `off` where the rule is in one policy alone."""

    rule: str
    before: str
    after: str

    @property
    def text(self) -> str:
        return f"{self.rule}: {self.after}, was {self.before}"


def differences(before: Policy, after: Policy) -> list[Difference]:
    """The rules that differ, in the order of the newer policy; those that it no longer has come last."""
    old, new = _by_rule(before), _by_rule(after)
    names = [*new, *(name for name in old if name not in new)]
    return [
        Difference(name, old.get(name, OFF), new.get(name, OFF))
        for name in names
        if old.get(name, OFF) != new.get(name, OFF)
    ]


def _by_rule(policy: Policy) -> dict[str, str]:
    """Each rule's value by its name; rules of one name are told together."""
    found: dict[str, list[str]] = {}
    for name, value in _values(policy):
        found.setdefault(name, []).append(value)
    return {name: " and ".join(dict.fromkeys(values)) for name, values in found.items()}


def _values(policy: Policy) -> Iterator[tuple[str, str]]:
    for gap in policy.gaps:
        own = ", after asks of the same kind" if gap.clock == "own" else ""
        for tier, rest in sorted(gap.tiers.items()):
            yield f"Rest before a {TIERS[tier]}{own}{_scope(gap.scope)}", words(rest)
    for cap in policy.caps:
        yield _cap(cap)
    yield from _rests(policy)
    for budget in policy.budgets:
        costs = ", ".join(f"{channel} {cost:g}" for channel, cost in sorted(budget.costs.items()))
        yield f"Attention budget in {words(budget.per)}{_scope(budget.scope)}", f"{budget.points:g} points ({costs})"
    for holdout in policy.holdouts:
        named = f" “{holdout.salt}”" if holdout.salt else ""
        yield f"Never-ask group{named}", f"{holdout.share * 100:g} % of customers"
    for quiet in policy.quiets:
        yield _quiet(quiet)
    yield "Holding a due ask for a better one", words(policy.holding) if policy.holding else OFF
    yield "Reminders", "count as asks" if policy.reminders_count else "do not count as asks"
    for exemption in policy.exemptions:
        yield _exemption(exemption)


def _rests(policy: Policy) -> Iterator[tuple[str, str]]:
    for answer_gap in policy.answer_gaps:
        yield f"Rest after an answer{_scope(answer_gap.scope)}", words(answer_gap.rest)
    for back_off in policy.back_offs:
        value = f"{words(back_off.base)}, {back_off.factor:g}× as long after each further one, up to "
        yield f"Rest after unanswered asks{_scope(back_off.scope)}", value + words(back_off.most)
    for grace in policy.graces:
        yield f"Leaving new customers alone{_scope(grace.scope)}", words(grace.rest)
    for case in policy.open_cases:
        also = f", nor for {words(case.rest)} after it closed" if case.rest else ""
        yield f"Open case{_scope(case.scope)}", f"no ask while it is open{also}"
    for same in policy.same_questions:
        yield f"The same question again{_scope(same.scope)}", f"not for {words(same.rest)} after an answer"


def _cap(cap: Cap) -> tuple[str, str]:
    span = "per journey" if cap.journey else f"per calendar {cap.calendar}" if cap.calendar else None
    own = ", counting asks of the same kind" if cap.clock == "own" else ""
    name = f"Asks {span or 'in ' + words(cap.per or timedelta(0))}{own}{_scope(cap.scope)}"
    return name, f"at most {cap.most}" if cap.most else "never"


def _quiet(quiet: Quiet) -> tuple[str, str]:
    where = _scope(quiet.scope)
    if quiet.start is not None and quiet.end is not None:
        spread = f", then spread over {words(quiet.jitter)}" if quiet.jitter else ""
        return f"Quiet hours{where}", f"{quiet.start:%H:%M} to {quiet.end:%H:%M}{spread}"
    if quiet.weekdays:
        return f"Closed weekdays{where}", ", ".join(WEEKDAYS[day] for day in sorted(quiet.weekdays))
    if quiet.by_country is not None:
        country = "of the customer’s own country"
    else:
        country = f"of {quiet.country}" if quiet.country else "none but the days named"
    named = sum(1 for name in (quiet.dates or {}).values() if name == "a day named in the policy")
    return f"Public holidays{where}", country + (f", and {named} days named" if named else "")


def _exemption(exemption: Exemption) -> tuple[str, str]:
    name = f"Exemption from {', '.join(sorted(exemption.rules))}{_scope(exemption.scope)}"
    return name, f"until {exemption.until:%Y-%m-%d %H:%M} UTC ({exemption.reason}, {exemption.author})"


def _scope(scope: Scope) -> str:
    return "" if scope == EVERYONE else scope.words()
