"""When a person may be written to: quiet hours, weekdays and holidays in the recipient's own zones.

Plain calendar arithmetic; who the recipient is and which zones apply is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from surveyapp.domain.policy import Quiet

LIMIT = 400  # days looked ahead before saying "never"


@dataclass(frozen=True, slots=True)
class Window:
    """What is closed: hours from `start` to `end` each day (over midnight when start > end), weekdays, dates.

    `weekdays` are 0 (Monday) to 6; `dates` name the days on which nobody is asked.
    """

    start: time | None = None
    end: time | None = None
    weekdays: frozenset[int] = frozenset()
    dates: Mapping[date, str] | None = None

    def closed_because(self, local: datetime) -> str | None:
        """Why `local` (wall time) is closed, in words, or None when it is open."""
        if local.weekday() in self.weekdays:
            return f"nobody is asked on a {local:%A}"
        if self.dates and local.date() in self.dates:
            return f"{self.dates[local.date()]} is a holiday"
        if self.start is not None and self.end is not None and _within(local.time(), self.start, self.end):
            return (
                f"quiet hours are {self.start:%H:%M}–{self.end:%H:%M} where the customer is ({local:%H:%M} there now)"
            )
        return None


def _within(moment: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= moment < end
    return moment >= start or moment < end


def window_of(rule: Quiet, country: str | None) -> Window:
    """What a rule closes for somebody in `country`: the holidays there, where the rule knows them, else its own."""
    own = rule.by_country.get(country or "") if rule.by_country is not None else None
    return Window(rule.start, rule.end, rule.weekdays, own or rule.dates)


def closed_because(now: datetime, zones: Sequence[str], window: Window) -> str | None:
    """Why `now` is closed in at least one of the zones, or None when it is open in all of them."""
    for zone in zones:
        if why := window.closed_because(now.astimezone(ZoneInfo(zone))):
            return why
    return None


def next_open(now: datetime, zones: Sequence[str], window: Window) -> datetime | None:
    """The first instant from `now` on that is open in every zone, in UTC, or None when there is none in 400 days."""
    moment = now
    for _ in range(LIMIT * max(1, len(zones))):
        blocked = next((z for z in zones if window.closed_because(moment.astimezone(ZoneInfo(z)))), None)
        if blocked is None:
            return moment
        moment = _end_of_closure(moment, ZoneInfo(blocked), window)
        if moment - now > timedelta(days=LIMIT):
            return None
    return None


def next_closed(now: datetime, zones: Sequence[str], window: Window, latest: datetime) -> datetime:
    """The first instant from `now` on that is closed in at least one zone; `latest` when none is sooner."""
    if closed_because(now, zones, window):
        return now
    found = [latest]
    for name in zones:
        zone = ZoneInfo(name)
        day, last = now.astimezone(zone).date(), latest.astimezone(zone).date()
        while day <= last:
            for clock in (time(0), window.start or time(0)):
                for moment in _readings(day, clock, zone):
                    if now < moment < latest and window.closed_because(moment.astimezone(zone)):
                        found.append(moment)
            day += timedelta(days=1)
    return min(found)


def _readings(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """Every instant that a wall time may mean: two in a repeated hour, the jump in a skipped one."""
    wall = datetime.combine(day, clock, tzinfo=zone)
    earlier, later = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    return [_jump(earlier, later, zone)] if later < earlier else [earlier, later]


def _end_of_closure(moment: datetime, zone: ZoneInfo, window: Window) -> datetime:
    """A later instant at which the closure that holds at `moment` may have ended."""
    local = moment.astimezone(zone)
    day_closed = local.weekday() in window.weekdays or bool(window.dates and local.date() in window.dates)
    if day_closed:
        return _instant(local.date() + timedelta(days=1), time(0), zone, moment)
    assert window.start is not None
    assert window.end is not None
    past_midnight = window.start > window.end and local.time() >= window.start
    day = local.date() + timedelta(days=1) if past_midnight else local.date()
    return _instant(day, window.end, zone, moment)


def _instant(day: date, clock: time, zone: ZoneInfo, after: datetime) -> datetime:
    """Wall time as an instant after `after`.

    In an hour that happens twice the second one is meant (never early); an hour that the clocks skip is the
    moment they jump to.
    """
    wall = datetime.combine(day, clock, tzinfo=zone)
    later = wall.replace(fold=1).astimezone(UTC)
    earlier = wall.astimezone(UTC)
    instant = max(earlier, later)
    if later < earlier:  # skipped hour: the two readings lie on either side of the jump
        instant = _jump(earlier, later, zone)
    return instant if instant > after else after + timedelta(minutes=15)


def _jump(earlier: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two readings of a skipped wall time at which the zone's clock jumps."""
    low, high = later, earlier
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def calendar_start(now: datetime, zone: str, unit: str) -> datetime:
    """The start of the calendar day, week or month in `zone` that holds `now`, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    day = local.date()
    if unit == "week":
        day -= timedelta(days=day.weekday())
    if unit == "month":
        day = day.replace(day=1)
    return datetime.combine(day, time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def next_calendar_start(now: datetime, zone: str, unit: str) -> datetime:
    """The start of the next calendar day, week or month in `zone`, in UTC."""
    local = calendar_start(now, zone, unit).astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days={"day": 1, "week": 7, "month": 32}[unit])
    if unit == "month":
        day = day.replace(day=1)
    return datetime.combine(day, time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)
