"""Roll-up cells."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metric_cell",
        sa.Column("id", BigId, nullable=False),
        sa.Column("metric", sa.String(length=20), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("journey", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=161), nullable=False),
        sa.Column("phase", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=15), nullable=False),
        sa.Column("a1", sa.String(length=80), nullable=False),
        sa.Column("a2", sa.String(length=80), nullable=False),
        sa.Column("a3", sa.String(length=80), nullable=False),
        sa.Column("a4", sa.String(length=80), nullable=False),
        sa.Column("a5", sa.String(length=80), nullable=False),
        sa.Column("a6", sa.String(length=80), nullable=False),
        sa.Column("a7", sa.String(length=80), nullable=False),
        sa.Column("a8", sa.String(length=80), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("w", sa.BigInteger(), nullable=False),
        sa.Column("w2", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_cell")),
        sa.UniqueConstraint(
            "metric",
            "survey",
            "version",
            "day",
            "journey",
            "step",
            "phase",
            "channel",
            "language",
            "partner",
            "status",
            "a1",
            "a2",
            "a3",
            "a4",
            "a5",
            "a6",
            "a7",
            "a8",
            "score",
            "shard",
            name="uq_metric_cell",
        ),
    )
    op.create_index("ix_metric_cell_day", "metric_cell", ["metric", "day"], unique=False)


def downgrade() -> None:
    op.drop_table("metric_cell")
