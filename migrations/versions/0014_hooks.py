"""Hooks."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hook_state",
        sa.Column("hook", sa.String(length=20), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hook", name=op.f("pk_hook_state")),
    )
    op.create_table(
        "webhook_inbox",
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name=op.f("pk_webhook_inbox")),
    )
    op.create_index(op.f("ix_webhook_inbox_at"), "webhook_inbox", ["at"], unique=False)
    op.create_table(
        "inbound_text",
        sa.Column("id", BigId, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("number_key", sa.String(length=80), nullable=False),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("invitation_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("open_asks", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=True),
        sa.Column("said", sa.String(length=20), nullable=True),
        sa.Column("handled_at", UtcDateTime(), nullable=True),
        sa.Column("handled_by", sa.String(length=254), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_inbound_text_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_inbound_text_invitation_id_invitation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_text")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_inbound_text_provider_reference")),
    )
    op.create_index(op.f("ix_inbound_text_customer_id"), "inbound_text", ["customer_id"], unique=False)
    op.create_index(op.f("ix_inbound_text_invitation_id"), "inbound_text", ["invitation_id"], unique=False)
    op.create_index("ix_inbound_text_number_at", "inbound_text", ["number_key", "at"], unique=False)


def downgrade() -> None:
    op.drop_table("inbound_text")
    op.drop_table("webhook_inbox")
    op.drop_table("hook_state")
