"""Real data: the passenger file's CSAT by step, class and customer type on the console equals a plain recount."""

import csv
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.domain import drivers
from surveyapp.extensions import db
from surveyapp.services import rollups
from surveyapp.services.passengers import STEPS
from tests.builders import make_brand, make_reporting_attribute, make_response, make_survey
from tests.people import make_user, sign_in_as
from tests.reference import PASSENGERS, needs_passengers
from tests.web.admin.answered import rows_of
from tests.web.admin.living import NOW

pytestmark = needs_passengers
PEOPLE = 200


def passengers(limit: int | None) -> list[dict[str, str]]:
    with PASSENGERS.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))[:limit]


def test_csat_by_step_class_and_customer_type_equals_a_recount(app: OpenAPI, client: FlaskClient) -> None:
    make_brand()
    make_reporting_attribute("class", 1)
    make_reporting_attribute("customer_type", 2)
    version, day = make_survey(), (NOW - timedelta(days=2)).date()
    expected: dict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
    made = []
    for person in passengers(PEOPLE):
        context = {"class": person["Class"], "customer_type": person["Customer Type"]}
        for column, (step, _) in STEPS.items():
            if score := int(person[column]):  # 0 is "not applicable" and in no base
                expected[f"flight.{step}", context["class"], context["customer_type"]][score] += 1
                given = {"step": f"flight.{step}", "reporting_day": day, "context": context}
                made.append(make_response(version, score, flush=False, **given))
    rollups.count_many(db.session, made)
    db.session.commit()
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    seen = 0
    for kind in sorted({kind for _, _, kind in expected}):
        address = f"/admin/metrics/csat5/breakdown?by=step&over=context.class&context.customer_type={kind}&csv=grid"
        for row in rows_of(client, address):
            if "All" in (row["step"], row["class"]):
                continue
            histogram = expected[row["step"], row["class"], kind]
            n = sum(histogram.values())
            assert int(row["n"]) == n
            assert n >= 5 or row["value"] == ""
            if row["value"]:
                assert float(row["value"]) == pytest.approx(100 * (histogram[4] + histogram[5]) / n, abs=1e-4)
                seen += 1
    assert seen > 50


def test_the_drivers_of_overall_satisfaction_agree_with_a_direct_computation() -> None:
    """LMG by the gains of R² over all orders of three items, each R² from least squares on the rows themselves."""
    names = ("Online Boarding", "In-flight Entertainment", "Seat Comfort")
    rows = [p for p in passengers(None) if all(p[name] != "0" for name in names)]
    columns = [[float(p[name]) for p in rows] for name in names]
    y = [float(p["Satisfaction"] == "Satisfied") for p in rows]
    table = drivers.correlations([*columns, y])
    found = drivers.lmg([row[:3] for row in table[:3]], table[3][:3])
    direct = _lmg_of_rows(columns, y)
    assert found == pytest.approx(direct, abs=1e-9)
    assert sum(found) == pytest.approx(_r2(columns, y), abs=1e-9)
    assert found[0] == max(found), "online boarding goes with overall satisfaction most"


def _lmg_of_rows(columns: list[list[float]], y: list[float]) -> list[float]:
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    gains = [0.0, 0.0, 0.0]
    for order in orders:
        for i in range(3):
            with_it = _r2([columns[k] for k in order[: i + 1]], y)
            without = _r2([columns[k] for k in order[:i]], y) if i else 0.0
            gains[order[i]] += (with_it - without) / len(orders)
    return gains


def _r2(columns: list[list[float]], y: list[float]) -> float:
    """1 − residual/total sum of squares of a least-squares fit with a constant, by sequential orthogonalisation."""
    residual = _centred(y)
    total = sum(value * value for value in residual)
    basis: list[list[float]] = []
    for column in columns:
        left = _centred(column)
        for known in basis:
            left = _without(left, known)
        basis.append(left)
        residual = _without(residual, left)
    return 1 - sum(value * value for value in residual) / total


def _centred(column: list[float]) -> list[float]:
    mean = sum(column) / len(column)
    return [value - mean for value in column]


def _without(column: list[float], other: list[float]) -> list[float]:
    factor = sum(a * b for a, b in zip(column, other, strict=True)) / sum(b * b for b in other)
    return [a - factor * b for a, b in zip(column, other, strict=True)]
