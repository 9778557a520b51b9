"""`flask demo load` and `flask demo replay`: invented customers and real passengers through the real pipeline."""

import csv
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, Event, Message, Response, Trigger
from surveyapp.services.generated import Inventor, Stage
from surveyapp.services.passengers import NEEDED, STEPS
from surveyapp.services.replay import Asked

PASSENGERS = 40


def passengers(path: Path, count: int = PASSENGERS, **overrides: object) -> Path:
    """A small file in the passenger file's shape, its ratings drawn from a seed."""
    dice = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*NEEDED, "Satisfaction"])
        writer.writeheader()
        for number in range(1, count + 1):
            row: dict[str, object] = {
                "ID": number,
                "Age": dice.randint(15, 80),
                "Customer Type": dice.choice(["Returning", "First-time"]),
                "Type of Travel": "Business",
                "Class": dice.choice(["Business", "Economy"]),
                "Departure Delay": dice.randint(0, 60),
                "Arrival Delay": dice.choice(["", "12.0"]),
                "Satisfaction": "Satisfied",
            }
            row |= {column: dice.randint(0, 5) for column in STEPS}
            writer.writerow(row | overrides)
    return path


def test_invented_customers_are_labelled_and_play_every_journey(app: Flask) -> None:
    with clock.at(datetime(2026, 11, 2, 10, tzinfo=UTC)):
        done = app.test_cli_runner().invoke(args=["demo", "load", "--people", "4"])
    assert done.exit_code == 0, done.output
    assert all(c.attributes["generated"] is True for c in db.session.scalars(select(Customer)))
    journeys = {str(c.external_id).split("-")[0] for c in db.session.scalars(select(Customer))}
    assert journeys == {"ride", "flight", "insurance"}
    events = db.session.scalar(select(func.count()).select_from(Event).where(Event.source == "generated"))
    assert f"events={events} " in done.output
    every = db.session.scalars(select(Event.event_id).where(Event.source == "recurring")).all()
    assert every
    assert all(event.startswith("every:relationship:") for event in every)
    again = app.test_cli_runner().invoke(args=["demo", "load"])
    assert (again.exit_code, "There are customers already" in again.output) == (1, True)


def test_invented_customers_choose_reasons_when_something_went_wrong() -> None:
    inventor = Inventor([Stage("ride", "problem_ride", False)], datetime(2026, 11, 2, 10, tzinfo=UTC))
    choices = {"reasons": ["late", "charged"], "empty": []}
    asked = [Asked(n, "ride-1", "ride.problem_ride", f"e-{n}", {}, "en", "sms", "csat5", choices) for n in range(60)]
    replies = [reply for one in asked if (reply := inventor.answer(one))]
    assert {reply.score >= 4 for reply in replies if not reply.answers} == {True}
    unhappy = [reply for reply in replies if reply.answers]
    assert max(reply.score for reply in unhappy) == 3
    assert {reason for reply in unhappy for reason in reply.answers["reasons"]} == {"late", "charged"}
    assert replies == [reply for one in asked if (reply := inventor.answer(one))]


def test_passengers_answer_as_in_the_file_and_the_figures_equal_a_recount(app: Flask, tmp_path: Path) -> None:
    file = passengers(tmp_path / "passengers.csv")
    done = app.test_cli_runner().invoke(args=["demo", "replay", str(file)])
    assert done.exit_code == 0, done.output
    assert "Collected answers and recount are equal." in done.output
    asked = db.session.scalar(select(func.count()).where(Decision.outcome == "asked"))
    said = f"asked {asked:,} · answered {db.session.scalar(select(func.count(Response.id)))} · not asked"
    assert f"{said} {14 * PASSENGERS - asked:,}" in done.output
    assert db.session.scalar(select(func.count()).where(Message.kind == "reminder"))
    again = app.test_cli_runner().invoke(args=["demo", "replay", str(file)])
    assert said in again.output
    with file.open() as opened:
        ratings = {int(row["ID"]): row for row in csv.DictReader(opened)}
    columns = {step: column for column, (step, _) in STEPS.items()}
    answers = db.session.execute(
        select(Response.step, Response.score, Customer.external_id).join(Response.customer)
    ).all()
    assert len(answers) > 10
    for step, score, customer in answers:
        assert score == int(ratings[int(customer.split("-")[1])][columns[step.split(".")[1]]])
    assert db.session.scalar(select(func.count()).select_from(Event)) == 14 * PASSENGERS
    matched = select(func.count()).select_from(Decision).join(Trigger).where(Trigger.step_id.is_not(None))
    assert db.session.scalar(matched) == 14 * PASSENGERS


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"Age": "old"}, "line 2: invalid literal"), ({"Seat Comfort": 9}, "line 2: a rating is not 0 to 5")],
)
def test_a_file_with_a_bad_line_is_refused_naming_it(
    app: Flask, tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    done = app.test_cli_runner().invoke(args=["demo", "replay", str(passengers(tmp_path / "bad.csv", 1, **change))])
    assert (done.exit_code, sentence in done.output) == (1, True)
    assert db.session.scalars(select(Event)).all() == []


def test_a_file_of_another_kind_is_refused_naming_what_is_missing(app: Flask, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("ID,Age\n1,2\n")
    done = app.test_cli_runner().invoke(args=["demo", "replay", str(other)])
    assert (done.exit_code, "missing: ['Customer Type'" in done.output) == (1, True)
