"""Folded words of comments with the database's full-text index, and themes."""

import sqlalchemy as sa
from alembic import op

from surveyapp.domain.verbatims import folded
from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

FTS5 = (
    "CREATE VIRTUAL TABLE verbatim_words USING fts5(words, content='verbatim', content_rowid='response_id', "
    'tokenize="unicode61 remove_diacritics 0")',
    "CREATE TRIGGER verbatim_words_new AFTER INSERT ON verbatim BEGIN "
    "INSERT INTO verbatim_words(rowid, words) VALUES (new.response_id, new.words); END",
    "CREATE TRIGGER verbatim_words_gone AFTER DELETE ON verbatim BEGIN "
    "INSERT INTO verbatim_words(verbatim_words, rowid, words) VALUES ('delete', old.response_id, old.words); END",
    "CREATE TRIGGER verbatim_words_changed AFTER UPDATE ON verbatim BEGIN "
    "INSERT INTO verbatim_words(verbatim_words, rowid, words) VALUES ('delete', old.response_id, old.words); "
    "INSERT INTO verbatim_words(rowid, words) VALUES (new.response_id, new.words); END",
)
GIN = "CREATE INDEX verbatim_words ON verbatim USING gin (array_to_tsvector(string_to_array(words, ' ')))"


def upgrade() -> None:
    op.create_table(
        "verbatim",
        sa.Column("response_id", BigId, nullable=False, autoincrement=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_verbatim_response_id_response")),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_verbatim")),
    )
    op.create_table(
        "theme",
        sa.Column("id", BigId, nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("gap", sa.String(length=20), nullable=False),
        sa.Column("rules", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme")),
        sa.UniqueConstraint("uid", name=op.f("uq_theme_uid")),
        sa.UniqueConstraint("name", name=op.f("uq_theme_name")),
    )
    for statement in FTS5 if op.get_bind().dialect.name == "sqlite" else (GIN,):
        op.execute(statement)
    _fill()


def _fill() -> None:
    """Fold the comments there are."""
    response, verbatim = (
        sa.table("response", sa.column("id"), sa.column("comment")),
        sa.table("verbatim", sa.column("response_id"), sa.column("words")),
    )
    last = 0
    while True:
        query = sa.select(response.c.id, response.c.comment).where(
            response.c.id > last, response.c.comment.is_not(None)
        )
        rows = op.get_bind().execute(query.order_by(response.c.id).limit(1000)).all()
        if not rows:
            return
        last = rows[-1].id
        told = [{"response_id": row.id, "words": folded(row.comment)} for row in rows]
        if told := [row for row in told if row["words"]]:
            op.bulk_insert(verbatim, told)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE verbatim_words")
    op.drop_table("theme")
    op.drop_table("verbatim")
