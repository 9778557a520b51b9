"""Opt-outs of one kind of question: a suppression's channel may name a group of surveys."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("suppression") as table:
        table.alter_column("channel", existing_type=sa.String(length=10), type_=sa.String(length=100))


def downgrade() -> None:
    op.execute("DELETE FROM suppression WHERE channel LIKE 'kind:%'")
    with op.batch_alter_table("suppression") as table:
        table.alter_column("channel", existing_type=sa.String(length=100), type_=sa.String(length=10))
