"""What was answered over a survey's test links: apart from every answer that counts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class TestAnswer(Base):
    """One trial of a survey, by the id that its link carried. No customer, no ledger, no figure knows of it.

    It is of a published version or of a draft, and goes with the draft.
    """

    __tablename__ = "test_answer"
    __test__ = False

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    survey_version_id: Mapped[int | None] = mapped_column(ForeignKey("survey_version.id"), index=True)
    survey_draft_id: Mapped[int | None] = mapped_column(ForeignKey("survey_draft.id", ondelete="CASCADE"), index=True)
    score: Mapped[int | None]
    comment: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    language: Mapped[str | None] = mapped_column(String(20))
    answered_at: Mapped[datetime]
