"""Customers' words folded for the search, and the themes that recognise them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class Verbatim(Base):
    """The folded words of one answer's comment; no row where there is none.

    The full-text index over `words` is the database's own and named `verbatim_words` in the migration: FTS5 kept by
    triggers on SQLite, GIN on PostgreSQL.
    """

    __tablename__ = "verbatim"

    response_id: Mapped[int] = mapped_column(ForeignKey("response.id"), primary_key=True, autoincrement=False)
    words: Mapped[str] = mapped_column(Text)


class Theme(Base):
    """`rules` are keywords by language, under `any` for every language."""

    __tablename__ = "theme"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    gap: Mapped[str] = mapped_column(String(20), default="")
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
