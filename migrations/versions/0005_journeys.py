"""Journeys, steps, events."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journey",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", Json, nullable=False),
        sa.Column("instance_name", Json, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey")),
        sa.UniqueConstraint("key", name=op.f("uq_journey_key")),
    )
    op.create_table(
        "step",
        sa.Column("id", BigId, nullable=False),
        sa.Column("journey_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", Json, nullable=False),
        sa.Column("phase", sa.String(length=80), nullable=True),
        sa.Column("event", sa.String(length=200), nullable=True),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("moment_of_truth", sa.Boolean(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("sensitive_seconds", sa.Integer(), nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_step_journey_id_journey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("journey_id", "key", name=op.f("uq_step_journey_id_key")),
    )
    op.create_index(op.f("ix_step_event"), "step", ["event"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", BigId, nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("step_id", BigId, nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("instance", sa.String(length=200), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("cancels", sa.String(length=200), nullable=True),
        sa.Column("properties", Json, nullable=False),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_event_customer_id_customer")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_event_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_event_id")),
    )
    op.create_index(op.f("ix_event_cancels"), "event", ["cancels"], unique=False)
    op.create_index("ix_event_customer_occurred", "event", ["customer_id", "occurred_at"], unique=False)
    op.create_index(op.f("ix_event_received_at"), "event", ["received_at"], unique=False)
    op.create_index("ix_event_step_occurred", "event", ["step_id", "occurred_at"], unique=False)


def downgrade() -> None:
    op.drop_table("event")
    op.drop_table("step")
    op.drop_table("journey")
