"""A partner's own figures: whole weeks only, and nothing that fewer than five people stand behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from surveyapp.domain.gates import PRIVATE
from surveyapp.domain.reporting_day import iso_week
from surveyapp.queries import metrics, partners
from surveyapp.queries.metrics import Figure, Filters
from surveyapp.queries.partners import PartnerFacts
from surveyapp.services.offers import SHARE_FREE, SHARE_OVER

WEEKS = 8


@dataclass(frozen=True)
class Week:
    """One step in one week: questions shown and answered (None where fewer than five), and the figure."""

    name: str
    shown: int | None
    answered: int | None
    figure: Figure | None

    @property
    def any(self) -> bool:
        """Whether anything was shown or answered at all."""
        return self.shown != 0 or self.figure is not None


@dataclass(frozen=True)
class Usage:
    """The last seven days of one partner: asks (None where fewer than five), and how much of the share they took."""

    asked: int | None
    share: float
    used: int  # tens of percent


@dataclass(frozen=True)
class Widget:
    step: str
    weeks: list[Week]


def usage(session: Any, partner: PartnerFacts, now: datetime) -> Usage:
    """How much the partner's pages asked, beside what they may."""
    since = now - SHARE_OVER
    mine = partners.asked_since(session, since, partner.id)
    room = max(SHARE_FREE, partner.share * partners.asked_since(session, since))
    return Usage(_told(mine), partner.share, min(100, round(10 * mine / room) * 10))


def whole_weeks(today: date) -> tuple[date, date]:
    """The first and the last day of the last eight weeks that are over."""
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(weeks=WEEKS), monday - timedelta(days=1)


def widgets(session: Any, partner: PartnerFacts, today: date) -> list[Widget]:
    """The partner's steps, each with its whole weeks, the newest first."""
    first, last = whole_weeks(today)
    figures = _figures(session, partner, first, last)
    counts: dict[tuple[str, str], list[int]] = {}
    since = datetime.combine(first, time(), UTC)
    for one in partners.shown(session, partner.id, since):
        if one.asked.date() <= last:
            both = counts.setdefault((one.step, iso_week(one.asked.date())), [0, 0])
            both[0] += 1
            both[1] += one.answered
    steps = [s for s in partners.web_steps(session) if partner.may_ask_at(s)]
    steps += sorted({step for step, _ in [*counts, *figures]} - set(steps))
    names = [iso_week(last - timedelta(weeks=back)) for back in range(WEEKS)]
    return [Widget(step, [_week(step, name, counts, figures) for name in names]) for step in steps]


def _week(
    step: str, name: str, counts: Mapping[tuple[str, str], list[int]], figures: Mapping[tuple[str, str], Figure]
) -> Week:
    shown, answered = counts.get((step, name), (0, 0))
    return Week(name, _told(shown), _told(answered) if _told(shown) else None, figures.get((step, name)))


def _told(n: int) -> int | None:
    return n if n == 0 or n >= PRIVATE else None


def _figures(session: Any, partner: PartnerFacts, first: date, last: date) -> dict[tuple[str, str], Figure]:
    filters = Filters(partner=partner.key, first=first, last=last)
    found: dict[tuple[str, str], Figure] = {}
    for metric in partners.metrics_of(session, partner.key):
        for figure in metrics.report(session, metric, filters, ("step", "week")).groups:
            found[str(figure.key["step"] or partners.RECURRING), str(figure.key["week"])] = figure
    return found
