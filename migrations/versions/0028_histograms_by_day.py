"""Cells by day as histograms, of all answers and by each value of an attribute; filled from the cells there are."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

SCORES, ATTRIBUTES, LANGUAGE = 11, 8, 9
PLACE = "metric, day, survey, version, journey, step, phase, channel, partner, status, weight_class"
LOWEST = "CASE WHEN metric IN ('nps', 'tnps', 'enps') THEN 0 WHEN metric = 'disconfirmation' THEN -2 ELSE 1 END"
HISTOGRAM = [
    (f"{name}{at}", counted, at) for name, counted in (("n", "n"), ("w", "w"), ("q", "w2")) for at in range(SCORES)
]
FILL = """
INSERT INTO metric_day ({place}, slot, value, shard, {names})
SELECT {place}, {slot}, {value}, 0, {sums} FROM metric_cell {where} GROUP BY {by}
"""
BY_SCORE = """
INSERT INTO metric_day
 (metric, day, survey, version, journey, step, phase, channel, partner, status, score, weight_class, shard, n, w, w2)
SELECT metric, day, survey, version, journey, step, phase, channel, partner, status, score, weight_class, 0,
 sum(n), sum(w), sum(w2)
FROM metric_cell
GROUP BY metric, day, survey, version, journey, step, phase, channel, partner, status, score, weight_class
"""
WORDS = (
    ("metric", 20),
    ("survey", 80),
    ("journey", 80),
    ("step", 161),
    ("phase", 80),
    ("channel", 10),
    ("partner", 80),
    ("status", 15),
)
NUMBERS = ("version", "weight_class", "shard")


def upgrade() -> None:
    op.drop_table("metric_day")
    _create(
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(length=80), nullable=False),
        *(
            sa.Column(name, sa.Integer() if counted == "n" else sa.BigInteger(), server_default="0", nullable=False)
            for name, counted, _ in HISTOGRAM
        ),
        key="metric slot day value survey version journey step phase channel partner status weight_class shard",
    )
    op.execute(_filled(0, "''"))
    for slot in range(1, ATTRIBUTES + 1):
        op.execute(_filled(slot, f"a{slot}"))
    op.execute(_filled(LANGUAGE, "language"))


def downgrade() -> None:
    op.drop_table("metric_day")
    _create(
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("w", sa.BigInteger(), nullable=False),
        sa.Column("w2", sa.BigInteger(), nullable=False),
        key="metric day survey version journey step phase channel partner status score weight_class shard",
    )
    op.execute(BY_SCORE)


def _create(*columns: sa.Column, key: str) -> None:
    op.create_table(
        "metric_day",
        sa.Column("id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in WORDS),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in NUMBERS),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_day")),
        sa.UniqueConstraint(*key.split(), name="uq_metric_day"),
    )


def _filled(slot: int, value: str) -> str:
    """The statement that adds the rows of one slot; answers without a value have none."""
    sums = ", ".join(
        f"sum(CASE WHEN score - ({LOWEST}) = {at} THEN {counted} ELSE 0 END)" for _, counted, at in HISTOGRAM
    )
    names = ", ".join(name for name, _, _ in HISTOGRAM)
    by, where = (f"{PLACE}, {value}", f"WHERE {value} <> ''") if slot else (PLACE, "")
    return FILL.format(place=PLACE, names=names, sums=sums, slot=slot, value=value, by=by, where=where)
