"""Journeys, their steps, and the events by which customers reach them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from surveyapp.models.base import Base, BigId


class Journey(Base):
    __tablename__ = "journey"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[dict[str, Any]]
    instance_name: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]

    steps: Mapped[list["Step"]] = relationship(order_by="Step.position", back_populates="journey")


class Step(Base):
    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("journey_id", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    journey_id: Mapped[int] = mapped_column(ForeignKey("journey.id"))
    key: Mapped[str] = mapped_column(String(80))
    name: Mapped[dict[str, Any]]
    phase: Mapped[str | None] = mapped_column(String(80))
    event: Mapped[str | None] = mapped_column(String(200), index=True)
    attributes: Mapped[list[Any]] = mapped_column(default=list)
    moment_of_truth: Mapped[bool] = mapped_column(default=False)
    tier: Mapped[int] = mapped_column(default=2)
    sensitive_seconds: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]

    journey: Mapped[Journey] = relationship(back_populates="steps")

    @property
    def path(self) -> str:
        """The long form used outside a journey: `journey.step`."""
        return f"{self.journey.key}.{self.key}"


class Event(Base):
    """Something that happened to a customer. `step_id` is null for an unmapped name and for a recurring trigger.

    `attributes` are the customer's as they were when the event came in, for the frozen context of an answer.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_customer_occurred", "customer_id", "occurred_at"),
        Index("ix_event_step_occurred", "step_id", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(200), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"))
    name: Mapped[str | None] = mapped_column(String(200))
    instance: Mapped[str | None] = mapped_column(String(200))
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(index=True)
    timezone: Mapped[str | None] = mapped_column(String(64))
    cancels: Mapped[str | None] = mapped_column(String(200), index=True)
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(String(20))
