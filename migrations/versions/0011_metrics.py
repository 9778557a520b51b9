"""Roll-up cells: fine ones, and by day of all answers and of those with each value of an attribute."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PLACE = {
    "metric": 20,
    "survey": 80,
    "journey": 80,
    "step": 161,
    "phase": 80,
    "channel": 10,
    "partner": 80,
    "status": 15,
}
FINE = {"language": 20, **{f"a{slot}": 80 for slot in range(1, 9)}}
HISTOGRAM = {"n": sa.Integer, "w": sa.BigInteger, "q": sa.BigInteger}
FINE_KEY = (
    "metric survey version day journey step phase channel language partner status "
    "a1 a2 a3 a4 a5 a6 a7 a8 weight_class shard"
)
DAY_KEY = "metric slot day value survey version journey step phase channel partner status weight_class shard"


def upgrade() -> None:
    _create("metric_cell", *_words(FINE), key=FINE_KEY)
    op.create_index("ix_metric_cell_day", "metric_cell", ["metric", "day"], unique=False)
    _create("metric_day", sa.Column("slot", sa.Integer(), nullable=False), *_words({"value": 80}), key=DAY_KEY)


def downgrade() -> None:
    op.drop_table("metric_day")
    op.drop_table("metric_cell")


def _words(lengths: dict[str, int]) -> list[sa.Column]:
    return [sa.Column(name, sa.String(length=length), nullable=False) for name, length in lengths.items()]


def _create(table: str, *columns: sa.Column, key: str) -> None:
    op.create_table(
        table,
        sa.Column("id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *_words(PLACE),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("version", "weight_class", "shard")),
        *columns,
        *(
            sa.Column(f"{name}{at}", kind(), server_default="0", nullable=False)
            for name, kind in HISTOGRAM.items()
            for at in range(11)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(*key.split(), name=f"uq_{table}"),
    )
