"""Until when a text may be delivered: ten hours, the ask's end, or the night where the recipient is."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from surveyapp.domain.facts import Candidate
from surveyapp.domain.policy import Policy, Quiet, Scope
from surveyapp.domain.quiet_hours import Window, next_closed
from surveyapp.domain.validity import valid_until

NIGHT = Quiet(time(20), time(8))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ends(now: str, *zones: str, quiets: tuple[Quiet, ...] = (NIGHT,), expires: str | None = None) -> str:
    candidate = Candidate(
        decision="d-1",
        trigger="after_check_in",
        survey="check_in_csat",
        metric="csat5",
        event="e-1",
        channels=("sms",),
        tier=2,
        occurred_at=at(now),
        due_at=at(now),
        expires_at=at(expires) if expires else None,
    )
    found = valid_until(candidate, zones or ("Europe/Paris",), "FR", Policy(quiets=quiets), at(now))
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def test_ten_hours_when_nothing_closes_sooner() -> None:
    assert ends("2026-11-02T07:00:00", quiets=()) == "2026-11-02T17:00:00"
    assert ends("2026-11-02T07:00:00") == "2026-11-02T17:00:00"  # 08:00 in Paris: until 18:00, before the night


def test_the_evening_where_the_recipient_is_when_it_comes_sooner() -> None:
    assert ends("2026-11-02T12:00:00") == "2026-11-02T19:00:00"
    assert ends("2026-11-02T18:59:59") == "2026-11-02T19:00:00"
    assert ends("2026-07-02T12:00:00") == "2026-07-02T18:00:00"


def test_the_asks_own_end_when_it_comes_first() -> None:
    assert ends("2026-11-02T12:00:00", expires="2026-11-02T14:30:00") == "2026-11-02T14:30:00"
    assert ends("2026-11-02T12:00:00", expires="2026-11-09T00:00:00") == "2026-11-02T19:00:00"


def test_the_first_evening_of_all_zones_the_recipient_may_be_in() -> None:
    assert ends("2026-11-02T17:30:00", "America/Los_Angeles", "America/New_York") == "2026-11-03T01:00:00"


def test_nothing_is_delivered_any_more_when_the_night_has_begun() -> None:
    assert ends("2026-11-02T19:00:00") == "2026-11-02T19:00:00"
    assert ends("2026-11-02T23:00:00") == "2026-11-02T23:00:00"


def test_a_closed_weekday_and_a_holiday_begin_at_midnight() -> None:
    sunday = Quiet(weekdays=frozenset({6}))
    holiday = Quiet(dates={date(2026, 11, 11): "Armistice Day"})
    assert ends("2026-11-07T18:00:00", quiets=(sunday,)) == "2026-11-07T23:00:00"
    assert ends("2026-11-10T18:00:00", quiets=(holiday,)) == "2026-11-10T23:00:00"
    assert ends("2026-11-10T18:00:00", quiets=(holiday, NIGHT)) == "2026-11-10T19:00:00"


def test_the_holidays_are_those_of_the_recipients_country() -> None:
    each = Quiet(by_country={"FR": {date(2026, 7, 14): "Bastille Day"}, "DE": {}})
    assert ends("2026-07-13T15:00:00", quiets=(each,)) == "2026-07-13T22:00:00"


def test_a_rule_about_another_channel_does_not_count() -> None:
    mail = Quiet(time(13), time(8), scope=Scope(channel="email"))
    texts = Quiet(time(18), time(8), scope=Scope(channel="sms"))
    assert ends("2026-11-02T12:00:00", quiets=(mail,)) == "2026-11-02T22:00:00"
    assert ends("2026-11-02T12:00:00", quiets=(mail, texts)) == "2026-11-02T17:00:00"


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-10-24T23:30:00", time(2, 30), "2026-10-25T00:30:00"),  # 02:30 comes twice: the first counts
        ("2026-10-25T01:10:00", time(2, 30), "2026-10-25T01:30:00"),  # and so does the second, once it is due
        ("2026-10-25T07:30:00", time(20), "2026-10-25T17:30:00"),  # 08:30 and ten hours
        ("2026-10-25T10:00:00", time(20), "2026-10-25T19:00:00"),  # in winter time
        ("2026-03-29T00:30:00", time(2, 30), "2026-03-29T01:00:00"),  # 02:30 does not come: the jump to 03:00
        ("2026-03-28T19:30:00", time(2, 30), "2026-03-29T01:00:00"),
        ("2026-03-29T10:00:00", time(20), "2026-03-29T18:00:00"),  # in summer time
    ],
)
def test_days_on_which_the_clocks_change(now: str, start: time, end: str) -> None:
    assert ends(now, quiets=(Quiet(start, time(7)),)) == end


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "UTC"])
def test_every_minute_before_the_end_is_open_and_the_end_is_not(zone: str) -> None:
    window = Window(time(20), time(8), frozenset({6}))
    minute = timedelta(minutes=1)
    now = at("2026-01-01T00:00:00")
    while now < at("2027-01-01T00:00:00"):
        end = next_closed(now, [zone], window, now + timedelta(hours=10))
        moment = now
        while moment < end:
            assert next_closed(moment, [zone], window, moment + minute) > moment
            moment += timedelta(minutes=15)
        if end < now + timedelta(hours=10):
            assert next_closed(end, [zone], window, end + minute) == end
        now += timedelta(hours=7, minutes=20)
