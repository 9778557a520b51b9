"""What stands beside the answers of a demonstration: invented from a seed, labelled, and in no figure."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from surveyapp.extensions import db
from surveyapp.models import Case, Customer, Indicator, IndicatorValue, MetricCell, Response, Review, Theme
from surveyapp.queries import catalog
from surveyapp.services import surroundings
from surveyapp.services.programme import apply_programme
from tests.builders import make_customer, make_response, make_survey

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
DAYS = 28


@pytest.fixture
def asked(app: Flask) -> dict[str, Customer]:
    """Four customers: of two a low score with words is new, one is content, one said so long ago."""
    apply_programme(catalog.demo_file(), actor="test")
    version = make_survey("s", "csat5")
    people = {name: make_customer(external_id=name) for name in ("sad", "sadder", "content", "of_old", "silent")}
    told = (
        ("sad", 2, "Slow.", NOW - timedelta(days=2)),
        ("sadder", 1, "Rude.", NOW - timedelta(days=1)),
        ("sadder", 2, "Again.", NOW - timedelta(days=3)),
        ("content", 5, "Fine.", NOW - timedelta(days=1)),
        ("of_old", 1, "Bad.", NOW - timedelta(days=9)),
        ("silent", 1, None, NOW - timedelta(days=1)),
    )
    for name, score, comment, at in told:
        make_response(version, score, comment=comment, customer_id=people[name].id, answered_at=at)
    db.session.commit()
    return people


def test_series_themes_and_reviews_are_there_from_the_first_look(asked: dict[str, Customer]) -> None:
    surroundings.invent(NOW, DAYS)
    values = select(Indicator.key, func.count()).join(IndicatorValue).group_by(Indicator.key)
    assert {row[0]: row[1] for row in db.session.execute(values)} == {"check_in_wait": DAYS, "complaints": DAYS}
    assert set(db.session.scalars(select(Theme.name))) == {theme.name for theme in surroundings.THEMES}
    reviews = db.session.scalars(select(Review)).all()
    assert len(reviews) == surroundings.REVIEWS
    assert {review.source for review in reviews} == set(surroundings.SOURCES)
    assert all(NOW - timedelta(days=DAYS) < review.reviewed_at < NOW for review in reviews)
    assert db.session.scalar(select(func.count()).select_from(MetricCell)) == 0
    assert db.session.scalar(select(func.count()).select_from(Response)) == 6


def test_cases_are_opened_for_those_who_were_unhappy_lately_and_said_why(asked: dict[str, Customer]) -> None:
    surroundings.invent(NOW, DAYS)
    opened = select(Customer.external_id, Case.step, Case.opened_at).join(Customer, Customer.id == Case.customer_id)
    assert {tuple(row) for row in db.session.execute(opened)} == {
        ("sad", "flight.check_in", NOW - timedelta(days=2)),
        ("sadder", "flight.check_in", NOW - timedelta(days=3)),
    }
