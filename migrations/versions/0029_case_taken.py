"""Who looks after a case, and since when."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import UtcDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("taken_at", UtcDateTime(), nullable=True))
    op.add_column("case", sa.Column("taken_by", sa.String(254), nullable=True))


def downgrade() -> None:
    op.drop_column("case", "taken_by")
    op.drop_column("case", "taken_at")
