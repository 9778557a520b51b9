"""When a survey's quota was reached."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("survey", sa.Column("full_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("survey", "full_at")
