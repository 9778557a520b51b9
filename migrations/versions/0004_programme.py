"""Brand, dimensions, reporting attributes, applied programme files."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("languages", Json, nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("colour", sa.String(length=9), nullable=True),
        sa.Column("palette", Json, nullable=False),
        sa.Column("logo", sa.String(length=500), nullable=True),
        sa.Column("privacy_url", sa.String(length=500), nullable=True),
        sa.Column("postal_address", sa.String(length=500), nullable=True),
        sa.Column("contact", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
    )
    op.create_table(
        "dimension",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("promise", sa.String(length=500), nullable=False),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dimension")),
        sa.UniqueConstraint("key", name=op.f("uq_dimension_key")),
    )
    op.create_table(
        "programme_version",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("applied_by", sa.String(length=254), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_version")),
        sa.UniqueConstraint("number", name=op.f("uq_programme_version_number")),
    )
    op.create_table(
        "reporting_attribute",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reporting_attribute")),
        sa.UniqueConstraint("name", name=op.f("uq_reporting_attribute_name")),
        sa.UniqueConstraint("slot", name=op.f("uq_reporting_attribute_slot")),
    )
    op.create_table(
        "reporting_value",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("name", "value", name=op.f("pk_reporting_value")),
    )


def downgrade() -> None:
    op.drop_table("reporting_value")
    op.drop_table("reporting_attribute")
    op.drop_table("programme_version")
    op.drop_table("dimension")
    op.drop_table("brand")
