"""Figures of a period beside those of the period before it, for many steps in one statement. Read only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.models import ReportingAttribute, ReportingValue
from surveyapp.queries import cells
from surveyapp.queries.cells import Wanted
from surveyapp.queries.metrics import Figure, Sums, drawn


@dataclass(frozen=True, slots=True)
class Period:
    """Reporting days `first` to `last`, both included, and the equally long period just before."""

    first: date
    last: date

    @property
    def before(self) -> "Period":
        length = self.last - self.first + timedelta(days=1)
        return Period(self.first - length, self.last - length)


Place = tuple[str, str, str]
"""Metric, journey, step in its long form; '' for none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The sums of both periods. `add` joins pairs: histograms merge by adding, values never do."""

    now: Sums
    before: Sums

    def figures(self, metric: str) -> tuple[Figure, Figure]:
        return drawn(metric, self.now), drawn(metric, self.before)


def pairs(
    session: Session, period: Period, journey: str | None = None, context: Mapping[str, str] | None = None
) -> dict[Place, Pair]:
    """The answers of both periods by metric, journey and step. `context` maps a cell's column (`a1`…) to its value."""
    equal = {**({} if journey is None else {"journey": journey}), **(context or {})}
    spans = [(period.first, period.last), (period.before.first, period.before.last)]
    found: dict[Place, Pair] = {}
    for row in cells.sums(session, Wanted(("metric", "journey", "step"), None, equal, spans)):
        metric, at, step = row.parts
        pair = found.setdefault((metric, at, step), Pair(Sums(), Sums()))
        (pair.before if row.span else pair.now).count(row)
    return found


def joined(parts: Iterable[Pair]) -> Pair:
    """One pair of them all."""
    whole = Pair(Sums(), Sums())
    for part in parts:
        for total, sums in ((whole.now, part.now), (whole.before, part.before)):
            for score, n in sums.n.items():
                total.add(score, n, sums.w[score], sums.w2[score])
            total.provisional += sums.provisional
    return whole


@dataclass(frozen=True, slots=True)
class Attribute:
    """A context attribute that figures may be filtered by: its column in a cell, and the values seen."""

    name: str
    column: str
    values: tuple[str, ...]


def reporting_choices(session: Session) -> list[Attribute]:
    """The reporting attributes with their values, in the order of their columns."""
    query = (
        select(ReportingAttribute.name, ReportingAttribute.slot, ReportingValue.value)
        .join(ReportingValue, ReportingValue.name == ReportingAttribute.name)
        .where(ReportingAttribute.slot.is_not(None))
        .order_by(ReportingAttribute.slot, ReportingValue.value)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for name, slot, value in session.execute(query):
        found.setdefault((name, f"a{slot}"), []).append(value)
    return [Attribute(name, column, tuple(values)) for (name, column), values in found.items()]
