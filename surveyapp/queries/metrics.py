"""Figures: sums of roll-up cells, read through the metric's meaning, its interval and the gates. Read only.

A figure that may not be shown has its `n` and its status and nothing else, whoever asks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain import gates, intervals, scores, weights
from surveyapp.domain.gates import Status
from surveyapp.domain.reporting_day import iso_week, month
from surveyapp.domain.reporting_values import reporting_text
from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import (
    Journey,
    Partner,
    ReportingAttribute,
    ReportingValue,
    Step,
    Survey,
    Trigger,
)
from surveyapp.models.metrics import OTHER, VALUES
from surveyapp.queries import cells
from surveyapp.queries.cells import Row, Wanted

Database = Session | scoped_session[Session]
Key = tuple[Any, ...]

PLAIN = ("journey", "step", "phase", "channel", "language", "survey", "version", "partner")
PERIODS = ("day", "week", "month")
VERSION = ("survey", "version")
CONTEXT = "context."
MOST_GROUPS = 1000


class NotReporting(Exception):
    """The context attribute is no reporting attribute; the message is its name."""


class CountedAsOther(Exception):
    """The value of a reporting attribute is one of those counted as `other`; the message is the attribute's name."""


class TooManyGroups(Exception):
    """The grouping gives more than a thousand groups."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which answers; None leaves a field open. `first` and `last` are reporting days, both included."""

    survey: str | None = None
    journey: str | None = None
    step: str | None = None
    phase: str | None = None
    channel: str | None = None
    language: str | None = None
    version: int | None = None
    partner: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it may be shown. `value`, `low` and `high` are points, percent or a mean, as the metric has it.

    `n` counts confirmed answers, `n_eff` is what they are worth when weighted, `provisional` counts answers that
    a person has not confirmed yet. `refused` says that a weighted figure is worth too few answers to be shown.
    `versions` are those of each survey that the answers were given to, where a report was asked for them.
    """

    metric: str
    n: int
    n_eff: float
    value: float | None
    low: float | None
    high: float | None
    mean: float | None
    histogram: Mapping[int, int] | None
    status: Status
    provisional: int = 0
    key: Mapping[str, Any] = field(default_factory=dict)
    refused: bool = False
    versions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The groups, and the figure of all of them together. `trimmed_at` is the most that one answer may weigh."""

    groups: list[Figure]
    total: Figure
    trimmed_at: float | None = None


@dataclass(slots=True)
class Sums:
    """Counts per score of the confirmed answers, their weights if these were read, and how many are provisional."""

    n: dict[int, int] = field(default_factory=dict)
    w: dict[int, int] = field(default_factory=dict)
    w2: dict[int, int] = field(default_factory=dict)
    provisional: int = 0
    versions: dict[str, set[int]] = field(default_factory=dict)

    def add(self, score: int, n: int, w: int, w2: int) -> None:
        self.n[score] = self.n.get(score, 0) + n
        self.w[score] = self.w.get(score, 0) + w
        self.w2[score] = self.w2.get(score, 0) + w2

    def count(self, row: Row, most: int | None = None) -> None:
        """Add a row of cells, none of its answers weighing more than class `most` allows."""
        if row.status == ResponseStatus.CONFIRMED:
            plain = row.w, row.w2
            trimmed = plain if most is None else weights.trimmed(row.n, *plain, row.weight_class, most)
            self.add(row.score, row.n, *trimmed)
        else:
            self.provisional += row.n


def figure(session: Database, metric: str, filters: Filters | None = None, *, weighted: bool = False) -> Figure:
    """The metric over all answers that match."""
    return report(session, metric, filters, weighted=weighted).total


def figures_by(
    session: Database, metric: str, group_by: Sequence[str], filters: Filters | None = None, *, weighted: bool = False
) -> list[Figure]:
    """The metric by group, in the order of the keys; groups without a single answer do not appear."""
    return report(session, metric, filters, group_by, weighted=weighted).groups


def series(session: Database, metric: str, period: str = "week", filters: Filters | None = None) -> list[Figure]:
    """The metric by `day`, `week` or `month`, in order of time, with periods without answers left out."""
    return figures_by(session, metric, (period,), filters)


def daily(session: Database, metric: str, filters: Filters | None = None) -> list[Figure]:
    """The metric by reporting day, in order of time."""
    return series(session, metric, "day", filters)


def report(
    session: Database,
    metric: str,
    filters: Filters | None = None,
    group_by: Sequence[str] = (),
    *,
    weighted: bool = False,
    versions: bool = False,
) -> Report:
    """The metric by group and in total, with small groups hidden so that the total does not reveal them.

    With `versions` every figure that is shown says which versions of surveys it joins.

    Group names are those of PLAIN and PERIODS, or `context.NAME`. Raises NotReporting, CountedAsOther and
    TooManyGroups.
    """
    filters = filters or Filters()
    slots = slots_of(session, filters, group_by)
    columns = [*(column_of(name, slots) for name in group_by), *(VERSION if versions else ())]
    days = [(filters.first, filters.last)]
    rows = list(cells.sums(session, Wanted(columns, metric, equal_of(session, filters, slots), days, weighted)))
    most = _trimmed_to(rows) if weighted else None
    total = Sums()
    groups: dict[Key, Sums] = {}
    for row in rows:
        key = key_of(group_by, row)
        if key not in groups and len(groups) >= MOST_GROUPS:
            raise TooManyGroups
        for sums in (groups.setdefault(key, Sums()), total):
            sums.count(row, most)
            if versions and row.status == ResponseStatus.CONFIRMED:
                survey, number = row.parts[-2:]
                sums.versions.setdefault(survey, set()).add(number)
    figures = {key: drawn(metric, groups[key], weighted=weighted) for key in sorted(groups, key=key_order)}
    away = _hidden_among(figures, gates.floor_of(metric))
    return Report(
        [
            replace(hidden(f) if key in away else f, key=dict(zip(group_by, key, strict=True)))
            for key, f in figures.items()
        ],
        drawn(metric, total, weighted=weighted),
        None if most is None else weights.LADDER[most] / weights.MICRO,
    )


def _trimmed_to(rows: Iterable[Row]) -> int:
    """The class of the heaviest weight that counts in full, over all confirmed answers of the report."""
    counts: dict[int, int] = {}
    for row in rows:
        if row.status == ResponseStatus.CONFIRMED:
            counts[row.weight_class] = counts.get(row.weight_class, 0) + row.n
    return weights.trim_class(counts)


def _hidden_among(figures: Mapping[Key, Figure], floor: int) -> set[Key]:
    """The groups that may not be shown beside the total. Gates count answers, and what they are worth when weighted:
    a group that is hidden for either reason needs others beside it that hold enough answers together."""
    counts = {key: f.n if f.status is not Status.SUPPRESSED else min(f.n, floor - 1) for key, f in figures.items()}
    return gates.hidden(counts, floor)


def step_figures(session: Database, journey: str, filters: Filters | None = None) -> dict[str, Figure]:
    """The figure of every step of the journey that has answers or a trigger, by long path, in the journey's order.

    A step asked with several metrics shows the one with most answers. A step that nobody asks is absent.
    """
    filters = replace(filters or Filters(), journey=journey)
    steps = session.execute(
        select(Step.id, Step.key)
        .join(Journey)
        .where(Journey.key == journey, Step.archived_at.is_(None))
        .order_by(Step.position, Step.id)
    )
    paths = {row.id: f"{journey}.{row.key}" for row in steps}
    found: dict[str, dict[str, Sums]] = {path: {} for path in paths.values()}
    asked = (
        select(Trigger.step_id, Survey.metric)
        .join(Survey)
        .where(Trigger.step_id.in_(paths), Trigger.archived_at.is_(None))
        .order_by(Trigger.tier, Trigger.priority.desc(), Trigger.id)
    )
    for step_id, metric in session.execute(asked):
        found[paths[step_id or 0]].setdefault(metric, Sums())
    equal, days = equal_of(session, filters, slots_of(session, filters, ())), [(filters.first, filters.last)]
    for row in cells.sums(session, Wanted(("step", "metric"), None, equal, days)):
        step, metric = row.parts
        if step in found:
            found[step].setdefault(metric, Sums()).count(row)
    return {
        path: max((drawn(metric, sums) for metric, sums in by_metric.items()), key=lambda f: f.n)
        for path, by_metric in found.items()
        if by_metric
    }


def metric_of(session: Database, survey: str) -> str | None:
    """The metric that a survey asks, or None for an unknown survey."""
    return session.scalar(select(Survey.metric).where(Survey.key == survey))


def unknown(session: Database, filters: Filters) -> list[str]:
    """Which of `survey`, `journey`, `step` and `partner` name something that never existed."""
    step_key = Journey.key + "." + Step.key
    keys = {
        "survey": select(Survey.id).where(Survey.key == filters.survey),
        "journey": select(Journey.id).where(Journey.key == filters.journey),
        "step": select(Step.id).join(Journey).where(step_key == filters.step),
        "partner": select(Partner.id).where(Partner.key == filters.partner),
    }
    given = [name for name in keys if getattr(filters, name) is not None]
    return [name for name in given if session.scalar(keys[name]) is None]


def drawn(metric: str, sums: Sums, *, weighted: bool = False) -> Figure:
    """The figure of these sums, gated: without data or with too few answers it carries no value."""
    meaning = METRICS[metric]
    histogram = {score: n for score, n in sorted(sums.n.items()) if n}
    n = scores.answers(histogram)
    value, interval, mean = (
        scores.headline(meaning, histogram),
        intervals.of(meaning, histogram),
        scores.mean(histogram),
    )
    n_eff = float(n)
    estimate = weights.estimate(meaning, weights.Weighted(sums.n, sums.w, sums.w2)) if weighted and n else None
    if estimate is not None:
        value, interval, n_eff = estimate.value, _clamped(meaning, estimate.interval()), estimate.n_eff
        mean = sum(score * w for score, w in sums.w.items()) / sum(sums.w.values())
    low, high = interval or (None, None)
    status = gates.gate(n_eff, gates.floor_of(metric))
    versions = {survey: tuple(sorted(numbers)) for survey, numbers in sorted(sums.versions.items())}
    found = Figure(metric, n, n_eff, value, low, high, mean, histogram, status, sums.provisional, versions=versions)
    if status not in (Status.OK, Status.LOW_N):
        return hidden(found, status)
    if estimate is not None and n_eff < weights.WORTH:
        return replace(found, value=None, low=None, high=None, mean=None, refused=True)
    return found


def hidden(found: Figure, status: Status = Status.SUPPRESSED) -> Figure:
    """The figure with everything taken away that says what was answered."""
    untold = replace(found, value=None, low=None, high=None, mean=None, histogram=None, versions={})
    return replace(untold, status=status, refused=False)


def method(metric: str, *, weighted: bool = False) -> str:
    """The name of the interval that the metric's figures carry."""
    return "hajek_95" if weighted else intervals.METHODS[METRICS[metric].headline]


def _clamped(metric: scores.Metric, interval: intervals.Interval) -> intervals.Interval:
    low, high = {"nps": (-100, 100), "share": (0, 100)}.get(metric.headline, (metric.low, metric.high))
    return intervals.Interval(max(low, interval.low), min(high, interval.high))


def slots_of(session: Database, filters: Filters, group_by: Sequence[str]) -> dict[str, str]:
    """The column of each context attribute that is filtered or grouped by."""
    names = {*filters.context, *(name.removeprefix(CONTEXT) for name in group_by if name.startswith(CONTEXT))}
    if not names:
        return {}
    found = session.execute(
        select(ReportingAttribute.name, ReportingAttribute.slot).where(
            ReportingAttribute.name.in_(sorted(names)), ReportingAttribute.slot.is_not(None)
        )
    )
    slots = {name: f"a{slot}" for name, slot in found}
    for name in sorted(names - slots.keys()):
        raise NotReporting(name)
    return slots


def column_of(name: str, slots: Mapping[str, str]) -> str:
    """The column of a cell that a group's name stands for."""
    if name in PERIODS:
        return "day"
    return slots[name.removeprefix(CONTEXT)] if name.startswith(CONTEXT) else name


def equal_of(session: Database, filters: Filters, slots: Mapping[str, str]) -> dict[str, Any]:
    """What a cell's columns must be under the filters, days apart. Raises CountedAsOther."""
    found = {name: getattr(filters, name) for name in PLAIN if getattr(filters, name) is not None}
    for name, value in filters.context.items():
        text = reporting_text(value)
        _refuse_other(session, name, text)
        found[slots[name]] = text
    return found


def _refuse_other(session: Database, name: str, text: str) -> None:
    kept = set(session.scalars(select(ReportingValue.value).where(ReportingValue.name == name)))
    if len(kept) >= VALUES and text not in kept and text != OTHER:
        raise CountedAsOther(name)


def key_of(group_by: Sequence[str], row: Row) -> Key:
    """The group that a row belongs to; its first parts are those of the group."""
    return tuple(part_of(name, part) for name, part in zip(group_by, row.parts, strict=False))


def part_of(name: str, value: Any) -> Any:
    if name == "day":
        return value.isoformat()
    if name == "week":
        return iso_week(value)
    if name == "month":
        return month(value)
    return None if value == "" else value


def key_order(key: Key) -> tuple[Any, ...]:
    return tuple((part is None, part) for part in key)
