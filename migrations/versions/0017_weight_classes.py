"""Cells that tell heavy answers from light ones, so that weights can be trimmed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PLACE = (
    "metric survey version day journey step phase channel language partner status a1 a2 a3 a4 a5 a6 a7 a8 score".split()
)


def upgrade() -> None:
    with op.batch_alter_table("metric_cell") as table:
        table.add_column(sa.Column("weight_class", sa.Integer(), nullable=False, server_default="0"))
        table.drop_constraint("uq_metric_cell", type_="unique")
        table.create_unique_constraint("uq_metric_cell", [*PLACE, "weight_class", "shard"])
    with op.batch_alter_table("metric_cell") as table:
        table.alter_column("weight_class", server_default=None)


def downgrade() -> None:
    """The cells are taken away, since those of one place would collide; `flask rollups rebuild` makes them again."""
    op.execute("DELETE FROM metric_cell")
    with op.batch_alter_table("metric_cell") as table:
        table.drop_constraint("uq_metric_cell", type_="unique")
        table.drop_column("weight_class")
        table.create_unique_constraint("uq_metric_cell", [*PLACE, "shard"])
