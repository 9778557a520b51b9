"""Who texts us from a number, and which questions are open on it. Read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, scoped_session

from surveyapp.domain.conversation import OpenAsk
from surveyapp.domain.questions import Kind, parse_definition
from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import Channel, MessageKind, MessageState, ResponseStatus
from surveyapp.models import ContactKey, Customer, InboundText, Invitation, Message, Response, Suppression

AnySession = Session | scoped_session[Session]
LEFT = (
    *(MessageState.SENDING, MessageState.SENT, MessageState.DELIVERED),
    *(MessageState.UNKNOWN, MessageState.UNKNOWN_FINAL),
)
MOST = 10
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Texter:
    """Who a number belongs to. `closed` are the channels this number or person has opted out of."""

    customers: tuple[Customer, ...]
    closed: frozenset[str]
    erased: bool
    language: str | None
    said_today: int
    helped_today: bool

    @property
    def opted_out(self) -> bool:
        return bool(self.closed & {Channel.SMS, "all"})


def texter(session: AnySession, key: str, now: datetime) -> Texter:
    """What is known of the number with this contact key."""
    mine = select(ContactKey.customer_id).where(ContactKey.key == key, ContactKey.until.is_(None))
    customers = session.scalars(
        select(Customer).where(Customer.id.in_(mine), Customer.erased_at.is_(None)).order_by(Customer.id)
    ).all()
    keys = select(ContactKey.key).where(ContactKey.customer_id.in_(mine), ContactKey.until.is_(None))
    blocks = session.execute(
        select(Suppression.channel, Suppression.reason).where(
            or_(Suppression.key == key, Suppression.key.in_(keys)), Suppression.reason.in_(("opted_out", "erased"))
        )
    ).all()
    said = session.execute(
        select(InboundText.kind, func.count())
        .where(InboundText.number_key == key, InboundText.at > now - DAY, InboundText.said.is_not(None))
        .group_by(InboundText.kind)
    ).all()
    spoken = session.scalar(
        select(Invitation.language)
        .where(Invitation.customer_id.in_(mine), Invitation.channel == Channel.SMS)
        .order_by(Invitation.created_at.desc())
        .limit(1)
    )
    return Texter(
        customers=tuple(customers),
        closed=frozenset(channel for channel, reason in blocks if reason == "opted_out"),
        erased=any(reason == "erased" for _, reason in blocks),
        language=spoken or next((c.language for c in customers if c.language), None),
        said_today=sum(count for _, count in said),
        helped_today=any(kind == "help" for kind, _ in said),
    )


def open_asks(
    session: AnySession, customers: Sequence[int], now: datetime, edit_hours: int
) -> tuple[list[OpenAsk], dict[int, Invitation]]:
    """The questions asked by text of these customers that are still open, newest first, and their invitations."""
    if not customers:
        return [], {}
    left = func.coalesce(Message.sent_at, Message.call_started_at, Message.created_at)
    query = (
        select(Invitation, left, Response)
        .join(Message, Message.invitation_id == Invitation.id)
        .outerjoin(Response, Response.invitation_id == Invitation.id)
        .where(Invitation.customer_id.in_(customers), Invitation.channel == Channel.SMS, Invitation.open_until > now)
        .where(Message.channel == Channel.SMS, Message.kind == MessageKind.FIRST, Message.state.in_(LEFT))
        .order_by(left.desc())
        .limit(MOST)
        .options(joinedload(Invitation.survey_version))
    )
    rows = session.execute(query).unique().all()
    texts = _texts(session, [row[0].id for row in rows])
    asks = [_open_ask(row[0], row[1], row[2], texts.get(row[0].id, []), now, edit_hours) for row in rows]
    return asks, {row[0].id: row[0] for row in rows}


def _open_ask(
    invitation: Invitation,
    asked_at: datetime,
    response: Response | None,
    texts: Sequence[InboundText],
    now: datetime,
    edit_hours: int,
) -> OpenAsk:
    metric = METRICS[str(invitation.survey_version.definition["metric"])]
    answered = response is not None and response.status == ResponseStatus.CONFIRMED
    editable = answered and response is not None and response.answered_at + timedelta(hours=edit_hours) > now
    awaiting = awaited(texts)
    return OpenAsk(
        invitation=invitation.id,
        low=metric.low,
        high=metric.high,
        asked_at=asked_at,
        answered=answered,
        editable=editable,
        awaiting_since=awaiting.at if awaiting and answered else None,
        awaiting_choice=bool(awaiting and _is_choice(invitation, awaiting.question)),
        asked_again=any(text.said == "again" for text in texts),
    )


def _texts(session: AnySession, invitations: Sequence[int]) -> dict[int, list[InboundText]]:
    """What the person has texted about each invitation, oldest first."""
    found: dict[int, list[InboundText]] = {}
    query = select(InboundText).where(InboundText.invitation_id.in_(invitations), InboundText.kind.is_not(None))
    for text in session.scalars(query.order_by(InboundText.id)):
        assert text.invitation_id is not None
        found.setdefault(text.invitation_id, []).append(text)
    return found


def awaited(texts: Sequence[InboundText]) -> InboundText | None:
    """The text after which we asked the next question, as long as no words have come since."""
    waiting = None
    for text in texts:
        if text.question is not None:
            waiting = text
        elif text.kind == "words":
            waiting = None
    return waiting


def _is_choice(invitation: Invitation, key: str | None) -> bool:
    questions = parse_definition(invitation.survey_version.definition).questions
    return any(q.key == key and q.kind in (Kind.ONE, Kind.MANY, Kind.REASONS) for q in questions)
