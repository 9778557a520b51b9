"""A day's figure stays open while answers to it may still come: fourteen days by e-mail, three by SMS, none by web."""

from datetime import date, timedelta

import pytest

from surveyapp.domain.response_window import closes_after, still_open

DAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("channels", "days"), [(["email"], 14), (["sms"], 3), (["web"], 0), (["sms", "web"], 3), ([], 14), (["import"], 14)]
)
def test_a_day_stays_open_as_long_as_its_slowest_channel(channels: list[str], days: int) -> None:
    assert closes_after(DAY, channels) == DAY + timedelta(days=days)
    assert still_open(DAY, DAY + timedelta(days=days), channels)
    assert not still_open(DAY, DAY + timedelta(days=days + 1), channels)
