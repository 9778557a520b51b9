"""Complaints in words beside a metric's figure, and the alert when they rise while the figure stands still."""

from dataclasses import dataclass
from datetime import timedelta

from flask import url_for
from sqlalchemy.orm import Session

from surveyapp.domain.complaints import INDICATOR, PER, Complaints, diverges
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import Verdict
from surveyapp.queries.console.complaints import complaints
from surveyapp.web.admin import formats, shell
from surveyapp.web.admin.dashboard.address import Asked


@dataclass(frozen=True)
class Beside:
    """How many, and in `words` against what; `alert` is a sentence when the two go apart, else nothing."""

    count: str
    words: str
    alert: str
    url: str


def beside(session: Session, asked: Asked, change: Verdict) -> Beside | None:
    """The complaints of the same steps and days; None where none is sent, or another filter stands in their way."""
    f = asked.filters
    if f.context or any((f.survey, f.phase, f.channel, f.language, f.version, f.partner)):
        return None
    zone = shell.zone()
    days = (asked.before.first, asked.now.first, asked.now.last + timedelta(days=1))
    start, middle, end = (formats.day_start(day, zone) for day in days)
    found = complaints(session, asked.now, asked.before, (start, middle, end), f.journey, f.step)
    if found is None:
        return None
    url = url_for("indicators.detail", key=INDICATOR, **({"step": f.step} if f.step else {}))
    return Beside(formats.number(found.now), _words(found), _alert(asked, found, change), url)


def _words(found: Complaints) -> str:
    """`3.6 per 1 000 events; before 60, 2.4`."""
    early = f"before {formats.number(found.before)}"
    if found.rate is None:
        return early
    late = f"{formats.number(found.rate, 1)} per {formats.number(PER)} events; {early}"
    return late if found.rate_before is None else f"{late}, {formats.number(found.rate_before, 1)}"


def _alert(asked: Asked, found: Complaints, change: Verdict) -> str:
    if not diverges(found, change.kind, METRICS[asked.metric].better):
        return ""
    against = "for as many events" if found.counted else "in as many days"
    return (
        f"Silent customers complain elsewhere: complaints rose {against} by more than chance explains, "
        "while this figure did not get worse."
    )
