"""Fine cells as histograms, as the rows by day are: one row for all scores. The cells there are are carried over."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

SCORES = 11
ATTRIBUTES = tuple(f"a{slot}" for slot in range(1, 9))
LOWEST = "CASE WHEN metric IN ('nps', 'tnps', 'enps') THEN 0 WHEN metric = 'disconfirmation' THEN -2 ELSE 1 END"
HISTOGRAM = [
    (f"{name}{at}", counted, at) for name, counted in (("n", "n"), ("w", "w"), ("q", "w2")) for at in range(SCORES)
]
WORDS = (
    ("metric", 20),
    ("survey", 80),
    ("journey", 80),
    ("step", 161),
    ("phase", 80),
    ("channel", 10),
    ("language", 20),
    ("partner", 80),
    ("status", 15),
    *((name, 80) for name in ATTRIBUTES),
)
NUMBERS = ("version", "weight_class", "shard")
KEY = "metric survey version day journey step phase channel language partner status".split()
NAMES = ", ".join((*KEY, *ATTRIBUTES, "weight_class", "shard"))


SUM = "sum(CASE WHEN score - ({lowest}) = {at} THEN {counted} ELSE 0 END) AS {name}"
FOLDED = "SELECT {names}, {sums} FROM metric_cell GROUP BY {names}"
OF_SCORE = """
SELECT {names}, ({lowest}) + {at} AS score, n{at} AS n, w{at} AS w, q{at} AS w2 FROM metric_cell WHERE n{at} <> 0
"""
CARRIED = "INSERT INTO metric_cell ({names}) SELECT {names} FROM metric_cell_kept"


def upgrade() -> None:
    sums = (SUM.format(lowest=LOWEST, at=at, counted=counted, name=name) for name, counted, at in HISTOGRAM)
    _anew(
        FOLDED.format(names=NAMES, sums=", ".join(sums)),
        [name for name, _, _ in HISTOGRAM],
        *(
            sa.Column(name, sa.Integer() if counted == "n" else sa.BigInteger(), server_default="0", nullable=False)
            for name, counted, _ in HISTOGRAM
        ),
        key=[*KEY, *ATTRIBUTES, "weight_class", "shard"],
    )


def downgrade() -> None:
    _anew(
        " UNION ALL ".join(OF_SCORE.format(names=NAMES, lowest=LOWEST, at=at) for at in range(SCORES)),
        ["score", "n", "w", "w2"],
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("w", sa.BigInteger(), nullable=False),
        sa.Column("w2", sa.BigInteger(), nullable=False),
        key=[*KEY, *ATTRIBUTES, "score", "weight_class", "shard"],
    )


def _anew(cells: str, sums: list[str], *columns: sa.Column, key: list[str]) -> None:
    """The table made again with these columns, and the cells in it that the query found before."""
    op.execute(f"CREATE TABLE metric_cell_kept AS {cells}")
    op.drop_table("metric_cell")
    op.create_table(
        "metric_cell",
        sa.Column("id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in WORDS),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in NUMBERS),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_cell")),
        sa.UniqueConstraint(*key, name="uq_metric_cell"),
    )
    op.create_index("ix_metric_cell_day", "metric_cell", ["metric", "day"], unique=False)
    names = f"{NAMES}, {', '.join(sums)}"
    op.execute(CARRIED.format(names=names))
    op.execute("DROP TABLE metric_cell_kept")
