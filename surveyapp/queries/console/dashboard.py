"""What a metric's pages read: sums by day, by group in two periods, and what they may be filtered by. Read only.

Only cells are read, never answers, so a page costs the same at any number of answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.domain.reporting_values import reporting_text
from surveyapp.models import (
    Journey,
    Partner,
    ReportingAttribute,
    ReportingValue,
    Step,
    Survey,
    SurveyVersion,
)
from surveyapp.queries import cells
from surveyapp.queries.cells import Wanted
from surveyapp.queries.console.figures import Attribute, Pair, Period
from surveyapp.queries.metrics import (
    MOST_GROUPS,
    PLAIN,
    Filters,
    Key,
    Sums,
    TooManyGroups,
    column_of,
    key_of,
)


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a survey that asks the metric."""

    survey: str
    number: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class StepChoice:
    path: str
    name: Mapping[str, Any]
    phase: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a metric's figures may be filtered and grouped by, with names."""

    versions: tuple[Version, ...]
    journeys: Mapping[str, Mapping[str, Any]]
    steps: tuple[StepChoice, ...]
    partners: Mapping[str, str]
    attributes: tuple[Attribute, ...]

    @property
    def surveys(self) -> list[str]:
        return sorted({version.survey for version in self.versions})

    @property
    def phases(self) -> list[str]:
        return list(dict.fromkeys(step.phase for step in self.steps if step.phase))


def choices(session: Session, metric: str) -> Choices:
    """The choices of one metric. Four statements."""
    versions = session.execute(
        select(Survey.key, SurveyVersion.number, SurveyVersion.published_at)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(Survey.metric == metric)
        .order_by(SurveyVersion.published_at, Survey.key, SurveyVersion.number)
    )
    places = session.execute(
        select(Journey.key, Journey.name, Step.key, Step.name, Step.phase)
        .outerjoin(Step, Step.journey_id == Journey.id)
        .order_by(Journey.position, Journey.id, Step.position, Step.id)
    ).all()
    partners = session.execute(select(Partner.key, Partner.name).order_by(Partner.key))
    return Choices(
        tuple(Version(row[0], row[1], row[2]) for row in versions),
        {row[0]: row[1] for row in places},
        tuple(StepChoice(f"{row[0]}.{row[2]}", row[3], row[4]) for row in places if row[2]),
        {row[0]: row[1] for row in partners},
        _attributes(session),
    )


def _attributes(session: Session) -> tuple[Attribute, ...]:
    """The reporting attributes in the order of their columns, those without a value too."""
    rows = session.execute(
        select(ReportingAttribute.name, ReportingAttribute.slot, ReportingValue.value)
        .outerjoin(ReportingValue, ReportingValue.name == ReportingAttribute.name)
        .where(ReportingAttribute.slot.is_not(None))
        .order_by(ReportingAttribute.slot, ReportingValue.value)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for name, slot, value in rows:
        found.setdefault((name, f"a{slot}"), []).extend([] if value is None else [value])
    return tuple(Attribute(name, column, tuple(values)) for (name, column), values in found.items())


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cells a page reads: a metric's, under filters without days. `slots` are the attributes' columns."""

    metric: str
    filters: Filters
    slots: Mapping[str, str]

    @property
    def equal(self) -> dict[str, Any]:
        """What the columns of a cell must be."""
        plain = {name: getattr(self.filters, name) for name in PLAIN if getattr(self.filters, name) is not None}
        return plain | {self.slots[name]: reporting_text(value) for name, value in self.filters.context.items()}


def daily_sums(session: Session, scope: Scope, period: Period) -> dict[date, Sums]:
    """The sums of every reporting day that has answers, in order of time. One statement."""
    found: dict[date, Sums] = {}
    for row in cells.sums(session, Wanted(("day",), scope.metric, scope.equal, [(period.first, period.last)])):
        found.setdefault(row.parts[0], Sums()).count(row)
    return dict(sorted(found.items()))


def summed(days: Mapping[date, Sums], first: date, last: date) -> Sums:
    """The sums of the days from `first` to `last`, both included."""
    whole = Sums()
    for day, sums in days.items():
        if first <= day <= last:
            for score, n in sums.n.items():
                whole.add(score, n, sums.w[score], sums.w2[score])
            whole.provisional += sums.provisional
    return whole


def pairs_by(
    session: Session, scope: Scope, now: Period, before: Period | None, group_by: Sequence[str]
) -> dict[Key, Pair]:
    """The sums of one period, or of two disjoint ones, by group. One statement. Raises TooManyGroups."""
    columns = [column_of(name, scope.slots) for name in group_by]
    spans = [(period.first, period.last) for period in (now, before) if period is not None]
    found: dict[Key, Pair] = {}
    for row in cells.sums(session, Wanted(columns, scope.metric, scope.equal, spans)):
        key = key_of(group_by, row)
        if key not in found and len(found) >= MOST_GROUPS:
            raise TooManyGroups
        pair = found.setdefault(key, Pair(Sums(), Sums()))
        (pair.before if row.span else pair.now).count(row)
    return found


def weeks_between(first: date, last: date) -> list[date]:
    """The Mondays of the ISO weeks that the days touch."""
    monday = first - timedelta(days=first.weekday())
    return [monday + timedelta(days=7 * i) for i in range((last - monday).days // 7 + 1)]
