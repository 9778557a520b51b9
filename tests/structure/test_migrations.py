"""The migrations and the models say the same, in both directions, on both databases."""

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from surveyapp.extensions import db
from surveyapp.models import Base
from tests.conftest import MakeApp

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


def ours(name: str | None, kind: str, parents: object) -> bool:
    """Not the full-text indexes, which each database keeps in its own way."""
    return not (name or "").startswith(("verbatim_words", "review_words"))


def differences() -> list[object]:
    with db.engine.connect() as connection:
        opts = {"compare_type": True, "target_metadata": Base.metadata, "render_as_batch": True, "include_name": ours}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, Base.metadata))


def test_there_is_one_head_and_the_numbers_follow_one_another() -> None:
    script = ScriptDirectory("migrations")
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert len(script.get_heads()) == 1
    assert sorted(revisions) == [f"{number:04d}" for number in range(1, len(revisions) + 1)]


def test_upgrading_an_empty_database_gives_the_tables_of_the_models(unmigrated_url: str, make_app: MakeApp) -> None:
    with make_app(unmigrated_url).app_context():
        flask_migrate.upgrade()
        assert differences() == []


def test_the_way_down_and_up_again_ends_where_it_began(unmigrated_url: str, make_app: MakeApp) -> None:
    with make_app(unmigrated_url).app_context():
        flask_migrate.upgrade()
        flask_migrate.downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        db.engine.dispose()
        flask_migrate.upgrade()
        assert differences() == []


def test_partial_indexes_keep_their_condition(app: object) -> None:
    indexes = {index["name"]: index for index in inspect(db.engine).get_indexes("message")}
    where = indexes["ix_message_planned"]["dialect_options"]
    assert "planned" in str(next(iter(where.values())))
