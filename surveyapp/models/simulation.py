"""Policies being tried on recorded events: what was asked for, how far the replay is, what came out."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId


class Simulation(Base):
    """One try. `state` is waiting, running, done, failed or cancelled; `progress` is where the next slice goes on."""

    __tablename__ = "simulation"
    __table_args__ = (Index("ix_simulation_state", "state", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    definition: Mapped[dict[str, Any]]
    base_version: Mapped[int]
    start: Mapped[datetime]
    end: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    progress: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(254))
    finished_at: Mapped[datetime | None]
