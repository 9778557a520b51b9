"""Cells by day, without language and attributes, filled from the cells there are."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

FILL = """
INSERT INTO metric_day
 (metric, day, survey, version, journey, step, phase, channel, partner, status, score, weight_class, shard, n, w, w2)
SELECT metric, day, survey, version, journey, step, phase, channel, partner, status, score, weight_class, 0,
 sum(n), sum(w), sum(w2)
FROM metric_cell
GROUP BY metric, day, survey, version, journey, step, phase, channel, partner, status, score, weight_class
"""


def upgrade() -> None:
    op.create_table(
        "metric_day",
        sa.Column("id", BigId, nullable=False),
        sa.Column("metric", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("journey", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=161), nullable=False),
        sa.Column("phase", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=15), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("weight_class", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("w", sa.BigInteger(), nullable=False),
        sa.Column("w2", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_day")),
        sa.UniqueConstraint(
            "metric",
            "day",
            "survey",
            "version",
            "journey",
            "step",
            "phase",
            "channel",
            "partner",
            "status",
            "score",
            "weight_class",
            "shard",
            name="uq_metric_day",
        ),
    )
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("metric_day")
