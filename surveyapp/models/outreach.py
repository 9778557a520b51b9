"""Triggers, policy versions, decisions, and the ledger of contacts that every rule counts from."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from surveyapp.models.base import Base, BigId
from surveyapp.models.journeys import Event, Step
from surveyapp.models.surveys import Survey


class Trigger(Base):
    __tablename__ = "trigger"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    channels: Mapped[list[Any]]
    delay_seconds: Mapped[int] = mapped_column(default=0)
    expires_seconds: Mapped[int | None]
    every_seconds: Mapped[int | None]
    reserve_seconds: Mapped[int | None]
    tier: Mapped[int] = mapped_column(default=2)
    priority: Mapped[int] = mapped_column(default=0)
    definition: Mapped[dict[str, Any]]
    stopped_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]

    step: Mapped[Step | None] = relationship()
    survey: Mapped[Survey] = relationship()


class PolicyVersion(Base):
    """The contact policy, frozen. The one in force is the highest number whose `effective_from` has come."""

    __tablename__ = "policy_version"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    definition: Mapped[dict[str, Any]]
    effective_from: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(254))


class PolicyDraft(Base):
    """The next policy while it is being written (one row at most). `revision` grows with every save."""

    __tablename__ = "policy_draft"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    definition: Mapped[dict[str, Any]]
    base_version: Mapped[int]
    revision: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(254))


class Decision(Base):
    """One row per event and matching trigger: asked, waiting or refused, with every rule's verdict."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("event_id", "trigger_id"),
        Index("ix_decision_at", "at"),
        Index("ix_decision_customer_at", "customer_id", "at"),
        Index("ix_decision_trigger_at", "trigger_id", "at"),
        Index("ix_decision_outcome_reason_at", "outcome", "reason", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    trigger_id: Mapped[int] = mapped_column(ForeignKey("trigger.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    channel: Mapped[str | None] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(30))
    verdicts: Mapped[list[Any] | None]
    policy_version: Mapped[int | None]
    inclusion: Mapped[float | None]
    not_before: Mapped[datetime | None]
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()
    trigger: Mapped[Trigger] = relationship()


class LedgerEntry(Base):
    """A contact that counts, one row per contact key of the person. `released` rows count no more."""

    __tablename__ = "contact_ledger"
    __table_args__ = (
        UniqueConstraint("message_id", "subject_key", "claim_no"),
        Index(
            "ix_contact_ledger_subject_at",
            "subject_key",
            "at",
            postgresql_where=text("state <> 'released'"),
            sqlite_where=text("state <> 'released'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    import_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    subject_key: Mapped[str] = mapped_column(String(80))
    claim_no: Mapped[int] = mapped_column(default=1)
    channel: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    decision: Mapped[str | None] = mapped_column(String(40))
    tier: Mapped[int]
    survey: Mapped[str | None] = mapped_column(String(80))
    survey_group: Mapped[str | None] = mapped_column(String(80))
    step: Mapped[str | None] = mapped_column(String(161))
    instance: Mapped[str | None] = mapped_column(String(200))
    answered_at: Mapped[datetime | None]
    policy_version: Mapped[int | None]
