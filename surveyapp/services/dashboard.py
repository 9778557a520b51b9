"""Keeps and removes saved views and structural breaks. Draws no figure and reads no answer."""

import secrets
from datetime import date
from typing import Any

from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.scores import METRICS
from surveyapp.models import SavedView, StructuralBreak
from surveyapp.services import audit
from surveyapp.services.transaction import transaction

NAME = 80
DECISION = 300
QUERY = 2000
MOST_VIEWS = 200
TABS = ("breakdown", "changes", "compare", "funnel", "expectation", "afterwards", "drivers")


class NameMissing(Exception):
    """A name of 1 to 80 characters on one line is needed."""


class NoSuchPage(Exception):
    """This is no page of a metric, or its address is too long."""


class TooManyViews(Exception):
    """This person keeps 200 views already."""


class NotYours(Exception):
    """There is no such thing, or it is another person's."""


def save_view(user_id: int, name: str, page: str, query: str, *, shared: bool) -> str:
    """The page is kept under this name; its public id comes back. Raises NameMissing, NoSuchPage, TooManyViews."""
    name = _name(name)
    metric, _, tab = page.partition("/")
    if metric not in METRICS or (tab and tab not in TABS) or len(query) > QUERY or not query.isprintable():
        raise NoSuchPage
    with transaction() as session:
        kept = session.scalars(select(SavedView.id).where(SavedView.user_id == user_id).limit(MOST_VIEWS)).all()
        if len(kept) >= MOST_VIEWS:
            raise TooManyViews
        uid = secrets.token_urlsafe(12)
        view = SavedView(uid=uid, user_id=user_id, name=name, page=page, query=query, shared=shared)
        view.created_at = clock.database_now(session)
        session.add(view)
        audit.note(session, "view.saved", uid, {"page": page, "shared": shared})
    return uid


def remove_view(uid: str, user_id: int, *, any_owner: bool = False) -> None:
    """The view is gone. Only its owner may remove it, or whoever may remove any. Raises NotYours."""
    with transaction() as session:
        view = session.scalar(select(SavedView).where(SavedView.uid == uid))
        if view is None or not (view.user_id == user_id or (any_owner and view.shared)):
            raise NotYours
        session.delete(view)
        audit.note(session, "view.removed", uid)


def add_break(day: date, name: str, metric: str | None = None) -> str:
    """From this day on figures are drawn apart and not compared across. Raises NameMissing, NoSuchPage."""
    name = _name(name)
    if metric is not None and metric not in METRICS:
        raise NoSuchPage
    with transaction() as session:
        uid = secrets.token_urlsafe(12)
        found = StructuralBreak(uid=uid, day=day, name=name, metric=metric, created_by=audit.actor.get()[:254])
        found.created_at = clock.database_now(session)
        session.add(found)
        audit.note(session, "break.added", uid, {"day": day.isoformat(), "metric": metric})
    return uid


def keep_decision(metric: str, query: str, figure: dict[str, Any], decision: str, owner: str) -> None:
    """What was decided on a figure is kept with the figure as it stood, who owns it and when; nothing changes it later.

    `figure` is what was shown: value, low, high, n, from, to. It is an audit row, and those are only ever added. Raises
    NameMissing for a decision or an owner that is no line, NoSuchPage.
    """
    decision, owner = _name(decision, DECISION), _name(owner)
    if metric not in METRICS or len(query) > QUERY or not query.isprintable():
        raise NoSuchPage
    with transaction() as session:
        detail = {"decision": decision, "owner": owner, "figure": figure, "query": query}
        audit.note(session, "figure.decided", metric, detail)


def remove_break(uid: str) -> None:
    """The break is forgotten: figures are drawn and compared across it again. Raises NotYours."""
    with transaction() as session:
        found = session.scalar(select(StructuralBreak).where(StructuralBreak.uid == uid))
        if found is None:
            raise NotYours
        session.delete(found)
        audit.note(session, "break.removed", uid)


def _name(text: str, most: int = NAME) -> str:
    name = text.strip()
    if not name or len(name) > most or not name.isprintable():
        raise NameMissing
    return name
