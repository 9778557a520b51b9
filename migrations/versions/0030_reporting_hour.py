"""The hour of the event on the clock of its place, kept with each answer; imports did not keep their zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

FILL = """
UPDATE response SET reporting_hour = {hour} FROM (
 SELECT r.id, COALESCE(e.timezone, (SELECT timezone FROM brand ORDER BY id LIMIT 1), 'UTC') AS zone
 FROM response r LEFT JOIN event e ON e.event_id = r.event
) place WHERE place.id = response.id AND response.source <> 'import'
"""


def upgrade() -> None:
    op.add_column("response", sa.Column("reporting_hour", sa.SmallInteger(), nullable=True))
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        bind.connection.create_function("local_hour", 2, _local_hour, deterministic=True)
        op.execute(FILL.format(hour="local_hour(event_at, zone)"))
    else:
        op.execute(FILL.format(hour="CAST(extract(hour FROM event_at AT TIME ZONE zone) AS SMALLINT)"))


def downgrade() -> None:
    op.drop_column("response", "reporting_hour")


def _local_hour(moment: str, zone: str) -> int:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).hour
