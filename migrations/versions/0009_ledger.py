"""The ledger of contacts."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_ledger",
        sa.Column("id", BigId, nullable=False),
        sa.Column("message_id", BigId, nullable=True),
        sa.Column("import_id", sa.String(length=200), nullable=True),
        sa.Column("subject_key", sa.String(length=80), nullable=False),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=True),
        sa.Column("survey_group", sa.String(length=80), nullable=True),
        sa.Column("step", sa.String(length=161), nullable=True),
        sa.Column("instance", sa.String(length=200), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_contact_ledger_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_ledger")),
        sa.UniqueConstraint("import_id", name=op.f("uq_contact_ledger_import_id")),
        sa.UniqueConstraint(
            "message_id", "subject_key", "claim_no", name=op.f("uq_contact_ledger_message_id_subject_key_claim_no")
        ),
    )
    op.create_index(
        "ix_contact_ledger_subject_at",
        "contact_ledger",
        ["subject_key", "at"],
        unique=False,
        postgresql_where=sa.text("state <> 'released'"),
        sqlite_where=sa.text("state <> 'released'"),
    )


def downgrade() -> None:
    op.drop_table("contact_ledger")
