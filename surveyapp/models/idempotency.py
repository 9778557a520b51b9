"""Calls of the API that came with an Idempotency-Key, kept for a day with what they were answered."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class KeyedCall(Base):
    """One call: under way while `status` is empty and `claimed_at` is not, to be made again when both are empty.

    The caller's key and the request are kept as hashes. `token` belongs to whoever makes the call now; `uid` is the
    id of what the call makes, the same for every attempt.
    """

    __tablename__ = "idempotency"

    api_key_id: Mapped[int] = mapped_column(BigId, ForeignKey("api_key.id"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    uid: Mapped[str] = mapped_column(String(40))
    token: Mapped[str] = mapped_column(String(40))
    claimed_at: Mapped[datetime | None]
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)
