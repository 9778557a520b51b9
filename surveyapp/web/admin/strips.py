"""The calendar strip of one customer, real or invented: gathers the facts, lets `strip.draw` judge, finds the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from surveyapp.domain import strip as drawing
from surveyapp.domain.facts import Facts
from surveyapp.domain.policy import Policy
from surveyapp.models import Customer, Trigger
from surveyapp.queries import prospects
from surveyapp.queries.console import customers as customer_queries
from surveyapp.queries.console import policy as queries
from surveyapp.web.admin import formats, shell
from surveyapp.web.admin.words import step_words

LANES = {1: "Moment of truth", 2: "Step", 3: "Relationship"}
NOUNS = {1: "A moment of truth", 2: "A step", 3: "A relationship survey"}
TOP, ROW = 30, 30


@dataclass(frozen=True)
class Shown:
    """A strip with its words, ready for the macro."""

    strip: drawing.Strip
    labels: dict[int, str]
    about: dict[int, str]
    sentence: str
    marks: list[tuple[float, str]]
    height: int
    who: str
    invented: bool

    def x(self, day: float) -> str:
        """A position in days as a percentage of the width."""
        return f"{100 * day / drawing.DAYS:.3f}%"


def show(
    session: Session, policy: Policy, customer: Customer | None, around: datetime, first: Trigger | None = None
) -> Shown | None:
    """The weeks around an instant under a policy; of an invented customer where none is given.

    Each lane asks by the first live trigger of its tier, if possible of the journey of `first`; by `first` in its own.
    None without any trigger.
    """
    journey = first.step.journey_id if first and first.step else None
    triggers = queries.triggers_by_tier(session, journey)
    if first is not None:
        triggers[first.tier] = first
    if not triggers:
        return None
    zone = (customer.timezone if customer else None) or shell.zone()
    start = drawing.begins(around, zone)
    person = customer or Customer(id=0, external_id="(invented)", created_at=start, consent={}, attributes={})
    key = current_app.config["CONTACT_PEPPER"]
    facts = {tier: prospects.facts_for(session, person, one, policy, start, key) for tier, one in triggers.items()}
    if customer is None:
        facts = {tier: drawing.invented(one, around) for tier, one in facts.items()}
    spare = next(iter(facts.values()))
    for tier in LANES:
        facts.setdefault(tier, _as_tier(spare, tier))
    happened, since = [], None
    if customer is not None:
        end = start + timedelta(days=drawing.DAYS)
        rows = queries.happenings(session, customer.id, start, end)
        happened = _by_day(rows, zone)
        blocks = [row.at for row in customer_queries.blocks_of(session, customer)]
        since = min(blocks) if blocks else None
    drawn = drawing.draw(facts, policy, around, key, happened, since)
    about = {
        tier: step_words(trigger.step.name if trigger.step else None, None, trigger.key)
        for tier, trigger in triggers.items()
    }
    return Shown(
        drawn,
        LANES,
        about,
        sentence(drawn),
        [(float(7 * week), formats.day_words(drawn.days[7 * week], shell.today())) for week in range(8)],
        TOP + ROW * len(drawn.lanes) + 36,
        customer.external_id or "" if customer else "an invented customer",
        customer is None,
    )


def _as_tier(facts: Facts, tier: int) -> Facts:
    return replace(facts, candidate=replace(facts.candidate, tier=tier))


def _by_day(rows: Sequence[queries.Happening], zone: str) -> list[tuple[datetime, str]]:
    """One mark for each day with events, at the first of them, naming all."""
    days: dict[date, list[queries.Happening]] = {}
    for row in sorted(rows, key=lambda row: row.at):
        days.setdefault(formats.local(row.at, zone).date(), []).append(row)
    return [
        (listed[0].at, f"{formats.day_words(day, shell.today())}: {', '.join(_event(row) for row in listed)}")
        for day, listed in days.items()
    ]


def _event(row: queries.Happening) -> str:
    return step_words(row.step, None, row.name or "event")


def sentence(drawn: drawing.Strip) -> str:
    """What the strip shows, in words: when asked, and from when each kind of ask is possible again."""
    asked = drawn.asked()
    told = f"Asked on {_days(asked)}." if asked else "Not asked in these eight weeks."
    now = next((lane for lane in drawn.lanes), None)
    parts = [told] if now else []
    for lane in drawn.lanes:
        parts.append(f"{NOUNS[lane.tier]} {_possible(lane, drawn)}.")
    return " ".join(parts)


def _possible(lane: drawing.Lane, drawn: drawing.Strip) -> str:
    if lane.next_at is None:
        return "is not possible, however long one waits"
    day = lane.next_at.astimezone(formats.local(lane.next_at, drawn.zone).tzinfo).date()
    today = drawn.days[int(drawn.today)] if drawn.today is not None and 0 <= drawn.today < drawing.DAYS else None
    if day == today:
        return "is possible today"
    return f"is possible again from {formats.day_words(day, shell.today())}"


def _days(days: list[date]) -> str:
    spoken = [formats.day_words(day, shell.today()) for day in days]
    return spoken[0] if len(spoken) == 1 else f"{', '.join(spoken[:-1])} and {spoken[-1]}"


def difference(draft: Shown, live: Shown, number: int) -> str:
    """Where the draft and the policy in force part for this customer, in a sentence; empty when they do not."""
    parts = []
    old: Mapping[int, Any] = {lane.tier: lane for lane in live.strip.lanes}
    for lane in draft.strip.lanes:
        before, after = _possible(old[lane.tier], live.strip), _possible(lane, draft.strip)
        if before != after:
            parts.append(
                f"{NOUNS[lane.tier]} {before} under v{number}, and {after.removeprefix('is ')} under this draft."
            )
    return " ".join(parts)
