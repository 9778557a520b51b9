"""The cells always equal the answers, whatever happens to the answers."""

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp.extensions import db
from surveyapp.models import MetricCell, MetricDay, ReportingValue, Response, SurveyVersion
from surveyapp.models.metrics import LANGUAGE, of_scores
from surveyapp.services import rebuilding, rollups
from surveyapp.services.transaction import transaction
from tests.builders import MOMENT, make_reporting_attribute, make_response, make_survey
from tests.cells import scores_of

Database = scoped_session[Session]


def cells(session: Database, *columns: str) -> dict[tuple[Any, ...], int]:
    """How many answers by those columns and `score`, none left out but nought."""
    found: Counter[tuple[Any, ...]] = Counter()
    for cell in session.scalars(select(MetricCell)):
        for score, n in scores_of(cell).items():
            found[tuple(score if name == "score" else getattr(cell, name) for name in columns)] += n
    return {key: n for key, n in found.items() if n}


def by_day(session: Database) -> dict[tuple[int, str], tuple[int, int]]:
    """By slot and value of the rows by day: how many answers, and the mean of their scores 1 to 5."""
    rows = session.execute(select(MetricDay.__table__)).mappings().all()
    assert len({(row["slot"], row["value"]) for row in rows}) == len(rows)
    found = {}
    for row in rows:
        counts = [row[name] for name in of_scores("n")]
        found[row["slot"], row["value"]] = sum(counts), sum(n * s for s, n in enumerate(counts, 1)) / sum(counts)
    return found


def answer(session: Database, score: int | None, **overrides: Any) -> Response:
    version = session.scalar(select(SurveyVersion)) or make_survey()
    response = make_response(version, score, **overrides)
    rollups.count(session, response, 1)
    session.commit()
    return response


def test_an_answer_is_counted_in_the_cell_of_its_context(session: Database) -> None:
    make_reporting_attribute("class", 2)
    answer(session, 4, context={"class": "Business", "seat": "1A"})
    cell = session.scalars(select(MetricCell)).one()
    assert (cell.metric, cell.survey, cell.version, cell.day) == ("csat5", "check_in_csat", 1, date(2026, 11, 2))
    assert (cell.journey, cell.step, cell.phase) == ("flight", "flight.check_in", "before")
    assert (cell.channel, cell.language, cell.partner, cell.status) == ("email", "en", "", "confirmed")
    assert (cell.a1, cell.a2, cell.a3) == ("", "Business", "")
    assert scores_of(cell) == {4: 1}
    assert session.execute(select(*(MetricCell.__table__.c[name] for name in ("n3", "w3", "q3")))).one() == (
        1, 1_000_000, 1_000_000,
    )  # fmt: skip


def test_an_answer_without_a_score_is_in_no_cell(session: Database) -> None:
    answer(session, None)
    assert cells(session, "score") == {}


def test_an_answer_stands_for_one_over_its_chance_of_being_asked(session: Database) -> None:
    answer(session, 4, inclusion=0.25)
    sums = [MetricCell.__table__.c[name] for name in ("n3", "w3", "q3")]
    assert session.execute(select(*sums)).one() == (1, 4_000_000, 16_000_000)


def test_taking_an_answer_out_leaves_nothing_behind(session: Database) -> None:
    response = answer(session, 4)
    rollups.count(session, response, -1)
    session.commit()
    assert cells(session, "score") == {}


def test_a_changed_answer_moves_to_its_new_cell(session: Database) -> None:
    response = answer(session, 2, status="provisional")
    with rollups.moving(session, response):
        response.score = 5
        response.status = "confirmed"
    session.commit()
    assert cells(session, "score", "status") == {(5, "confirmed"): 1}


def test_changing_nothing_that_counts_writes_nothing(session: Database) -> None:
    response = answer(session, 2)
    before = scores_of(session.scalars(select(MetricCell)).one())
    with rollups.moving(session, response):
        response.comment = "late"
    session.commit()
    assert scores_of(session.scalars(select(MetricCell)).one()) == before == {2: 1}


def test_what_is_rolled_back_is_not_counted(session: Database) -> None:
    rollups.count(session, make_response(make_survey(), 3), 1)
    session.rollback()
    assert cells(session, "score") == {}


def test_answers_to_one_cell_one_after_another_stay_one_row(session: Database) -> None:
    for _ in range(20):
        answer(session, 5)
    assert scores_of(session.scalars(select(MetricCell)).one()) == {5: 20}
    assert by_day(session) == {(0, ""): (20, 5), (LANGUAGE, "en"): (20, 5)}


@pytest.mark.database("postgresql")
def test_answers_to_one_cell_at_the_same_moment_take_rows_of_their_own(app: OpenAPI, session: Database) -> None:
    version = make_survey()
    responses = [make_response(version, 5) for _ in range(3)]
    session.commit()
    open_ones = []
    for response in responses:
        other = Session(db.engine)
        rollups.count(other, other.get_one(Response, response.id), 1)  # would wait for ever for the one before
        open_ones.append(other)
    for other in reversed(open_ones):
        other.commit()
        other.close()
    assert cells(session, "shard") == {(0,): 1, (1,): 1, (2,): 1}
    assert rebuilding.rebuild(check=True).differences == []
    rollups.count_many(session, [make_response(version, 5)])
    session.commit()
    assert cells(session, "shard")[8,] == 1


def test_from_the_fifty_first_value_on_an_attribute_counts_as_other(session: Database) -> None:
    make_reporting_attribute("seat", 1)
    for number in range(52):
        answer(session, 3, context={"seat": f"s{number:02d}"})
    answer(session, 3, context={"seat": "s00"})
    found = cells(session, "a1")
    assert found[("other",)] == 2
    assert found[("s00",)] == 2
    assert found[("s49",)] == 1
    assert ("s50",) not in found
    assert session.scalar(select(func.count()).select_from(ReportingValue)) == 50


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (12, "12"),
        (12.0, "12"),
        (1e16, "10000000000000000"),
        (0.5, "0.5"),
        (None, ""),
        (["x"], ""),
        ("é" * 90, "é" * 80),
    ],
)
def test_a_context_value_reads_the_same_now_and_after_it_was_stored(
    session: Database, value: object, text: str
) -> None:
    make_reporting_attribute("thing", 1)
    answer(session, 3, context={"thing": value})
    assert cells(session, "a1") == {(text,): 1}
    assert rebuilding.rebuild(check=True).differences == []


def test_many_answers_are_counted_as_one_by_one(session: Database) -> None:
    make_reporting_attribute("class", 1)
    version = make_survey()
    contexts: list[dict[str, Any]] = [{"class": "Eco"}, {"class": "Business"}, {}]
    made = [make_response(version, 1 + i % 5, context=contexts[i % 3], inclusion=0.5) for i in range(60)]
    rollups.count_many(session, made)
    session.commit()
    assert rebuilding.rebuild(check=True).differences == []
    assert cells(session, "a1") == {("Eco",): 20, ("Business",): 20, ("",): 20}


def test_a_check_names_what_differs_and_changes_nothing(session: Database) -> None:
    answer(session, 4)
    make_response(make_survey(), 5)
    session.commit()
    found = rebuilding.rebuild(check=True)
    assert found.cells == 3
    assert found.differences[0].startswith(
        "metric=csat5, survey=check_in_csat, version=2, day=2026-11-02, journey=flight"
    )
    assert found.differences[0].endswith("0 stored, 1 by the answers")
    assert found.differences[1].startswith("by day: metric=csat5, survey=check_in_csat, version=2")
    assert found.differences[2].endswith("status=confirmed, slot=9, value=en: 0 stored, 1 by the answers")
    assert rebuilding.rebuild(check=True).cells == 3


def test_a_rebuild_repairs_missing_wrong_and_orphaned_cells(session: Database) -> None:
    lost = answer(session, 1)
    make_response(make_survey(), 5, reporting_day=date(2026, 11, 3))
    session.execute(update(MetricCell).values(n0=7))
    session.commit()
    session.delete(answer(session, 3, reporting_day=date(2026, 11, 9)))
    session.commit()
    assert rebuilding.rebuild().cells == 7
    session.expire_all()
    assert cells(session, "day", "score") == {(lost.reporting_day, 1): 1, (date(2026, 11, 3), 5): 1}
    assert rebuilding.rebuild(check=True).cells == 0
    assert all(scores_of(cell) for cell in session.scalars(select(MetricCell)))


def test_a_check_finds_an_answer_under_a_wrong_score_of_its_day(session: Database) -> None:
    answer(session, 4)
    session.execute(update(MetricDay).where(MetricDay.slot == 0).values(n3=0, n4=1))
    session.commit()
    found = rebuilding.rebuild(check=True)
    assert found.cells == 1
    assert found.differences[0].endswith("1 stored, 1 by the answers (scores or weights differ)")
    rebuilding.rebuild()
    assert rebuilding.rebuild(check=True).cells == 0


def test_a_new_reporting_attribute_reaches_earlier_answers_by_a_rebuild(session: Database) -> None:
    answer(session, 4, context={"class": "Business"})
    make_reporting_attribute("class", 3)
    assert rebuilding.rebuild(check=True).cells == 3
    rebuilding.rebuild()
    session.expire_all()
    assert cells(session, "a3") == {("Business",): 1}
    assert rebuilding.rebuild(check=True).cells == 0


@pytest.mark.parametrize("seed", range(3))
def test_after_any_life_of_answers_the_cells_equal_them(session: Database, seed: int) -> None:
    chance = random.Random(seed)
    make_reporting_attribute("class", 1)
    make_reporting_attribute("seat", 4)
    versions = [make_survey("a", "csat5"), make_survey("a", "csat5"), make_survey("b", "nps")]
    alive: list[int] = []

    def insert() -> None:
        version = chance.choice(versions)
        response = make_response(
            version,
            chance.choice([None, 1, 2, 3, 4, 5]),
            channel=chance.choice(["email", "sms", "web"]),
            language=chance.choice([None, "en", "fr"]),
            status=chance.choice(["provisional", "confirmed"]),
            reporting_day=MOMENT.date() + timedelta(days=chance.randrange(4)),
            inclusion=chance.choice([None, 1.0, 0.3, 0.07]),
            context={"class": chance.choice(["Eco", "Business", None]), "seat": chance.randrange(60)},
        )
        rollups.count(session, response, 1)
        alive.append(response.id)

    def edit() -> None:
        response = session.get_one(Response, chance.choice(alive))
        with rollups.moving(session, response):
            response.score = chance.choice([1, 2, 3, 4, 5])
            response.status = "confirmed"

    def invalidate() -> None:
        response = session.get_one(Response, chance.choice(alive))
        with rollups.moving(session, response):
            response.status = "suspected_bot"

    def delete() -> None:
        response = session.get_one(Response, alive.pop(chance.randrange(len(alive))))
        rollups.count(session, response, -1)
        session.delete(response)

    for _ in range(120):
        with transaction():
            (insert if not alive else chance.choice([insert, insert, edit, invalidate, delete]))()
    assert rebuilding.rebuild(check=True).differences == []
    session.expire_all()
    scored = session.scalar(select(func.count()).select_from(Response).where(Response.score.is_not(None)))
    assert sum(cells(session, "metric").values()) == scored


def test_the_command_exits_with_one_on_a_difference_and_repairs(app: OpenAPI, session: Database) -> None:
    make_response(make_survey(), 5)
    session.commit()
    runner = app.test_cli_runner()
    checked = runner.invoke(args=["rollups", "rebuild", "--check"])
    assert checked.exit_code == 1
    assert "0 stored, 1 by the answers" in checked.output
    rebuilt = runner.invoke(args=["rollups", "rebuild"])
    assert rebuilt.exit_code == 0
    assert rebuilt.output.endswith("1 days rebuilt: 3 cells differ, now corrected.\n")
    assert runner.invoke(args=["rollups", "rebuild", "--check"]).exit_code == 0
