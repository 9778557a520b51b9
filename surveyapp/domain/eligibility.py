"""May we ask this person, this, now, here? `decide` puts every rule to the facts and keeps every verdict.

Pure: no clock, no database, no chance. The same call serves sending, the widget, explaining and simulating.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from surveyapp.domain.durations import format_duration
from surveyapp.domain.facts import KIND, Decision, Earlier, Facts, Verdict
from surveyapp.domain.policy import Policy
from surveyapp.domain.pressure import PRESSURE_RULES
from surveyapp.domain.quiet_hours import closed_because, next_open, window_of
from surveyapp.domain.sampling import coin, event_message, period_number, sticky_message
from surveyapp.domain.vocabulary import Outcome, Reason

RuleFunction = Callable[[Facts, Policy, datetime, str, str], Iterator[Verdict]]
ORDER = {reason.value: position for position, reason in enumerate(Reason)}
ADDRESS_REASONS = {Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.OPTED_OUT, Reason.SUPPRESSED_ADDRESS}


def consent(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    if facts.person.erased or any(b.reason == "erased" for b in facts.person.blocks):
        yield Verdict(Reason.NO_CONSENT, False, "the person was erased")
    elif facts.person.consent.get(channel, True) is False:
        yield Verdict(Reason.NO_CONSENT, False, f"the customer did not consent to {channel}")
    else:
        yield Verdict(Reason.NO_CONSENT, True, "nothing speaks against it")


def address(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    if channel == "web" or channel in facts.person.addresses:
        yield Verdict(Reason.NO_ADDRESS, True, "there is an address")
    else:
        yield Verdict(Reason.NO_ADDRESS, False, f"no address is known for {channel}")


def suppression(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    found: dict[str, Verdict] = {}
    for block in facts.person.blocks:
        if block.channel not in (channel, "all", facts.candidate.of_kind) or (block.until and block.until <= now):
            continue
        if block.reason == "opted_out":
            found[Reason.OPTED_OUT] = Verdict(Reason.OPTED_OUT, False, f"opted out of {_what(block.channel)}")
        elif block.reason == "paused":
            found[Reason.PAUSED] = Verdict(Reason.PAUSED, False, "the customer asked for a break", block.until)
        elif block.reason != "erased":
            why = f"the address refuses messages ({block.reason})"
            found[Reason.SUPPRESSED_ADDRESS] = Verdict(Reason.SUPPRESSED_ADDRESS, False, why)
    for reason, why in (
        (Reason.OPTED_OUT, "not opted out"),
        (Reason.SUPPRESSED_ADDRESS, "the address takes messages"),
        (Reason.PAUSED, "no break was asked for"),
    ):
        yield found.get(reason) or Verdict(reason, True, why)


def _what(channel: str) -> str:
    return f"questions about {channel.removeprefix(KIND)}" if channel.startswith(KIND) else channel


def switches(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    stopped = facts.candidate.stopped
    if channel in stopped or "all" in stopped:
        yield Verdict(Reason.STOPPED, False, "stopped by an operator")
    else:
        yield Verdict(Reason.STOPPED, True, "nothing is stopped")
    if facts.candidate.survey_open:
        yield Verdict(Reason.SURVEY_CLOSED, True, "the survey is open")
    else:
        yield Verdict(Reason.SURVEY_CLOSED, False, "the survey is closed or archived")


def sensitive(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    holding = [s for s in facts.sensitive if s.until > now]
    if holding:
        last = max(holding, key=lambda s: s.until)
        why = f"the event {last.step} of {last.at:%Y-%m-%d} stops all asks"
        yield Verdict(Reason.SENSITIVE, False, why, last.until, tuple(holding))
    else:
        yield Verdict(Reason.SENSITIVE, True, "no sensitive event")


def open_case(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    for rule in policy.open_cases:
        if not facts.candidate.in_scope(rule.scope, channel):
            continue
        open_now = tuple(c for c in facts.cases if c.closed_at is None)
        if open_now:
            yield Verdict(Reason.OPEN_CASE, False, "a case is open", None, open_now)
            continue
        last = max((c for c in facts.cases if c.closed_at), key=lambda c: c.closed_at or now, default=None)
        if last and last.closed_at and last.closed_at + rule.rest > now:
            why = f"a case closed {last.closed_at:%Y-%m-%d %H:%M} UTC; {format_duration(rule.rest)} of rest are due"
            yield Verdict(Reason.OPEN_CASE, False, why, last.closed_at + rule.rest, (last,))
        else:
            yield Verdict(Reason.OPEN_CASE, True, "no case is open")


def holdout(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    for rule in policy.holdouts:
        if coin(key, f"contact:{facts.person.key}|holdout:{rule.salt}") < rule.share:
            yield Verdict(Reason.HOLDOUT, False, "the person is in the group that is never asked")
        else:
            yield Verdict(Reason.HOLDOUT, True, "not in the group that is never asked")


def expiry(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    candidate = facts.candidate
    if candidate.cancelled_by:
        yield Verdict(Reason.EXPIRED, False, f"cancelled by the event {candidate.cancelled_by}")
    elif candidate.expires_at and now > candidate.expires_at:
        yield Verdict(Reason.EXPIRED, False, f"could be asked until {candidate.expires_at:%Y-%m-%d %H:%M} UTC")
    else:
        yield Verdict(Reason.EXPIRED, True, "still in time")


def already_asked(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    if facts.already_asked:
        why = "this survey was already asked or answered about this"
        yield Verdict(Reason.ALREADY_ASKED, False, why, None, (Earlier(facts.already_asked),))
    else:
        yield Verdict(Reason.ALREADY_ASKED, True, "not asked about this before")


def yielding(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    mine = rank(facts.candidate.tier, facts.candidate.priority, facts.candidate.expires_at, facts.candidate.occurred_at)
    for rival in facts.rivals:
        theirs = rank(rival.tier, rival.priority, rival.expires_at, rival.occurred_at)
        if rival.reserved_from is not None:
            if facts.candidate.tier > 1 and rival.decision != facts.candidate.decision:
                why = f"the time is reserved for {rival.trigger}, due {rival.due_at:%Y-%m-%d}"
                yield Verdict(Reason.YIELDED, False, why, None, (Earlier(rival.decision, rival.trigger),))
                return
        elif theirs < mine:
            why = f"gave way to {rival.trigger}, which matters more"
            yield Verdict(Reason.YIELDED, False, why, None, (Earlier(rival.decision, rival.trigger),))
            return
    yield Verdict(Reason.YIELDED, True, "nothing more important waits for this person")


def rank(tier: int, priority: int, expires_at: datetime | None, occurred_at: datetime) -> tuple[int, int, float, float]:
    """Sort key of competing asks, best first: tier, priority, earlier expiry, earlier event."""
    return tier, -priority, expires_at.timestamp() if expires_at else float("inf"), occurred_at.timestamp()


def sampling(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    c = facts.candidate
    if c.sample >= 1:
        yield Verdict(Reason.SAMPLED_OUT, True, "everyone is drawn")
        return
    if c.per_event:
        draw = coin(key, event_message(facts.person.key, c.step or c.trigger, c.event))
    else:
        draw = coin(key, sticky_message(facts.person.key, c.survey, period_number(c.occurred_at, c.per)))
    if draw < c.sample:
        yield Verdict(Reason.SAMPLED_OUT, True, f"drawn: {draw:.4f} is below {c.sample:g}")
    else:
        free = None
        if not c.per_event:
            free = _next_period(c.occurred_at, c.per)
        yield Verdict(Reason.SAMPLED_OUT, False, f"not drawn: {draw:.4f} is not below {c.sample:g}", free)


def _next_period(moment: datetime, per: timedelta) -> datetime:
    number = period_number(moment, per) + 1
    return datetime.fromtimestamp(number * per.total_seconds(), tz=moment.tzinfo)


def holding(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    until = facts.candidate.due_at + policy.holding
    if policy.holding and facts.candidate.kind == "first" and until > now and channel != "web":
        yield Verdict("holding", False, "waits in case something more important comes", until, (), True)


def quiet(facts: Facts, policy: Policy, now: datetime, channel: str, key: str) -> Iterator[Verdict]:
    if channel == "web":
        return
    zones = facts.person.zones
    for rule in policy.quiets:
        if not facts.candidate.in_scope(rule.scope, channel):
            continue
        window = window_of(rule, facts.person.country)
        why = closed_because(now, zones, window)
        if why is None:
            yield Verdict("quiet_hours", True, f"open hours ({zones[0]}, from {facts.person.zone_source})")
            continue
        opens = next_open(now, zones, window)
        if opens is None:
            yield Verdict(Reason.EXPIRED, False, "there is no open hour for this customer within a year")
            continue
        spread = rule.jitter * coin(key, f"jitter:{facts.candidate.decision}:{opens.isoformat()}")
        yield Verdict(
            "quiet_hours", False, f"{why} ({zones[0]}, from {facts.person.zone_source})", opens + spread, (), True
        )


RULES: tuple[RuleFunction, ...] = (
    consent,
    address,
    suppression,
    switches,
    sensitive,
    open_case,
    holdout,
    expiry,
    already_asked,
    *PRESSURE_RULES,
    yielding,
    sampling,
    holding,
    quiet,
)


def decide(facts: Facts, policy: Policy, now: datetime, key: str) -> Decision:
    """Whether to ask, wait or refuse, with every rule's verdict in deciding order.

    `now` is aware; `key` keys the coin. The first channel whose address may be used is judged; with
    `blocked: next_channel` a refusal by a rule on pressure tries the next one. The reason is the first refusal
    in the order of `Reason`. A wait never reaches past the candidate's expiry. Channels that were passed over are
    named, with why, in a verdict of their own.
    """
    first: Decision | None = None
    passed: list[str] = []
    for channel in facts.candidate.channels:
        decision = _on_channel(facts, policy, now, key, channel)
        if decision.outcome is not Outcome.REFUSED:
            if passed:
                chosen = Verdict("channel", True, f"by {channel}, since not by {'; not by '.join(passed)}")
                decision = decision._replace(verdicts=(*decision.verdicts, chosen))
            return decision
        passed.append(f"{channel} ({_deciding(decision).why})")
        if first is None or first.reason in ADDRESS_REASONS and _weight(decision.reason) > _weight(first.reason):
            first = decision
        if decision.reason not in ADDRESS_REASONS and facts.candidate.blocked != "next_channel":
            return decision
    assert first is not None, "a trigger has at least one channel"
    return first


def _weight(reason: str | None) -> int:
    """How much a channel's refusal says: more the later its reason, least where there is no address at all."""
    return -1 if reason == Reason.NO_ADDRESS else ORDER[reason or ""]


def _on_channel(facts: Facts, policy: Policy, now: datetime, key: str, channel: str) -> Decision:
    candidate = facts.candidate
    exempt = _exempt(facts, policy, now, channel)
    verdicts = []
    for rule in RULES:
        for verdict in rule(facts, policy, now, channel, key):
            if not verdict.allowed and verdict.rule in exempt:
                verdict = verdict._replace(allowed=True, why=f"{verdict.why}; exempt: {exempt[verdict.rule]}")
            verdicts.append(verdict)
    kept = tuple(verdicts)
    inclusion = candidate.sample
    refusals = [v for v in kept if not v.allowed and not v.postpones]
    postponed = [v for v in kept if not v.allowed and v.postpones]
    if refusals:
        reason = min(refusals, key=lambda v: ORDER[v.rule]).rule
        waits = [v.next_at for v in refusals + postponed]
        drawn = any(v.rule == Reason.SAMPLED_OUT for v in refusals)  # another period draws for other events
        if candidate.blocked == "wait" and not drawn and all(waits):
            moment = max(w for w in waits if w)
            if candidate.expires_at is None or moment <= candidate.expires_at:
                return Decision(Outcome.WAITING, reason, channel, kept, moment, inclusion)
        return Decision(Outcome.REFUSED, reason, channel, kept, None, inclusion)
    if postponed:
        moment = max(v.next_at for v in postponed if v.next_at)
        if candidate.expires_at and moment > candidate.expires_at:
            late = Verdict(Reason.EXPIRED, False, f"the next open moment ({moment:%Y-%m-%d %H:%M} UTC) is too late")
            return Decision(Outcome.REFUSED, Reason.EXPIRED, channel, (*kept, late), None, inclusion)
        return Decision(Outcome.WAITING, postponed[-1].rule, channel, kept, moment, inclusion)
    return Decision(Outcome.ASKED, None, channel, kept, None, inclusion)


def _deciding(decision: Decision) -> Verdict:
    """The verdict that gives a refusal its reason."""
    return next(v for v in decision.verdicts if not v.allowed and v.rule == decision.reason)


def _exempt(facts: Facts, policy: Policy, now: datetime, channel: str) -> dict[str, str]:
    """The rules from which this ask is exempt, each with the reason given."""
    return {
        rule: exemption.reason
        for exemption in policy.exemptions
        if exemption.until > now and facts.candidate.in_scope(exemption.scope, channel)
        for rule in exemption.rules
    }
