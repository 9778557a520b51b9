"""Open and closed hours in the recipient's zone, over every change of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from surveyapp.domain.quiet_hours import Window, calendar_start, closed_because, next_calendar_start, next_open

NIGHT = Window(time(20), time(8))
ZONES = (
    "Europe/Paris Europe/London Europe/Dublin Europe/Lisbon Europe/Athens Europe/Moscow Europe/Istanbul Asia/Kolkata"
    " Asia/Tokyo Asia/Tehran Asia/Kathmandu Asia/Beirut Asia/Jerusalem Africa/Casablanca Africa/Cairo America/New_York"
    " America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage America/Halifax"
    " America/St_Johns America/Sao_Paulo America/Santiago America/Havana Australia/Sydney Australia/Lord_Howe"
    " Pacific/Auckland Pacific/Chatham"
).split()


def changes(zone: str, first: int, last: int) -> list[date]:
    """The local days on which a zone's clock changes."""
    found = []
    day = date(first, 1, 1)
    info = ZoneInfo(zone)
    while day.year <= last:
        start = datetime.combine(day, time(0), tzinfo=info).utcoffset()
        end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=info).utcoffset()
        if start != end:
            found.append(day)
        day += timedelta(days=1)
    return found


def test_the_morning_after_is_eight_oclock_where_the_customer_is() -> None:
    evening = datetime(2026, 11, 2, 20, 30, tzinfo=UTC)
    assert next_open(evening, ["Europe/Paris"], NIGHT) == datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
    assert closed_because(evening, ["Europe/Paris"], NIGHT) is not None


def test_eight_in_the_evening_is_closed_and_eight_in_the_morning_open() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert closed_because(datetime(2026, 7, 1, 20, 0, tzinfo=paris), ["Europe/Paris"], NIGHT)
    assert closed_because(datetime(2026, 7, 1, 19, 59, 59, tzinfo=paris), ["Europe/Paris"], NIGHT) is None
    assert closed_because(datetime(2026, 7, 1, 8, 0, tzinfo=paris), ["Europe/Paris"], NIGHT) is None


def test_several_possible_zones_must_all_be_open() -> None:
    zones = ["America/New_York", "America/Los_Angeles"]
    at_nine_in_new_york = datetime(2026, 7, 1, 13, 0, tzinfo=UTC)
    assert next_open(at_nine_in_new_york, zones, NIGHT) == datetime(2026, 7, 1, 15, 0, tzinfo=UTC)


def test_weekends_and_holidays_are_closed_all_day() -> None:
    window = Window(time(20), time(8), frozenset({5, 6}), {date(2026, 12, 25): "Christmas"})
    thursday_night = datetime(2026, 12, 24, 21, 0, tzinfo=UTC)
    assert next_open(thursday_night, ["Europe/Paris"], window) == datetime(2026, 12, 28, 7, 0, tzinfo=UTC)


def test_a_calendar_without_an_open_day_is_never_open() -> None:
    assert next_open(datetime(2026, 1, 1, tzinfo=UTC), ["UTC"], Window(weekdays=frozenset(range(7)))) is None


@pytest.mark.parametrize("zone", ZONES)
def test_g65_no_change_of_clocks_from_2024_to_2030_opens_a_closed_hour(zone: str) -> None:
    windows = [NIGHT, Window(time(21, 30), time(2, 30)), Window(time(1), time(3)), Window(time(2, 15), time(2, 45))]
    info = ZoneInfo(zone)
    for day in changes(zone, 2024, 2030):
        midnight = datetime.combine(day, time(0), tzinfo=info).astimezone(UTC)
        for window in windows:
            for half_hours in range(-10, 56):
                moment = midnight + timedelta(minutes=30 * half_hours + 7)
                opens = next_open(moment, [zone], window)
                assert opens is not None
                assert closed_because(opens, [zone], window) is None, (zone, day, moment, opens)
                assert opens >= moment
                if closed_because(moment, [zone], window) is None:
                    assert opens == moment


def test_calendar_days_of_23_and_25_hours() -> None:
    spring = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    lengths = [
        next_calendar_start(day, "Europe/Paris", "day") - calendar_start(day, "Europe/Paris", "day")
        for day in (spring, autumn)
    ]
    assert lengths == [timedelta(hours=23), timedelta(hours=25)]


def test_calendar_weeks_start_on_monday_and_months_on_the_first() -> None:
    now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # 1 January in Paris
    assert calendar_start(now, "Europe/Paris", "month") == datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    assert calendar_start(now, "Europe/Paris", "week") == datetime(2026, 12, 27, 23, 0, tzinfo=UTC)
    assert next_calendar_start(now, "Europe/Paris", "month") == datetime(2027, 1, 31, 23, 0, tzinfo=UTC)
