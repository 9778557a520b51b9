"""Roll-up cells: how many answers gave each score, per day and dimension. Nothing but counts is stored."""

from datetime import date

from sqlalchemy import BigInteger, Column, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from surveyapp.models.base import Base, BigId

SLOTS = 8
SHARDS = 8
BULK = SHARDS
"""The shard of imports and repairs, so that what takes long never stands before an answer."""
LANGUAGE = SLOTS + 1
"""Where `metric_day` keeps the language, as if it were an attribute."""
SCORES = 11
"""The most scores a scale has."""
VALUES = 50
OTHER = "other"


def of_scores(prefix: str) -> tuple[str, ...]:
    """The columns of a histogram, from the lowest score of the metric's scale on."""
    return tuple(f"{prefix}{place}" for place in range(SCORES))


def _histogram() -> tuple[Column[int], ...]:
    """`n0` … `n10` count the answers from the lowest score of the metric's scale upwards, `w…` and `q…` are the sums of
    their weights and of the weights' squares, in whole micro-weights."""
    large = (*of_scores("w"), *of_scores("q"))
    return (
        *(Column(name, Integer, nullable=False, server_default="0") for name in of_scores("n")),
        *(Column(name, BigInteger, nullable=False, server_default="0") for name in large),
    )


class MetricCell(Base):
    """The answers of one cell as a histogram. Missing dimensions are '' (never null), so that the key is unique.

    `a1` … `a8` are the reporting attributes by slot. `shard` spreads a hot cell over several rows, so that writers of
    the same cell at the same moment do not queue behind one another; readers always sum. `weight_class` is the step
    of the ladder (`domain/weights`) on which the answers' weights lie, so that the heaviest can be trimmed when a
    figure is read.
    """

    __tablename__ = "metric_cell"
    __table_args__ = (
        *_histogram(),
        UniqueConstraint(
            *("metric survey version day journey step phase channel language partner status".split()),
            *(f"a{slot}" for slot in range(1, SLOTS + 1)),
            "weight_class",
            "shard",
            name="uq_metric_cell",
        ),
        Index("ix_metric_cell_day", "metric", "day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    metric: Mapped[str] = mapped_column(String(20))
    survey: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    day: Mapped[date]
    journey: Mapped[str] = mapped_column(String(80), default="")
    step: Mapped[str] = mapped_column(String(161), default="")
    phase: Mapped[str] = mapped_column(String(80), default="")
    channel: Mapped[str] = mapped_column(String(10), default="")
    language: Mapped[str] = mapped_column(String(20), default="")
    partner: Mapped[str] = mapped_column(String(80), default="")
    status: Mapped[str] = mapped_column(String(15))
    a1: Mapped[str] = mapped_column(String(80), default="")
    a2: Mapped[str] = mapped_column(String(80), default="")
    a3: Mapped[str] = mapped_column(String(80), default="")
    a4: Mapped[str] = mapped_column(String(80), default="")
    a5: Mapped[str] = mapped_column(String(80), default="")
    a6: Mapped[str] = mapped_column(String(80), default="")
    a7: Mapped[str] = mapped_column(String(80), default="")
    a8: Mapped[str] = mapped_column(String(80), default="")
    weight_class: Mapped[int] = mapped_column(default=0)
    shard: Mapped[int] = mapped_column(default=0)


class MetricDay(Base):
    """The same counts as histograms: a row per day and place, and beside it one per value of an attribute.

    A row of slot 0 holds all answers of its place. A row of slot 1 … 8 holds those with this value of the attribute in
    that slot, a row of slot LANGUAGE those in this language; what has no value is the rest of the row of slot 0. So any
    one breakdown reads rows whose number is bounded by days, places and values, not by answers or combinations.
    """

    __tablename__ = "metric_day"
    __table_args__ = (
        *_histogram(),
        UniqueConstraint(
            *("metric slot day value survey version journey step phase channel partner status".split()),
            "weight_class",
            "shard",
            name="uq_metric_day",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    metric: Mapped[str] = mapped_column(String(20))
    slot: Mapped[int] = mapped_column(default=0)
    value: Mapped[str] = mapped_column(String(80), default="")
    day: Mapped[date]
    survey: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    journey: Mapped[str] = mapped_column(String(80), default="")
    step: Mapped[str] = mapped_column(String(161), default="")
    phase: Mapped[str] = mapped_column(String(80), default="")
    channel: Mapped[str] = mapped_column(String(10), default="")
    partner: Mapped[str] = mapped_column(String(80), default="")
    status: Mapped[str] = mapped_column(String(15))
    weight_class: Mapped[int] = mapped_column(default=0)
    shard: Mapped[int] = mapped_column(default=0)
