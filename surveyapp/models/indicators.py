"""Operational series: what each indicator means, and one value per scope and day."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class Indicator(Base):
    """`kind`, `total` and `better` are words of `domain/indicators`; `property` names an event property or is ''."""

    __tablename__ = "indicator"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(40), default="")
    total: Mapped[str] = mapped_column(String(10))
    better: Mapped[str] = mapped_column(String(10))
    property: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime]


class IndicatorValue(Base):
    """Scope parts that are not told are '' (never null), so that one scope and day has one value."""

    __tablename__ = "indicator_value"
    __table_args__ = (
        UniqueConstraint("indicator_id", "day", "step", "service", "product_line", name="uq_indicator_value"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicator.id"))
    day: Mapped[date]
    step: Mapped[str] = mapped_column(String(161), default="")
    service: Mapped[str] = mapped_column(String(161), default="")
    product_line: Mapped[str] = mapped_column(String(161), default="")
    value: Mapped[float]
