"""How long a day's figure stays open: answers to what happened on it still come in until its response window closes."""

from collections.abc import Iterable
from datetime import date, timedelta

from surveyapp.domain.vocabulary import Channel

DAYS = {Channel.EMAIL: 14, Channel.SMS: 3, Channel.WEB: 0}
"""How many days after the day of the event an answer by that channel may still come."""
LONGEST = max(DAYS.values())


def closes_after(day: date, channels: Iterable[str] = ()) -> date:
    """The last day on which a late answer may still change that day, over these channels or over all of them."""
    known = [DAYS[Channel(channel)] for channel in channels if channel in set(Channel)]
    return day + timedelta(days=max(known, default=LONGEST))


def still_open(day: date, today: date, channels: Iterable[str] = ()) -> bool:
    """Whether late answers may still change that day's figure."""
    return today <= closes_after(day, channels)
