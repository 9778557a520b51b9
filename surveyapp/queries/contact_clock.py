"""The instant that counts when people are decided about: the database's clock, never before their last contact."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.models import ContactSubject

AnySession = Session | scoped_session[Session]


def instant_for(session: AnySession, keys: Sequence[str]) -> datetime:
    """The present instant for whoever holds these contact keys, whatever the clocks say.

    A clock that was set back stands still at the last contact until it has caught up.
    """
    last = session.scalar(select(func.max(ContactSubject.last_at)).where(ContactSubject.key.in_(keys)))
    now = clock.database_now(session)
    return max(now, last) if last else now
