"""Test answers to a draft: they belong to it, and go with it."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("test_answer") as table:
        table.alter_column("survey_version_id", existing_type=BigId, nullable=True)
        table.add_column(sa.Column("survey_draft_id", BigId, nullable=True))
        table.create_foreign_key(
            op.f("fk_test_answer_survey_draft_id_survey_draft"),
            "survey_draft",
            ["survey_draft_id"],
            ["id"],
            ondelete="CASCADE",
        )
        table.create_index("ix_test_answer_survey_draft_id", ["survey_draft_id"])


def downgrade() -> None:
    op.execute("DELETE FROM test_answer WHERE survey_version_id IS NULL")
    with op.batch_alter_table("test_answer") as table:
        table.drop_index("ix_test_answer_survey_draft_id")
        table.drop_constraint(op.f("fk_test_answer_survey_draft_id_survey_draft"), type_="foreignkey")
        table.drop_column("survey_draft_id")
        table.alter_column("survey_version_id", existing_type=BigId, nullable=False)
