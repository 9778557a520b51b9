"""Invitations, messages, channel states, the local mailbox."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_state",
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("paused_until", UtcDateTime(), nullable=True),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_by", sa.String(length=254), nullable=True),
        sa.Column("paced_until", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_state")),
    )
    op.create_table(
        "local_message",
        sa.Column("id", BigId, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("headers", Json, nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_message")),
    )
    op.create_index(op.f("ix_local_message_recipient"), "local_message", ["recipient"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("short_slug", sa.String(length=16), nullable=True),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("survey_version_id", BigId, nullable=False),
        sa.Column("trigger_id", BigId, nullable=True),
        sa.Column("event_id", BigId, nullable=True),
        sa.Column("decision_id", BigId, nullable=True),
        sa.Column("partner_id", BigId, nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("inclusion", sa.Double(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("open_until", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_invitation_customer_id_customer")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_invitation_decision_id_decision")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_invitation_event_id_event")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_invitation_partner_id_partner")),
        sa.ForeignKeyConstraint(
            ["survey_version_id"], ["survey_version.id"], name=op.f("fk_invitation_survey_version_id_survey_version")
        ),
        sa.ForeignKeyConstraint(["trigger_id"], ["trigger.id"], name=op.f("fk_invitation_trigger_id_trigger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_invitation_decision_id")),
        sa.UniqueConstraint("short_slug", name=op.f("uq_invitation_short_slug")),
        sa.UniqueConstraint("uid", name=op.f("uq_invitation_uid")),
    )
    op.create_index(op.f("ix_invitation_created_at"), "invitation", ["created_at"], unique=False)
    op.create_index(op.f("ix_invitation_customer_id"), "invitation", ["customer_id"], unique=False)
    op.create_index(op.f("ix_invitation_partner_id"), "invitation", ["partner_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("idem_key", sa.String(length=400), nullable=False),
        sa.Column("decision_id", BigId, nullable=True),
        sa.Column("invitation_id", BigId, nullable=True),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("trigger_id", BigId, nullable=False),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("call_started_at", UtcDateTime(), nullable=True),
        sa.Column("batch_id", sa.String(length=40), nullable=True),
        sa.Column("provider", sa.String(length=20), nullable=True),
        sa.Column("provider_ref", sa.String(length=200), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_message_customer_id_customer")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_message_decision_id_decision")),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name=op.f("fk_message_invitation_id_invitation")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_message_survey_id_survey")),
        sa.ForeignKeyConstraint(["trigger_id"], ["trigger.id"], name=op.f("fk_message_trigger_id_trigger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_message_idem_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_message_uid")),
    )
    op.create_index("ix_message_customer", "message", ["customer_id"], unique=False)
    op.create_index(op.f("ix_message_decision_id"), "message", ["decision_id"], unique=False)
    op.create_index(op.f("ix_message_invitation_id"), "message", ["invitation_id"], unique=False)
    op.create_index(
        "ix_message_planned",
        "message",
        ["tier", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
        sqlite_where=sa.text("state = 'planned'"),
    )
    op.create_index("ix_message_provider_ref", "message", ["provider_ref"], unique=False)
    op.create_index(
        "ix_message_sending",
        "message",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
        sqlite_where=sa.text("state = 'sending'"),
    )


def downgrade() -> None:
    op.drop_table("message")
    op.drop_table("invitation")
    op.drop_table("local_message")
    op.drop_table("channel_state")
