"""Reviews that others publish about us, with the database's full-text index over their words."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

FTS5 = (
    "CREATE VIRTUAL TABLE review_words USING fts5(words, content='review', content_rowid='id', "
    'tokenize="unicode61 remove_diacritics 0")',
    "CREATE TRIGGER review_words_new AFTER INSERT ON review BEGIN "
    "INSERT INTO review_words(rowid, words) VALUES (new.id, new.words); END",
    "CREATE TRIGGER review_words_gone AFTER DELETE ON review BEGIN "
    "INSERT INTO review_words(review_words, rowid, words) VALUES ('delete', old.id, old.words); END",
    "CREATE TRIGGER review_words_changed AFTER UPDATE OF words ON review BEGIN "
    "INSERT INTO review_words(review_words, rowid, words) VALUES ('delete', old.id, old.words); "
    "INSERT INTO review_words(rowid, words) VALUES (new.id, new.words); END",
)
GIN = "CREATE INDEX review_words ON review USING gin (array_to_tsvector(string_to_array(words, ' ')))"


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("scale_min", sa.SmallInteger(), nullable=True),
        sa.Column("scale_max", sa.SmallInteger(), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("step", sa.String(length=161), nullable=True),
        sa.Column("context", Json, nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.Column("reporting_day", sa.Date(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("uid", name=op.f("uq_review_uid")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_review_source_external_id")),
    )
    op.create_index("ix_review_day", "review", ["reporting_day"], unique=False)
    op.create_index("ix_review_reviewed", "review", ["reviewed_at"], unique=False)
    for statement in FTS5 if op.get_bind().dialect.name == "sqlite" else (GIN,):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE review_words")
    op.drop_table("review")
