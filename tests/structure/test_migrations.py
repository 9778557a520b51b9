"""The migrations and the models say the same, in both directions, on both databases."""

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text

from surveyapp.extensions import db
from surveyapp.models import Base, MetricDay, Response
from surveyapp.services import rebuilding, rollups
from tests.builders import make_brand, make_invitation, make_reporting_attribute, make_response, make_step, make_survey
from tests.conftest import MakeApp

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


def ours(name: str | None, kind: str, parents: object) -> bool:
    """Not the full-text index, which each database keeps in its own way."""
    return not (name or "").startswith("verbatim_words")


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


def test_histograms_are_filled_from_the_cells_there_are_and_back(app: object) -> None:
    make_reporting_attribute("class", 2)
    for metric, score in (("nps", 0), ("nps", 10), ("disconfirmation", -2), ("csat5", 5)):
        response = make_response(make_survey(f"{metric}_{score}".replace("-", "m"), metric), score, inclusion=0.3)
        response.context = {"class": "Eco"} if score else {}
        rollups.count(db.session, response, 1)
    db.session.commit()
    db.session.remove()
    flask_migrate.downgrade(revision="0027")
    flask_migrate.upgrade(revision="0030")
    by_score = db.session.execute(text("SELECT metric, score, a2, n, w > 3000000 FROM metric_cell")).all()
    assert sorted(tuple(row) for row in by_score) == [
        ("csat5", 5, "Eco", 1, True), ("disconfirmation", -2, "Eco", 1, True),
        ("nps", 0, "", 1, True), ("nps", 10, "Eco", 1, True),
    ]  # fmt: skip
    db.session.remove()
    flask_migrate.upgrade()
    assert rebuilding.rebuild(check=True).differences == []
    assert db.session.scalar(select(func.count()).select_from(MetricDay)) == 11


def test_the_hour_of_answers_there_are_is_that_of_their_event(app: object) -> None:
    make_brand(timezone="Europe/Paris")
    version, step = make_survey(), make_step()
    for zone in ("Asia/Kolkata", None):
        event = make_invitation(version, step=step, timezone=zone).event
        make_response(version, 5, event=event.event_id if event else None)
    make_response(version, 5)
    make_response(version, 5, source="import")
    db.session.commit()
    db.session.remove()
    flask_migrate.downgrade(revision="0029")
    flask_migrate.upgrade()
    assert db.session.scalars(select(Response.reporting_hour).order_by(Response.id)).all() == [14, 10, 10, None]


def test_partial_indexes_keep_their_condition(app: object) -> None:
    indexes = {index["name"]: index for index in inspect(db.engine).get_indexes("message")}
    where = indexes["ix_message_planned"]["dialect_options"]
    assert "planned" in str(next(iter(where.values())))
