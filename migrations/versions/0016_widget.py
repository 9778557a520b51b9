"""Widget."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "widget_sign",
        sa.Column("partner_id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=30), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_widget_sign_partner_id_partner")),
        sa.PrimaryKeyConstraint("partner_id", "day", "origin", "what", name=op.f("pk_widget_sign")),
    )


def downgrade() -> None:
    op.drop_table("widget_sign")
