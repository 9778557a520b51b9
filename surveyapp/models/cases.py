"""Cases: what somebody must look after for a customer. While one is open, the policy may stop all asks."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from surveyapp.models.base import Base, BigId
from surveyapp.models.customers import Customer


class Case(Base):
    """Open until `closed_at`; free until somebody takes it. `step` is the long form of the step it is about."""

    __tablename__ = "case"
    __table_args__ = (Index("ix_case_customer_closed", "customer_id", "closed_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    reason: Mapped[str | None] = mapped_column(String(500))
    step: Mapped[str | None] = mapped_column(String(161))
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(String(254))
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[str | None] = mapped_column(String(254))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(254))

    customer: Mapped[Customer] = relationship()
