"""The public passenger file, brought in over HTTP, gives for every step and class the counts of a plain recount."""

import csv
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import Step, Survey, Trigger
from surveyapp.queries.indicators import at_event
from surveyapp.services import rebuilding
from surveyapp.services.passengers import STEPS
from surveyapp.services.programme import apply_programme
from tests.people import bearer
from tests.reference import PASSENGERS, needs_passengers

ROOT = Path(__file__).resolve().parents[2]
FLIGHT = ROOT / "surveyapp" / "catalog" / "journeys" / "flight.yaml"

pytestmark = needs_passengers


def passengers(limit: int | None) -> list[dict[str, str]]:
    with PASSENGERS.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))[:limit]


def surveys(session: scoped_session[Session]) -> dict[str, str]:
    """The five-point survey that is asked at each step."""
    rows = session.execute(
        select(Step.key, Survey.key)
        .join(Trigger, Trigger.step_id == Step.id)
        .join(Survey, Survey.id == Trigger.survey_id)
        .where(Survey.metric == "csat5")
    )
    return {row[0]: row[1] for row in rows}


def answers(people: list[dict[str, str]], by_step: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for number, person in enumerate(people):
        for column, (step, _) in STEPS.items():
            moment = datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(days=number % 28)
            found.append(
                {
                    "id": f"{person['ID']}-{step}",
                    "survey": by_step[step],
                    "score": int(person[column]) or None,
                    "customer": f"passenger-{person['ID']}",
                    "journey": "flight",
                    "step": step,
                    "channel": "email",
                    "event_at": moment.isoformat(),
                    "answered_at": (moment + timedelta(hours=1)).isoformat(),
                    "context": {
                        "class": person["Class"],
                        "customer_type": person["Customer Type"],
                        "delay_minutes": int(person["Departure Delay"]),
                    },
                }
            )
    return found


@pytest.mark.parametrize("limit", [600, pytest.param(None, marks=pytest.mark.slow)], ids=["600", "all"])
def test_every_step_and_class_counts_what_the_file_says(
    client: FlaskClient, session: scoped_session[Session], limit: int | None
) -> None:
    apply_programme(FLIGHT.read_text(), actor="test")
    people, key = passengers(limit), bearer("admin")
    rows = answers(people, surveys(session))
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000]
        taken = client.post("/api/v1/responses/import", json={"responses": part}, headers=key)
        assert taken.json == {"imported": len(part), "duplicates": 0, "rejected": []}

    expected: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for person in people:
        for column, (step, _) in STEPS.items():
            if person[column] != "0":
                expected[f"flight.{step}", person["Class"]][person[column]] += 1
    found = client.get("/api/v1/metrics?metric=csat5&group_by=step,context.class", headers=key).json
    assert found is not None
    groups = {(g["key"]["step"], g["key"]["context.class"]): g for g in found["groups"]}
    assert groups.keys() == expected.keys()
    for place, histogram in expected.items():
        n = sum(histogram.values())
        assert groups[place]["n"] == n
        assert groups[place]["histogram"] == dict(sorted(histogram.items()))
        assert groups[place]["value"] == pytest.approx(100 * (histogram["4"] + histogram["5"]) / n, abs=1e-5)
    assert found["total"]["n"] == sum(sum(histogram.values()) for histogram in expected.values())
    assert rebuilding.rebuild(check=True).differences == []
    by_delay(session, people)


def by_delay(session: scoped_session[Session], people: list[dict[str, str]]) -> None:
    """CSAT at check-in by bands of the delay, as a plain computation over the file gives it."""
    column, step = next((column, f"flight.{step}") for column, (step, _) in STEPS.items() if step == "check_in")
    found = at_event(session, "csat5", "delay_minutes", step=step, edges=[0, 15, 60])
    for band, figure in found.groups:
        scores = [int(p[column]) for p in people if p[column] != "0" and band.holds(int(p["Departure Delay"]))]
        assert (figure.n, figure.histogram) == (len(scores), dict(sorted(Counter(scores).items())))
        share = sum(score >= 4 for score in scores) / len(scores)
        centre, z = share + 1.959964**2 / (2 * len(scores)), 1.959964
        margin = z * math.sqrt(share * (1 - share) / len(scores) + z * z / (4 * len(scores) ** 2))
        scale = 100 / (1 + z * z / len(scores))
        assert figure.value == pytest.approx(100 * share, abs=1e-9)
        assert (figure.low, figure.high) == (
            pytest.approx(scale * (centre - margin), abs=1e-4),
            pytest.approx(scale * (centre + margin), abs=1e-4),
        )
    assert found.untold == 0
