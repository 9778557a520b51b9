"""What came over a question's link, and when its messages arrived. Read only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, String, Subquery, bindparam, literal_column, null, select, union_all
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.clicks import Earlier, HandedOver, Hit, HitKind
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Invitation, LinkHit, Message, Response, Visit
from surveyapp.models.base import table_of

AnySession = Session | scoped_session[Session]
MOST = 1_000
SHOWN = 200
Evidence = tuple[Sequence[Hit], Sequence[Earlier]]


def _evidence() -> Subquery:
    """Built once: an answer is read and written with statements that are only filled in."""
    link, since = bindparam("invitation", type_=String), bindparam("since", type_=table_of(LinkHit).c.at.type)
    hit, post = table_of(LinkHit).c, table_of(Visit).c
    hits = select(hit.at, hit.visitor, hit.visit, hit.kind, hit.value, null().label("status"))
    posts = select(post.at, post.visitor, post.uid, literal_column("'post'", String), null(), post.status)
    both = union_all(
        hits.where(hit.invitation == link, hit.at >= since),
        posts.where(post.invitation == link, post.at >= since),
    ).subquery()
    return select(both).order_by(both.c.at.desc()).limit(literal_column(str(MOST))).subquery("evidence")


EVIDENCE = _evidence()
"""What came over the link `invitation` after `since`, the newest thousand: to be joined to a statement sent anyway."""


def read_evidence(rows: Iterable[Row[Any]]) -> Evidence:
    """The hits and the earlier posts among rows that have the columns of EVIDENCE; empty where all of them are null."""
    found = [r for r in rows if r.at is not None]
    hits = [Hit(r.at, HitKind(r.kind), r.visitor, r.visit, r.value) for r in found if r.status is None]
    return hits, [Earlier(r.at, r.visit, r.visitor, ResponseStatus(r.status)) for r in found if r.status is not None]


def handed_over(session: AnySession, invitation: str) -> list[HandedOver]:
    """When each message with this link left and when it is said to have arrived."""
    rows = session.execute(
        select(Message.sent_at, Message.delivered_at)
        .join(Invitation, Invitation.id == Message.invitation_id)
        .where(Invitation.uid == invitation)
    )
    return [HandedOver(row.sent_at, row.delivered_at) for row in rows if row.sent_at is not None]


@dataclass(frozen=True, slots=True)
class RawEvidence:
    """Everything that is still kept about one answer's link, oldest first, and when its messages arrived."""

    hits: Sequence[LinkHit]
    visits: Sequence[Visit]
    handed_over: Sequence[HandedOver]


def raw_evidence(session: AnySession, response: Response) -> RawEvidence | None:
    """The evidence behind an answer for people to read; None where it came over no link."""
    if response.invitation is None:
        return None
    uid = response.invitation.uid
    hits = select(LinkHit).where(LinkHit.invitation == uid).order_by(LinkHit.id).limit(SHOWN)
    visits = select(Visit).where(Visit.invitation == uid).order_by(Visit.id).limit(SHOWN)
    return RawEvidence(tuple(session.scalars(hits)), tuple(session.scalars(visits)), tuple(handed_over(session, uid)))
