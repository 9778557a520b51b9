"""Reviews that others publish about us. They belong to no customer and enter no figure of our own questions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class Review(Base):
    """One review; its author is not kept. `rating` lies on the source's own scale, and is null with it or without.

    `words` are title and text folded for the search; the full-text index over them is the database's own and named
    `review_words` in the migration. `reporting_day` is that of the review on the clock of its place.
    """

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_review_day", "reporting_day"),
        Index("ix_review_reviewed", "reviewed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    source: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    rating: Mapped[float | None]
    scale_min: Mapped[int | None] = mapped_column(SmallInteger)
    scale_max: Mapped[int | None] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(String(300), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    words: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str | None] = mapped_column(String(20))
    url: Mapped[str | None] = mapped_column(String(2000))
    step: Mapped[str | None] = mapped_column(String(161))
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    timezone: Mapped[str | None] = mapped_column(String(64))
    reviewed_at: Mapped[datetime]
    reporting_day: Mapped[date]
    imported_at: Mapped[datetime]
