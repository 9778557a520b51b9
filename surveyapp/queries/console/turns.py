"""What lies between two periods so that they differ in kind: structural breaks and new versions. Read only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, literal, null, select, type_coerce, union_all
from sqlalchemy.orm import Session

from surveyapp.models import StructuralBreak, Survey, SurveyVersion
from surveyapp.models.base import UtcDateTime
from surveyapp.queries.console.figures import Period


@dataclass(frozen=True, slots=True)
class Break:
    """`metric` is None for a break of every metric."""

    metric: str | None
    name: str
    day: date


@dataclass(frozen=True, slots=True)
class NewVersion:
    metric: str
    survey: str
    number: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Turns:
    """The breaks and new versions after the first day of the earlier period and up to the last day of the later one."""

    breaks: tuple[Break, ...] = ()
    versions: tuple[NewVersion, ...] = ()

    def broken(self, metric: str) -> Break | None:
        """The first break across which this metric is not compared."""
        return next((row for row in self.breaks if row.metric in (None, metric)), None)


def turns_between(session: Session, earlier: Period, later: Period, start: datetime, end: datetime) -> Turns:
    """What lies between: `start` and `end` are the instants of the second day and after the last. One statement."""
    breaks = select(
        StructuralBreak.metric,
        StructuralBreak.name,
        StructuralBreak.day,
        literal(0),
        type_coerce(null(), UtcDateTime),
    ).where(StructuralBreak.day > earlier.first, StructuralBreak.day <= later.last)
    versions = (
        select(Survey.metric, Survey.key, type_coerce(null(), Date), SurveyVersion.number, SurveyVersion.published_at)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(SurveyVersion.number > 1, SurveyVersion.published_at >= start, SurveyVersion.published_at < end)
    )
    found: list[Break] = []
    new: list[NewVersion] = []
    rows: Iterable[Any] = session.execute(union_all(breaks, versions))
    for metric, name, day, number, published_at in rows:
        if published_at is None:
            found.append(Break(metric, name, day))
        else:
            new.append(NewVersion(metric, name, number, published_at))
    found.sort(key=lambda row: (row.day, row.name))
    new.sort(key=lambda version: (version.published_at, version.survey, version.number))
    return Turns(tuple(found), tuple(new))
