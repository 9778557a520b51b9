"""Invitations, the messages that carry them (the queue itself), channel states, and the local mailbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from surveyapp.domain.vocabulary import MessageKind
from surveyapp.models.base import Base, BigId
from surveyapp.models.customers import Customer
from surveyapp.models.journeys import Event
from surveyapp.models.outreach import Decision, Trigger
from surveyapp.models.surveys import Survey, SurveyVersion


class Invitation(Base):
    """One ask. `uid` is random and is what a signed link carries; `short_slug` is the link in a text message."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    short_slug: Mapped[str | None] = mapped_column(String(16), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    survey_version_id: Mapped[int] = mapped_column(ForeignKey("survey_version.id"))
    trigger_id: Mapped[int | None] = mapped_column(ForeignKey("trigger.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), unique=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    channel: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(20))
    inclusion: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    open_until: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship()
    survey_version: Mapped[SurveyVersion] = relationship()
    trigger: Mapped[Trigger | None] = relationship()
    event: Mapped[Event | None] = relationship()
    decision: Mapped[Decision | None] = relationship()


class Message(Base):
    """One thing to send. The row is the queue: planned, claimed with a lease, started, sent or known otherwise."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_planned",
            "tier",
            "due_at",
            postgresql_where=text("state = 'planned'"),
            sqlite_where=text("state = 'planned'"),
        ),
        Index(
            "ix_message_sending",
            "lease_until",
            postgresql_where=text("state = 'sending'"),
            sqlite_where=text("state = 'sending'"),
        ),
        Index("ix_message_customer", "customer_id"),
        Index("ix_message_provider_ref", "provider_ref"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    idem_key: Mapped[str] = mapped_column(String(400), unique=True)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    trigger_id: Mapped[int] = mapped_column(ForeignKey("trigger.id"))
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    channel: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    tier: Mapped[int]
    priority: Mapped[int]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(15))
    reason: Mapped[str | None] = mapped_column(String(30))
    attempts: Mapped[int] = mapped_column(default=0)
    retries: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    call_started_at: Mapped[datetime | None]
    batch_id: Mapped[str | None] = mapped_column(String(40))
    provider: Mapped[str | None] = mapped_column(String(20))
    provider_ref: Mapped[str | None] = mapped_column(String(200))
    last_error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]

    decision: Mapped[Decision | None] = relationship()
    invitation: Mapped[Invitation | None] = relationship()
    customer: Mapped[Customer] = relationship()
    trigger: Mapped[Trigger] = relationship()
    survey: Mapped[Survey] = relationship()

    @property
    def fails_over(self) -> bool:
        """The first ask once more, by another channel than the one that failed."""
        return (
            self.kind == MessageKind.FIRST and self.invitation is not None and self.invitation.channel != self.channel
        )

    @property
    def settles_decision(self) -> bool:
        """What becomes of it is what becomes of its decision: the first ask, before anything was handed over."""
        return self.kind == MessageKind.FIRST and self.decision is not None and not self.fails_over


class ChannelState(Base):
    """What holds a whole channel back: a provider's pause, an operator's stop, or its own rate.

    The channel `all` stands for every one.
    """

    __tablename__ = "channel_state"

    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    paused_until: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[str | None] = mapped_column(String(254))
    paced_until: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(500))


class LocalMessage(Base):
    """What the local mailbox and the local phone received."""

    __tablename__ = "local_message"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(String(254), index=True)
    sender: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str | None] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    direction: Mapped[str] = mapped_column(String(3), default="out")
    sent_at: Mapped[datetime]
