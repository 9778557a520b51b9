"""Reviews come in beside answers: good ones kept, repeats harmless, searched alike on both databases, in no figure."""

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain import verbatims as words
from surveyapp.domain.gates import Status
from surveyapp.domain.verbatims import Theme
from surveyapp.models import AuditEntry, Customer, MetricCell, MetricDay, Response, Review
from surveyapp.queries import reviews as queries
from surveyapp.queries.console.paging import read_mark
from surveyapp.queries.reviews import Wanted
from surveyapp.services import rebuilding, reviews, verbatims
from surveyapp.services.responses_import import import_responses
from tests.builders import make_brand, make_reporting_attribute, make_step, make_survey
from tests.people import bearer

Database = scoped_session[Session]


@pytest.fixture(autouse=True)
def programme(session: Database) -> None:
    make_brand()
    make_step()
    make_reporting_attribute("class", 1)


def review(number: int = 1, **fields: Any) -> dict[str, Any]:
    usual = {"source": "trustpilot", "id": f"t-{number}", "rating": 4, "scale_min": 1, "scale_max": 5}
    return usual | {"text": "Long queue", "reviewed_at": "2026-11-02T23:30:00Z"} | fields


def test_a_review_is_kept_on_the_day_of_its_place(session: Database) -> None:
    place = {"timezone": "America/New_York", "step": "flight.check_in", "context": {"class": "Eco"}, "language": "en"}
    done = reviews.import_reviews([review(1), review(2, **place), review(3, timezone="Moon/Base")])
    assert (done.imported, done.duplicates, done.rejected) == (3, 0, {})
    rows = session.scalars(select(Review).order_by(Review.external_id)).all()
    assert [row.reporting_day for row in rows] == [date(2026, 11, 3), date(2026, 11, 2), date(2026, 11, 3)]
    assert (rows[1].step, rows[1].context, rows[1].timezone) == ("flight.check_in", {"class": "Eco"}, place["timezone"])
    assert (rows[0].rating, rows[0].scale_min, rows[0].scale_max, rows[0].words) == (4, 1, 5, "long queue")
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.object, entry.detail) == ("reviews.imported", "3 reviews", {"trustpilot": 3})


def test_the_same_id_of_a_source_again_changes_nothing(session: Database) -> None:
    reviews.import_reviews([review(1)])
    again = [review(1, text="Corrected", rating=1), review(1, source="app_store"), review(1, source="app_store")]
    done = reviews.import_reviews(again)
    assert (done.imported, done.duplicates) == (1, 2)
    kept = session.execute(select(Review.source, Review.text, Review.rating).order_by(Review.source)).all()
    assert [tuple(row) for row in kept] == [("app_store", "Long queue", 4), ("trustpilot", "Long queue", 4)]
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == 2


def test_good_reviews_are_kept_beside_bad_ones_named_by_their_place(session: Database) -> None:
    bad = [review(1, step="flight.moon", context={"seat": "1A"}), review(2), "x", review(3, author="Ada")]
    done = reviews.import_reviews(bad)
    assert done.imported == 1
    assert done.rejected[0] == [
        "step: there is no step 'flight.moon'; write it as journey.step",
        "context.seat: is none of the programme's reporting_attributes",
    ]
    assert list(done.rejected) == [0, 2, 3]
    assert session.scalars(select(Review.external_id)).all() == ["t-2"]


def test_a_long_import_is_stored_in_parts(session: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 3)
    done = reviews.import_reviews([review(n) for n in range(8)] + [review(0), "x"])
    assert (done.imported, done.duplicates, list(done.rejected)) == (8, 1, [9])


def test_no_figure_moves_when_reviews_come_in(client: FlaskClient, session: Database) -> None:
    make_survey("relational", "nps")
    make_survey()
    row = {"channel": "email", "journey": "flight", "step": "check_in", "answered_at": "2026-11-02T09:00:00Z"}
    scores = [("relational", score) for score in (0, 7, 9, 10, 10, 10)] + [("check_in_csat", 4)] * 6
    answers = [row | {"id": f"r-{n}", "survey": key, "score": score} for n, (key, score) in enumerate(scores)]
    assert import_responses(answers).imported == 12

    def figures() -> list[object]:
        session.expire_all()
        cells = [session.execute(select(*table.__table__.c)).all() for table in (MetricCell, MetricDay)]
        calls = ("metrics?metric=nps&group_by=step,day", "metrics?metric=csat5", "funnel", "responses")
        told = [client.get(f"/api/v1/{call}", headers=bearer("read")).get_data() for call in calls]
        people = [session.scalar(select(func.count()).select_from(table)) for table in (Response, Customer)]
        return [cells, told, people]

    before = figures()
    scale = {"scale_min": 0, "scale_max": 10, "rating": 0, "step": "flight.check_in", "context": {"class": "Eco"}}
    assert reviews.import_reviews([review(n, **scale) for n in range(40)]).imported == 40
    assert figures() == before
    assert rebuilding.rebuild(check=True).differences == []
    reviews.remove_source("trustpilot")
    assert figures() == before


SAID = [
    ("Très long à l'embarquement", "fr"),
    ("The QUEUE was long", "en"),
    ("Queues and nobody", "en"),
    ("طابور طويل", "ar"),
    ("Straße", None),
]


@pytest.mark.parametrize(
    ("typed", "places"),
    [("TRES", [0]), ("queue", [1, 2]), ("queue OR nobody", []), ("طابور", [3]), ("strasse", [4]), ("'); --", None)],
)
def test_a_search_finds_the_same_on_both_databases(session: Database, typed: str, places: list[int] | None) -> None:
    reviews.import_reviews([review(n, text=said, language=told) for n, (said, told) in enumerate(SAID)])
    page = queries.review_page(session(), Wanted(terms=words.sought(typed)), None)
    assert sorted(row.text for row in page.rows) == sorted(SAID[n][0] for n in (range(5) if places is None else places))


def test_titles_are_searched_and_pages_follow_one_another(session: Database) -> None:
    reviews.import_reviews([review(n, title="Zanzibar", text="") for n in range(120)])
    page, seen = queries.review_page(session(), Wanted(terms=words.sought("zanzi")), None), 0
    while page.older:
        seen += len(page.rows)
        page = queries.review_page(session(), Wanted(), read_mark(page.older))
    assert seen + len(page.rows) == 120


def test_themes_count_comments_and_each_source_apart(session: Database) -> None:
    make_survey()
    row = {"survey": "check_in_csat", "channel": "email", "answered_at": "2026-11-02T09:00:00Z", "language": "en"}
    import_responses([row | {"id": f"r-{n}", "score": 4, "comment": "late again"} for n in range(3)])
    told = [review(1, text="Late", language="en"), review(2, text="Late", source="app_store", language="en")]
    reviews.import_reviews([*told, review(3, text="retard", language="fr"), review(4, text="fine")])
    verbatims.save_theme(None, Theme("Late", "delivery", {"en": ["late*"], "fr": ["retard"]}))
    found = queries.theme_rows(session(), Wanted())[0]
    assert (found.comments, found.reviews) == (3, {"trustpilot": 2, "app_store": 1})
    only = queries.theme_rows(session(), Wanted(source="app_store", language="en"))[0]
    assert (only.comments, only.reviews) == (3, {"app_store": 1})


def test_each_source_and_scale_has_a_figure_of_its_own(session: Database) -> None:
    told = [review(n, rating=3 + n % 3) for n in range(30)] + [review(99, rating=None, scale_min=None, scale_max=None)]
    told += [review(n, source="shop", rating=3, scale_min=0, scale_max=10) for n in range(4)]
    told += [review(n, source="shop", id=f"s-{n}", rating=2 + n % 2) for n in range(5)]
    reviews.import_reviews(told)
    found = queries.source_figures(session(), Wanted())
    assert [(one.source, one.low, one.high, one.figure.n, one.figure.status) for one in found] == [
        ("shop", 0, 10, 4, Status.SUPPRESSED),
        ("shop", 1, 5, 5, Status.LOW_N),
        ("trustpilot", 1, 5, 30, Status.OK),
    ]
    assert found[0].figure.value is None
    assert (found[2].figure.value, found[2].figure.histogram) == (4.0, {300: 10, 400: 10, 500: 10})


def test_a_removed_review_leaves_no_word_behind(session: Database) -> None:
    reviews.import_reviews([review(1, text="Zanzibar"), review(2, text="Zanzibar"), review(3, source="shop")])
    reviews.remove_review(session.scalars(select(Review.uid).where(Review.external_id == "t-1")).one())
    assert queries.counts(session(), Wanted(terms=words.sought("zanzibar"))) == {"trustpilot": 1}
    assert reviews.remove_source("trustpilot") == 1
    assert queries.counts(session(), Wanted(terms=words.sought("zanzibar"))) == {}
    assert session.scalars(select(Review.source)).all() == ["shop"]
    if session.get_bind().dialect.name == "sqlite":
        blocks = session.execute(text("SELECT block FROM review_words_data")).scalars()
        assert not any(b"zanzibar" in bytes(block) for block in blocks)
    for again in (lambda: reviews.remove_review("x"), lambda: reviews.remove_source("trustpilot")):
        with pytest.raises(reviews.ReviewUnknown):
            again()
    assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == [
        "reviews.imported",
        "review.removed",
        "reviews.removed",
    ]
