"""Saved views and structural breaks, as the metrics' pages list them. Read only."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from surveyapp.models import SavedView, StructuralBreak, User

SHOWN = 100


@dataclass(frozen=True, slots=True)
class ViewRow:
    uid: str
    name: str
    page: str
    query: str
    shared: bool
    own: bool
    owner: str


def saved_views(session: Session, user_id: int) -> list[ViewRow]:
    """A person's own views and those that others share, by name."""
    query = (
        select(SavedView, User.name, User.email)
        .join(User, User.id == SavedView.user_id)
        .where(or_(SavedView.user_id == user_id, SavedView.shared.is_(True)))
        .order_by(SavedView.name, SavedView.id)
        .limit(SHOWN)
    )
    return [
        ViewRow(v.uid, v.name, v.page, v.query, v.shared, v.user_id == user_id, name or email)
        for v, name, email in session.execute(query)
    ]


def saved_view(session: Session, uid: str, user_id: int) -> ViewRow | None:
    """The view behind a link, or None where this reader may not open it."""
    mine = or_(SavedView.user_id == user_id, SavedView.shared.is_(True))
    v = session.scalar(select(SavedView).where(SavedView.uid == uid, mine))
    return None if v is None else ViewRow(v.uid, v.name, v.page, v.query, v.shared, v.user_id == user_id, "")


@dataclass(frozen=True, slots=True)
class BreakRow:
    """`metric` is None for a break of every metric."""

    uid: str
    day: date
    name: str
    metric: str | None


def structural_breaks(session: Session, metric: str | None = None) -> list[BreakRow]:
    """The breaks in order of time: those of one metric, or all of them."""
    query = select(StructuralBreak).order_by(StructuralBreak.day, StructuralBreak.id)
    if metric is not None:
        query = query.where(or_(StructuralBreak.metric == metric, StructuralBreak.metric.is_(None)))
    return [BreakRow(b.uid, b.day, b.name, b.metric) for b in session.scalars(query)]
