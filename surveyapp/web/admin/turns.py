"""What makes two periods differ in kind, in words: beside every comparison, so that none is silent about it."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy.orm import Session

from surveyapp.domain.definitions import NAMES
from surveyapp.queries.console.figures import Period
from surveyapp.queries.console.turns import Turns, turns_between
from surveyapp.web.admin import formats, params, shell

MOST = 3


def turns_of(session: Session, period: Period) -> Turns:
    """What lies between a period and the one just before it."""
    start, end = params.span_of(period.before.first + timedelta(days=1), period.last)
    return turns_between(session, period.before, period, start, end) if start and end else Turns()


def sentences(turns: Turns, metrics: Collection[str], surveys: Collection[str] | None = None) -> list[str]:
    """One sentence for each break that concerns these metrics, and one for the new versions of their surveys."""
    found = []
    for row in turns.breaks:
        if row.metric is None or row.metric in metrics:
            told = f"{NAMES[row.metric]} is not compared" if row.metric else "no figure is compared"
            found.append(f"“{row.name}” lies between, {formats.day_words(row.day, shell.today())}: {told} across it.")
    zone = shell.zone()
    new = [
        (formats.local(version.published_at, zone).date(), version_name(version.survey, version.number))
        for version in turns.versions
        if version.metric in metrics and (surveys is None or version.survey in surveys)
    ]
    return [*found, *([versions_sentence(new)] if new else [])]


def version_name(survey: str, number: int) -> str:
    return f"{survey} version {number}"


def versions_sentence(new: Sequence[tuple[date, str]]) -> str:
    """That surveys were asked anew between two periods; empty when none was."""
    if not new:
        return ""
    told = [f"{name} ({formats.day_words(day, shell.today())})" for day, name in new[:MOST]]
    more = f" and {len(new) - MOST} more" if len(new) > MOST else ""
    return f"During the two periods came {', '.join(told)}{more}: a new wording may answer differently."
