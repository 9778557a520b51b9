"""Responses and their changes."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_hit",
        sa.Column("id", BigId, nullable=False),
        sa.Column("invitation", sa.String(length=80), nullable=False),
        sa.Column("visit", sa.String(length=40), nullable=True),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_hit")),
    )
    op.create_index("ix_link_hit_at", "link_hit", ["at"], unique=False)
    op.create_index("ix_link_hit_invitation", "link_hit", ["invitation", "id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("invitation", sa.String(length=80), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(length=15), nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("gesture", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("uid", name=op.f("uq_visit_uid")),
    )
    op.create_index("ix_visit_at", "visit", ["at"], unique=False)
    op.create_index("ix_visit_invitation", "visit", ["invitation"], unique=False)
    op.create_table(
        "response",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("import_id", sa.String(length=200), nullable=True),
        sa.Column("invitation_id", BigId, nullable=True),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("survey_version_id", BigId, nullable=False),
        sa.Column("metric", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answers", Json, nullable=False),
        sa.Column("status", sa.String(length=15), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("layout", sa.String(length=10), nullable=True),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("partner_id", BigId, nullable=True),
        sa.Column("trigger", sa.String(length=80), nullable=True),
        sa.Column("journey", sa.String(length=80), nullable=True),
        sa.Column("step", sa.String(length=161), nullable=True),
        sa.Column("phase", sa.String(length=80), nullable=True),
        sa.Column("instance", sa.String(length=200), nullable=True),
        sa.Column("event", sa.String(length=200), nullable=True),
        sa.Column("event_at", UtcDateTime(), nullable=False),
        sa.Column("reporting_day", sa.Date(), nullable=False),
        sa.Column("reporting_hour", sa.SmallInteger(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("context", Json, nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=True),
        sa.Column("inclusion", sa.Double(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_response_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_response_invitation_id_invitation")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_response_partner_id_partner")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_response_survey_id_survey")),
        sa.ForeignKeyConstraint(
            ["survey_version_id"], ["survey_version.id"], name=op.f("fk_response_survey_version_id_survey_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("import_id", name=op.f("uq_response_import_id")),
        sa.UniqueConstraint("invitation_id", name=op.f("uq_response_invitation_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_response_uid")),
    )
    op.create_index("ix_response_answered", "response", ["answered_at"], unique=False)
    op.create_index(op.f("ix_response_customer_id"), "response", ["customer_id"], unique=False)
    op.create_index("ix_response_day", "response", ["reporting_day"], unique=False)
    op.create_index("ix_response_step_day", "response", ["step", "reporting_day"], unique=False)
    op.create_index("ix_response_survey_answered", "response", ["survey_id", "answered_at"], unique=False)
    op.create_table(
        "response_change",
        sa.Column("id", BigId, nullable=False),
        sa.Column("response_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answers", Json, nullable=False),
        sa.Column("status", sa.String(length=15), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_response_change_response_id_response")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response_change")),
    )
    op.create_index(op.f("ix_response_change_response_id"), "response_change", ["response_id"], unique=False)


def downgrade() -> None:
    op.drop_table("response_change")
    op.drop_table("response")
    op.drop_table("visit")
    op.drop_table("link_hit")
