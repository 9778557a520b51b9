"""What a metric's page was asked for: filters, period and what it is compared with, read strictly from the address.

What cannot be honoured becomes a sentence that names the parameter; a filter is never left out in silence.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from surveyapp.domain.vocabulary import Channel
from surveyapp.models.metrics import OTHER, VALUES
from surveyapp.queries import metrics
from surveyapp.queries.console.dashboard import Choices, Scope, choices
from surveyapp.queries.console.figures import Period
from surveyapp.queries.console.responses import ResponseFilter
from surveyapp.queries.metrics import CONTEXT, PLAIN, Filters
from surveyapp.web.admin import params, shell

DAYS = params.PERIODS
USUAL = 28
LONGEST = 1_096
FILTERS = ("survey", "journey", "step", "phase", "channel", "language", "version", "partner")
CHANNELS = (*Channel, "link", "import")
TIMES = ("days", "from", "to")
SHARED = ("csv", "across")
NOT_REPORTING = "is none of the programme's reporting attributes"
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Asked:
    """The answers a page is about. `days` is 7, 28 or 91 where a picker chose them, None for dates of one's own."""

    metric: str
    filters: Filters
    now: Period
    before: Period
    days: int | None
    across: bool = False
    problems: tuple[str, ...] = ()
    choices: Choices | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def dated(self) -> Filters:
        """The filters with the period's days."""
        return self.of(self.now)

    @property
    def scope(self) -> Scope:
        """The cells behind it, whatever the days."""
        slots = {a.name: a.column for a in self.choices.attributes} if self.choices else {}
        return Scope(self.metric, self.filters, slots)

    @property
    def answers(self) -> ResponseFilter:
        """The answers behind it, for what cannot be told from cells."""
        f = self.filters
        return ResponseFilter(
            survey=f.survey,
            metric=self.metric,
            journey=f.journey,
            step=f.step,
            channel=f.channel,
            language=f.language,
            phase=f.phase,
            version=f.version,
            partner=f.partner,
            context=f.context,
            first_day=self.now.first,
            last_day=self.now.last,
        )

    def of(self, period: Period) -> Filters:
        return replace(self.filters, first=period.first, last=period.last)

    @property
    def length(self) -> int:
        return (self.now.last - self.now.first).days + 1

    def query(self) -> dict[str, Any]:
        """The filters and the period as parameters of an address."""
        found: dict[str, Any] = {name: getattr(self.filters, name) for name in FILTERS}
        found |= {CONTEXT + name: value for name, value in self.filters.context.items()}
        if self.days is None:
            found |= {"from": self.now.first.isoformat(), "to": self.now.last.isoformat()}
        elif self.days != USUAL:
            found["days"] = self.days
        return {name: value for name, value in found.items() if value is not None}

    def answers_url(self, period: Period | None = None, **group: Any) -> str:
        """The list of the confirmed answers behind a figure; `group` adds the group's own dimensions and a score."""
        period = period or self.now
        found: dict[str, Any] = {name: getattr(self.filters, name) for name in FILTERS}
        found |= {CONTEXT + name: value for name, value in self.filters.context.items()}
        found |= {"metric": self.metric, "status": "confirmed", "scored": 1, "from": period.first, "to": period.last}
        absent = []
        for name, value in group.items():
            if value is None:
                absent.append(name)
            else:
                found[name] = value
        if absent:
            found["absent"] = ",".join(absent)
        return url_for("responses.index", **{name: value for name, value in found.items() if value is not None})


class Reader:
    """Reads one request's parameters; problems gather as sentences."""

    def __init__(self, session: Session, metric: str, known: tuple[str, ...] = ()) -> None:
        self.session = session
        self.metric = metric
        self.choices = choices(session, metric)
        self.problems: list[str] = []
        for name, values in request.args.lists():
            context = name.startswith(CONTEXT) and len(name) > len(CONTEXT)
            if name not in (*FILTERS, *TIMES, *SHARED, *known) and not context:
                self.wrong(name, "is no filter of this page; take it out of the address")
            elif len([value for value in values if value]) > 1:
                self.wrong(name, "is given twice; keep one")

    def wrong(self, name: str, sentence: str) -> None:
        self.problems.append(f"{name[:60]}: {sentence}")

    def text(self, name: str) -> str | None:
        value = (request.args.get(name) or "").strip()
        if not value:
            return None
        if len(value) > params.LONGEST or not value.isprintable():
            self.wrong(name, f"must be one line of at most {params.LONGEST} characters")
            return None
        return value

    def day(self, name: str) -> date | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = date.min
        if not EARLIEST <= found <= date(2999, 12, 31):
            self.wrong(name, "must be a day such as 2026-11-02, from 2000 on")
            return None
        return found

    def whole(self, name: str, most: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most and len(value) < 9):
            self.wrong(name, f"must be a whole number from 1 to {most}")
            return None
        return int(value)

    def span(self, first_name: str, last_name: str) -> Period | None:
        """Two days of one's own, or None when neither is given; a missing one is filled in."""
        first, last = self.day(first_name), self.day(last_name)
        if first is None and last is None:
            return None
        last = last or max(shell.today(), first or date.min)
        first = first or last - timedelta(days=USUAL - 1)
        if first > last:
            self.wrong(first_name, f"{first} comes after {last_name} {last}; swap the two")
            return None
        if (last - first).days >= LONGEST:
            self.wrong(first_name, f"{first} to {last} is longer than {LONGEST} days (three years); shorten it")
            return None
        return Period(first, last)

    def period(self) -> tuple[Period, int | None]:
        """The period, and the number of days where it is one of the picker's."""
        own = self.span("from", "to")
        days = self.text("days")
        if own is not None:
            if days is not None:
                self.wrong("days", "and from/to are both given; keep one")
            return own, None
        count = int(days) if days in map(str, DAYS) else USUAL
        if days is not None and days not in map(str, DAYS):
            self.wrong("days", f"{days[:20]} is not offered: 7, 28 or 91, whole weeks, so that weekdays cannot matter")
        return Period(shell.today() - timedelta(days=count - 1), shell.today()), count

    def filters(self) -> Filters:
        channel = self.text("channel")
        if channel is not None and channel not in CHANNELS:
            self.wrong("channel", f"'{channel[:40]}' is none of {', '.join(CHANNELS)}")
        context = {
            name.removeprefix(CONTEXT): value
            for name in request.args
            if name.startswith(CONTEXT) and (value := self.text(name))
        }
        found = Filters(
            **{name: self.text(name) for name in FILTERS if name != "version"},
            version=self.whole("version", 1_000_000),
            context=context,
        )
        self._known(found)
        return found

    def _known(self, found: Filters) -> None:
        """Note every filter that names nothing, another metric's survey, or a value that is not kept apart."""
        there: dict[str, Collection[str]] = {
            "journey": self.choices.journeys,
            "step": [step.path for step in self.choices.steps],
            "partner": self.choices.partners,
            "survey": self.choices.surveys,
        }
        for name, keys in there.items():
            value = getattr(found, name)
            if value is None or value in keys:
                continue
            asks = metrics.metric_of(self.session, value) if name == "survey" else None
            if asks:
                self.wrong("survey", f"'{value}' asks another metric ({asks}); two scales are never one figure")
            else:
                self.wrong(name, f"there is no {name} '{value[:80]}'")
        values = {a.name: a.values for a in self.choices.attributes}
        for name, text in found.context.items():
            if name not in values:
                self.wrong(CONTEXT + name, NOT_REPORTING)
            elif len(values[name]) >= VALUES and text not in (*values[name], OTHER):
                self.wrong(CONTEXT + name, "this value came after the first 50 and is counted as 'other'")

    def dimension(self, name: str, default: str | None = None, also: Collection[str] = ()) -> str | None:
        """A dimension to group by: one of PLAIN, context.NAME of a reporting attribute, or what the page has also."""
        value = self.text(name) or default
        if value is None or value in PLAIN or value in also:
            return value
        if value.startswith(CONTEXT) and len(value) > len(CONTEXT):
            if value.removeprefix(CONTEXT) in {a.name for a in self.choices.attributes}:
                return value
            self.wrong(name, f"'{value[:80]}' {NOT_REPORTING}")
        else:
            known = ", ".join((*PLAIN, *also))
            self.wrong(name, f"'{value[:80]}' is nothing to group by; one of {known} or context.NAME")
        return default


def read(session: Session, metric: str, *names: str) -> tuple[Asked, Reader]:
    """What the request asks of a metric. `names` are the page's own parameters, which the caller reads on."""
    reader = Reader(session, metric, names)
    period, days = reader.period()
    filters = reader.filters()
    across = reader.text("across") == "1"
    return Asked(metric, filters, period, period.before, days, across, choices=reader.choices), reader


def done(asked: Asked, reader: Reader, **extra: str | None) -> Asked:
    """The same with the page's own parameters and all problems."""
    return replace(
        asked,
        problems=tuple(reader.problems),
        extra={name: value for name, value in extra.items() if value is not None},
    )


def whole_up(value: float) -> int:
    """Rounded away from certainty: a detectable change is never understated."""
    return math.ceil(value - 1e-9)
