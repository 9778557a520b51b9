"""When could this person be asked? Looks forward by putting later instants to the same `decide`."""

from dataclasses import replace
from datetime import datetime, timedelta

from surveyapp.domain.durations import LONGEST
from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import Ask, Decision, Facts
from surveyapp.domain.policy import Policy
from surveyapp.domain.vocabulary import Outcome, Reason

LOOKS = 40
HORIZON = LONGEST + timedelta(days=400)  # no rule rests longer, and no quiet time after it


def next_eligible(facts: Facts, policy: Policy, now: datetime, key: str) -> datetime | None:
    """The first instant from `now` on at which an event of this kind would be asked about, as things stand.

    None when no passing of time alone would allow it: an opt-out, no address, a closed survey. Where quiet hours end
    it is the opening itself; only asks that waited for it are spread over the time after it.
    """
    policy = replace(policy, quiets=tuple(replace(quiet, jitter=timedelta(0)) for quiet in policy.quiets))
    moment = now
    for _ in range(LOOKS):
        if moment - now > HORIZON:
            return None
        later = happening_at(facts, moment)
        decision = decide(later, policy, moment, key)
        if decision.outcome is Outcome.ASKED:
            return moment
        if any(v.rule == Reason.YIELDED for v in decision.verdicts if not v.allowed):
            facts = rivals_first(facts, now)
            continue
        ends = [end for one in _each_way(later, decision, policy, moment, key) if (end := _refuses_until(one))]
        if not ends:
            return None
        moment = max(min(ends), moment + timedelta(seconds=1))
    return None


def _each_way(facts: Facts, decision: Decision, policy: Policy, moment: datetime, key: str) -> list[Decision]:
    """The rulings of which any may open: with `blocked: next_channel` one for each channel, else the decision."""
    c = facts.candidate
    if c.blocked != "next_channel":
        return [decision]
    ways = [replace(facts, candidate=replace(c, channels=(channel,))) for channel in c.channels]
    return [decide(way, policy, moment, key) for way in ways]


def _refuses_until(decision: Decision) -> datetime | None:
    """The instant before which the rules that stand against it cannot all have ended; None when one never ends."""
    waits = [v.next_at for v in decision.verdicts if not v.allowed]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known and len(known) == len(waits) else None


def rivals_first(facts: Facts, now: datetime) -> Facts:
    """The same facts, with every rival's ask made when it is due."""
    c = facts.candidate
    asks = [
        Ask(rival.decision, rival.decision, max(rival.due_at or now, now), c.channels[0], "first", rival.tier, None)
        for rival in facts.rivals
    ]
    return replace(facts, rivals=(), asks=tuple(sorted((*asks, *facts.asks), key=lambda a: a.at, reverse=True)))


def happening_at(facts: Facts, moment: datetime) -> Facts:
    """The same facts, with the event happening at `moment`."""
    candidate = facts.candidate
    life = candidate.expires_at - candidate.occurred_at if candidate.expires_at else None
    moved = replace(
        candidate, occurred_at=moment, due_at=moment - HORIZON, expires_at=moment + life if life is not None else None
    )
    return replace(facts, candidate=moved)
