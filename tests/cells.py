"""Sums of stored cells, for tests that count what is in them."""

from sqlalchemy import ColumnElement, func

from surveyapp.domain.scores import METRICS
from surveyapp.models import MetricCell
from surveyapp.models.metrics import of_scores

ANSWERS: ColumnElement[int] = func.sum(sum(MetricCell.__table__.c[name] for name in of_scores("n")))
"""How many answers are in the fine cells."""


def scores_of(cell: MetricCell) -> dict[int, int]:
    """How many answers of a fine cell gave each score."""
    counts = [(METRICS[cell.metric].low + at, getattr(cell, name)) for at, name in enumerate(of_scores("n"))]
    return {score: n for score, n in counts if n}
