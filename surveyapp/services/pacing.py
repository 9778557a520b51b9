"""How many messages a channel may send in a minute, over all processes. 0 in the settings means any number.

A channel that has used up its minute is held until the next message would be due. The row of the channel is locked
while a batch is claimed, so that several dispatchers cannot spend the same minute; without a rate nothing is locked.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.vocabulary import Channel
from surveyapp.models import ChannelState
from surveyapp.services.inserts import insert_quietly

AnySession = Session | scoped_session[Session]
BURST = timedelta(seconds=10)


def rates() -> dict[str, int]:
    """The channels that have a rate, with their messages per minute."""
    settings = current_app.config
    every = {Channel.EMAIL: settings["EMAIL_PER_MINUTE"], Channel.SMS: settings["SMS_PER_MINUTE"]}
    return {channel: rate for channel, rate in every.items() if rate > 0}


def portion(limit: int) -> int:
    """How many messages may be claimed at once: no more than ten seconds' worth of the slowest channel."""
    slowest = min(rates().values(), default=None)
    return limit if slowest is None else max(1, min(limit, int(slowest * BURST.total_seconds() / 60)))


def closed(now: datetime) -> Select[str]:
    """The channels that take nothing now: held by an operator, paused by their provider, or ahead of their rate."""
    return select(ChannelState.channel).where(or_(ChannelState.paused_until > now, ChannelState.paced_until > now))


def hold(session: AnySession) -> None:
    """Lock the rows of the channels that have a rate, until the claim is committed."""
    limited = sorted(rates())
    if limited:
        insert_quietly(session, ChannelState, [{"channel": channel} for channel in limited], ["channel"])
        locked = select(ChannelState.channel).where(ChannelState.channel.in_(limited)).order_by(ChannelState.channel)
        session.execute(locked.with_for_update()).all()


def charge(session: AnySession, channels: Iterable[str], now: datetime) -> None:
    """Count the messages just claimed, one channel name for each."""
    limited = rates()
    for channel, count in sorted(Counter(channels).items()):
        if channel in limited:
            state = session.get_one(ChannelState, channel, populate_existing=True)
            begin = max(now, state.paced_until or now)
            state.paced_until = begin + timedelta(seconds=60 * count / limited[channel])
