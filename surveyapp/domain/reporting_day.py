"""The day and hour a figure belongs to: the event's local ones, where it happened. Not those of the answer."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def reporting_day(moment: datetime, zone: str) -> date:
    """The calendar day of an aware instant in an IANA zone. Raises ZoneInfoNotFoundError for an unknown zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def place_time(moment: datetime, *zones: str | None) -> datetime:
    """An aware instant on the clock of the first of these zones that is known, else of UTC."""
    for name in zones:
        try:
            if name:
                return moment.astimezone(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return moment.astimezone(UTC)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The first instant of a local day and the first of the next, in UTC. Summer time makes 23 or 25 hours of it."""
    place = ZoneInfo(zone)
    first = datetime.combine(day, time(), place).astimezone(UTC)
    after = datetime.combine(day + timedelta(days=1), time(), place).astimezone(UTC)
    return first, after


def day_length_hours(day: date, zone: str) -> float:
    """How long that local day is, in hours."""
    first, after = day_bounds(day, zone)
    return (after - first) / timedelta(hours=1)


def iso_week(day: date) -> str:
    """The ISO week, such as 2026-W53 for 2027-01-03."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def month(day: date) -> str:
    """The calendar month, such as 2026-11."""
    return f"{day.year:04d}-{day.month:02d}"


def days_of(period: str) -> tuple[date, date]:
    """The first and last day of `2026-11-02`, `2026-W45` or `2026-11`."""
    if "-W" in period:
        monday = date.fromisocalendar(int(period[:4]), int(period[6:]), 1)
        return monday, monday + timedelta(days=6)
    if len(period) > 7:
        return date.fromisoformat(period), date.fromisoformat(period)
    year, number = int(period[:4]), int(period[5:])
    following = date(year + number // 12, number % 12 + 1, 1)
    return date(year, number, 1), following - timedelta(days=1)
