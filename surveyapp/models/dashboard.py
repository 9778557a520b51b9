"""What people keep about figures: views of a metric's pages under a name, and dated structural breaks."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class SavedView(Base):
    """A metric's page with its filters. `page` is `nps` or `nps/breakdown`, `query` its parameters; never a figure."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    page: Mapped[str] = mapped_column(String(40))
    query: Mapped[str] = mapped_column(String(2000))
    shared: Mapped[bool]
    created_at: Mapped[datetime]


class StructuralBreak(Base):
    """From `day` on a metric (all metrics when none is named) measures something that differs in kind."""

    __tablename__ = "structural_break"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    day: Mapped[date]
    name: Mapped[str] = mapped_column(String(80))
    metric: Mapped[str | None] = mapped_column(String(20))
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
