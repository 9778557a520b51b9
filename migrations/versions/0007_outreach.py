"""Triggers, policy versions, decisions."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_draft",
        sa.Column("id", BigId, nullable=False),
        sa.Column("definition", Json, nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=254), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
    )
    op.create_table(
        "policy_version",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", Json, nullable=False),
        sa.Column("effective_from", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("number", name=op.f("uq_policy_version_number")),
    )
    op.create_table(
        "trigger",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("step_id", BigId, nullable=True),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("channels", Json, nullable=False),
        sa.Column("delay_seconds", sa.Integer(), nullable=False),
        sa.Column("expires_seconds", sa.Integer(), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("reserve_seconds", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("definition", Json, nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_trigger_step_id_step")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_trigger_survey_id_survey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trigger")),
        sa.UniqueConstraint("key", name=op.f("uq_trigger_key")),
    )
    op.create_index(op.f("ix_trigger_step_id"), "trigger", ["step_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("event_id", BigId, nullable=False),
        sa.Column("trigger_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("verdicts", Json, nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("inclusion", sa.Double(), nullable=True),
        sa.Column("not_before", UtcDateTime(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_decision_customer_id_customer")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_decision_event_id_event")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_decision_survey_id_survey")),
        sa.ForeignKeyConstraint(["trigger_id"], ["trigger.id"], name=op.f("fk_decision_trigger_id_trigger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("event_id", "trigger_id", name=op.f("uq_decision_event_id_trigger_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_decision_uid")),
    )
    op.create_index("ix_decision_at", "decision", ["at"], unique=False)
    op.create_index("ix_decision_customer_at", "decision", ["customer_id", "at"], unique=False)
    op.create_index("ix_decision_outcome_reason_at", "decision", ["outcome", "reason", "at"], unique=False)
    op.create_index("ix_decision_trigger_at", "decision", ["trigger_id", "at"], unique=False)


def downgrade() -> None:
    op.drop_table("decision")
    op.drop_table("trigger")
    op.drop_table("policy_version")
    op.drop_table("policy_draft")
