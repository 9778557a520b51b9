"""Customers, the contact keys that make several records one person, and what must not be sent to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class Customer(Base):
    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    anonymous_id: Mapped[str | None] = mapped_column(String(200), index=True)
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    phone: Mapped[str | None] = mapped_column(String(20), index=True)
    language: Mapped[str | None] = mapped_column(String(20))
    timezone: Mapped[str | None] = mapped_column(String(64))
    preferred_channel: Mapped[str | None] = mapped_column(String(10))
    consent: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    erased_at: Mapped[datetime | None]

    @property
    def reachable(self) -> frozenset[str]:
        """The channels for which an address is known."""
        return frozenset(channel for channel, to in (("email", self.email), ("sms", self.phone)) if to)


class ContactKey(Base):
    """One key of a customer: `c:` the record itself, `e:` a hashed e-mail address, `p:` a hashed phone number.

    An address that was given up stays with `until`: what was asked there until then still counts for this customer,
    and nothing else does.
    """

    __tablename__ = "contact_key"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)
    until: Mapped[datetime | None]


class ContactSubject(Base):
    """The row that is locked while a contact is decided; sharing a key means sharing the lock and the cap."""

    __tablename__ = "contact_subject"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    ver: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime | None]


class Suppression(Base):
    """A key that must not be contacted on a channel (or on `all`, or about one `kind:` of questions), and why."""

    __tablename__ = "suppression"
    __table_args__ = (UniqueConstraint("key", "channel", "reason"), Index("ix_suppression_key", "key"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(40), default="")
    at: Mapped[datetime]
    until: Mapped[datetime | None]
