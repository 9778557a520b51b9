"""Which events a trigger is for, and when what it plans is due. Says nothing about whether to ask."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WEB_ONLY_SPAN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger as the rules see it. `step` is the long form, absent for a recurring trigger."""

    key: str
    survey: str
    channels: tuple[str, ...]
    step: str | None = None
    tier: int = 2
    priority: int = 0
    delay: timedelta = timedelta(0)
    expires: timedelta | None = None
    every: timedelta | None = None
    sample: float = 1.0
    half_width: float | None = None
    per: timedelta = timedelta(days=90)
    where: Mapping[str, object] = field(default_factory=dict)
    reminder_after: timedelta | None = None
    blocked: str = "drop"
    reserve: timedelta | None = None
    web_for: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Plan:
    """When a planned ask is due, until when it may be made, and on which channel it is queued."""

    due_at: datetime
    expires_at: datetime | None
    channel: str


def matches(trigger: Trigger, step: str | None, context: Mapping[str, object]) -> bool:
    """Whether an event at `step` with `context` (properties over attributes) is one the trigger is for."""
    if trigger.step is None or trigger.step != step:
        return False
    return all(name in context and same(context[name], value) for name, value in trigger.where.items())


def same(value: object, wanted: object) -> bool:
    """Whether a context value is the wanted one; true is never 1, and a list matches any of its members."""
    if isinstance(wanted, list | tuple):
        return any(same(value, one) for one in wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return value == wanted


def order_channels(channels: tuple[str, ...], preferred: str | None) -> tuple[str, ...]:
    """The trigger's channels, the customer's own preference first when it is among them."""
    if preferred in channels:
        return (preferred, *(c for c in channels if c != preferred))
    return channels


def next_channel(
    trigger: Trigger, preferred: str | None, used: Collection[str], reachable: Collection[str]
) -> str | None:
    """The channel by which an ask goes on after the `used` ones failed; None where the trigger does not say so."""
    if trigger.blocked != "next_channel":
        return None
    ordered = order_channels(trigger.channels, preferred)
    return next((channel for channel in ordered if channel in reachable and channel not in used), None)


def plan(trigger: Trigger, occurred_at: datetime, preferred: str | None, reachable: Collection[str] = ()) -> Plan:
    """When the ask about an event is due. `delay` and `expires` run from the event.

    It is queued on the first channel by which the person is `reachable`, so that a pause of another holds it not.

    The page comes first where the trigger lists it first: other channels wait `web_for`, and a trigger for the
    page alone is settled when it expires.
    """
    due_at = occurred_at + trigger.delay
    expires_at = occurred_at + trigger.expires if trigger.expires is not None else None
    channels = order_channels(trigger.channels, preferred)
    sendable = [c for c in channels if c != "web"]
    if not sendable:
        expires_at = expires_at or due_at + WEB_ONLY_SPAN
        return Plan(expires_at + timedelta(seconds=1), expires_at, "web")
    if channels[0] == "web":
        due_at += trigger.web_for
    return Plan(due_at, expires_at, next((c for c in sendable if c in reachable), sendable[0]))
