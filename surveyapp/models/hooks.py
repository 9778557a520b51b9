"""What came in through the providers' hooks: which events were seen, each hook's counters, texts from people.

No address, number or word of a person is kept here.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class HookEvent(Base):
    """An event about a message of ours that was taken in, so that a repetition changes nothing."""

    __tablename__ = "webhook_inbox"

    provider: Mapped[str] = mapped_column(String(20), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class HookState(Base):
    """A hook's last sign of life, and how many of its events were taken in, repeated, not ours, not readable."""

    __tablename__ = "hook_state"

    hook: Mapped[str] = mapped_column(String(20), primary_key=True)
    last_at: Mapped[datetime]
    taken: Mapped[int] = mapped_column(default=0)
    repeated: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[int] = mapped_column(default=0)
    unreadable: Mapped[int] = mapped_column(default=0)


class InboundText(Base):
    """A text from a person: what it was taken for and what we said back, never its words.

    `kind` is empty while it is being dealt with. `open_asks` above 1 says that it could have meant another ask.
    """

    __tablename__ = "inbound_text"
    __table_args__ = (UniqueConstraint("provider", "reference"), Index("ix_inbound_text_number_at", "number_key", "at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(64))
    number_key: Mapped[str] = mapped_column(String(80))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str | None] = mapped_column(String(20))
    open_asks: Mapped[int] = mapped_column(default=0)
    question: Mapped[str | None] = mapped_column(String(40))
    said: Mapped[str | None] = mapped_column(String(20))
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[str | None] = mapped_column(String(254))
