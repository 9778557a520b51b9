"""Test answers; those to a draft go with it."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "test_answer",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("survey_version_id", BigId, nullable=True),
        sa.Column("survey_draft_id", BigId, nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answers", Json, nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey_version_id"], ["survey_version.id"], name=op.f("fk_test_answer_survey_version_id_survey_version")
        ),
        sa.ForeignKeyConstraint(
            ["survey_draft_id"],
            ["survey_draft.id"],
            name=op.f("fk_test_answer_survey_draft_id_survey_draft"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_answer")),
        sa.UniqueConstraint("uid", name=op.f("uq_test_answer_uid")),
    )
    op.create_index("ix_test_answer_survey_version_id", "test_answer", ["survey_version_id"], unique=False)
    op.create_index("ix_test_answer_survey_draft_id", "test_answer", ["survey_draft_id"], unique=False)


def downgrade() -> None:
    op.drop_table("test_answer")
