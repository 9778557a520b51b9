"""Surveys and their frozen versions. A published version never changes; a change makes the next number."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from surveyapp.models.base import Base, BigId


class Survey(Base):
    __tablename__ = "survey"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    metric: Mapped[str] = mapped_column(String(20))
    group: Mapped[str | None] = mapped_column(String(80))
    public_slug: Mapped[str | None] = mapped_column(String(80), unique=True)
    closes_at: Mapped[datetime | None]
    quota: Mapped[int | None]
    full_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]

    versions: Mapped[list["SurveyVersion"]] = relationship(order_by="SurveyVersion.number", back_populates="survey")


class SurveyVersion(Base):
    """What was asked, frozen: `definition` holds metric, about, follow_up and every other field of the survey."""

    __tablename__ = "survey_version"
    __table_args__ = (UniqueConstraint("survey_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    number: Mapped[int]
    definition: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]

    survey: Mapped[Survey] = relationship(back_populates="versions")


class SurveyDraft(Base):
    """The next version of a survey while it is being written, at most one a key. Need not be askable yet.

    `definition` is what a programme file would say of the survey; `past` what it said before each
    change and whether that was typed, the newest last.
    `base_version` is the version it was begun from, 0 for a survey that was never published.
    """

    __tablename__ = "survey_draft"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    definition: Mapped[dict[str, Any]]
    past: Mapped[list[Any]] = mapped_column(default=list)
    base_version: Mapped[int]
    revision: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(254))
