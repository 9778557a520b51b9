"""Signs of life of a partner's pages: where the widget was loaded, asked, shown and refused, counted by day."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class WidgetSign(Base):
    """How often `what` happened on pages of one origin in one day (UTC). Says nothing about any visitor."""

    __tablename__ = "widget_sign"

    partner_id: Mapped[int] = mapped_column(BigId, ForeignKey("partner.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(String(200), primary_key=True)
    what: Mapped[str] = mapped_column(String(30), primary_key=True)
    n: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime]
