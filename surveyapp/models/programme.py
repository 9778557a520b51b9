"""The programme as a whole: the brand, the promise and its dimensions, reporting attributes, applied files."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class Brand(Base):
    """The one brand of this installation (row 1)."""

    __tablename__ = "brand"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(20))
    languages: Mapped[list[Any]]
    timezone: Mapped[str] = mapped_column(String(64))
    colour: Mapped[str | None] = mapped_column(String(9))
    palette: Mapped[dict[str, Any]] = mapped_column(default=dict)
    logo: Mapped[str | None] = mapped_column(String(500))
    privacy_url: Mapped[str | None] = mapped_column(String(500))
    postal_address: Mapped[str | None] = mapped_column(String(500))
    contact: Mapped[str | None] = mapped_column(String(500))


class Dimension(Base):
    __tablename__ = "dimension"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    promise: Mapped[str] = mapped_column(String(500))
    attributes: Mapped[list[Any]]
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]


class ReportingAttribute(Base):
    """A context attribute that figures may be filtered and grouped by; `slot` 1–8 is its column in a metric cell."""

    __tablename__ = "reporting_attribute"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    slot: Mapped[int | None] = mapped_column(unique=True)


class ReportingValue(Base):
    """A value that an attribute keeps under its own name; from the 51st on, values are counted as `other`."""

    __tablename__ = "reporting_value"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str] = mapped_column(String(80), primary_key=True)


class ProgrammeVersion(Base):
    __tablename__ = "programme_version"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime]
    applied_by: Mapped[str] = mapped_column(String(254))
