"""Folded words of comments with the database's full-text index, and themes."""

import sqlalchemy as sa
from alembic import op

from surveyapp.models.base import BigId, Json, UtcDateTime

revision = "0019"
down_revision = "0018"
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


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE verbatim_words")
    op.drop_table("theme")
    op.drop_table("verbatim")
