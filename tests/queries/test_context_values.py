"""The rows behind a group: a value finds the answers that figures count under it, and no other, on either database."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.reporting_values import reporting_text
from surveyapp.models import Response
from surveyapp.models.metrics import VALUES
from surveyapp.queries import metrics
from surveyapp.queries.console.responses import ResponseFilter, response_totals
from surveyapp.queries.context_values import context_is, context_unsaid
from surveyapp.services import rollups
from tests.builders import make_reporting_attribute, make_response, make_survey

Database = scoped_session[Session]
SAID: list[Any] = [
    True, "true", False, "false", 1, "1", 1.0, 0, -2.0, "1.0", 0.5, "0.5", 0.1 + 0.2, "é", "Z" * 90, "other", "null",
]  # fmt: skip
UNSAID: list[Any] = ["", None, [1], ["true"], {"a": "true"}]


@pytest.fixture
def everything(session: Database) -> Database:
    version = make_survey()
    for i, value in enumerate([*SAID, *UNSAID]):
        make_response(version, 3, uid=f"v-{i}", context={"kind": value})
    make_response(version, 3, uid="v-none", context={})
    session.commit()
    return session


def test_a_value_finds_what_reads_the_same_and_nothing_else(everything: Database) -> None:
    for text in map(reporting_text, SAID):
        found = everything.scalars(select(Response.uid).where(context_is(everything, "kind", text)))
        assert set(found) == {f"v-{i}" for i, other in enumerate(SAID) if reporting_text(other) == text}, text


def test_what_no_figure_can_group_by_is_unsaid(everything: Database) -> None:
    found = set(everything.scalars(select(Response.uid).where(context_unsaid(everything, "kind"))))
    assert found == {"v-none", *(f"v-{len(SAID) + i}" for i in range(len(UNSAID)))}
    assert everything.scalars(select(Response.uid).where(context_is(everything, "kind", ""))).all() == []


def test_a_name_that_no_path_can_hold_finds_nothing(everything: Database) -> None:
    assert everything.scalars(select(Response.uid).where(context_is(everything, 'ki"nd', "1"))).all() == []
    assert response_totals(everything(), ResponseFilter(absent=('context.ki"nd',))) == {"confirmed": 23}


def test_every_group_of_a_crowded_attribute_leads_to_as_many_answers(session: Database) -> None:
    make_reporting_attribute("seat", 1)
    version = make_survey()
    for value in [*range(VALUES), *range(VALUES + 8), "other", True, "", None]:
        rollups.count_many(session, [make_response(version, 3, context={"seat": value})])
    session.commit()
    groups = metrics.figures_by(session, "csat5", ("context.seat",))
    assert {group.key["context.seat"]: group.n for group in groups}["other"] == 10
    for group in groups:
        value = group.key["context.seat"]
        wanted = ResponseFilter(absent=("context.seat",)) if value is None else ResponseFilter(context={"seat": value})
        assert response_totals(session(), wanted) == {"confirmed": group.n}, value
