"""How a review is read, field by field, and what a source's ratings mean."""

from typing import Any

import pytest

from surveyapp.domain import intervals, reviews
from surveyapp.domain.gates import Status
from surveyapp.domain.reviews import Rating, ReviewIn
from surveyapp.domain.tables import NotATable
from tests.builders import MOMENT


def given(**fields: Any) -> dict[str, Any]:
    usual = {"source": "trustpilot", "id": "t-1", "rating": 4, "scale_min": 1, "scale_max": 5}
    told = usual | {"text": "Très bien", "reviewed_at": "2026-11-02T08:15:00Z"} | fields
    return {name: value for name, value in told.items() if value is not ...}


def test_a_review_is_read_with_its_own_scale() -> None:
    read = reviews.read_review(given(url="https://example.org/r?id=1#a", context={"class": "Eco", "vip": True}), MOMENT)
    assert isinstance(read, ReviewIn)
    assert (read.rating, read.text, read.title, read.step) == (Rating(4.0, 1, 5), "Très bien", "", None)
    assert (read.url, read.context) == ("https://example.org/r?id=1#a", {"class": "Eco", "vip": True})
    half = reviews.read_review(given(rating=8.3, scale_min=0, scale_max=10, text=...), MOMENT)
    assert isinstance(half, ReviewIn)
    assert (half.rating, half.text) == (Rating(8.3, 0, 10), "")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"author": "Ada"}, "author: is unknown here; known are "),
    ({"customer": "c-1"}, "customer: is unknown here; known are "),
    ({"source": "Trust Pilot"}, "source: must be a key such as trustpilot or app_store"),
    ({"source": ...}, "source: is missing"),
    ({"id": 7}, "id: must be a text, not a number"),
    ({"rating": True}, "rating: must be a number or null, not true or false"),
    ({"rating": "4"}, "rating: must be a number or null, not a text"),
    ({"rating": 5.5}, "rating: must lie on its scale, 1 to 5"),
    ({"rating": float("nan")}, "rating: must lie on its scale, 1 to 5"),
    ({"rating": 4.125}, "rating: has at most two decimals"),
    ({"scale_max": ...}, "scale_max: is missing beside the rating"),
    ({"scale_max": 5.0}, "scale_max: must be a whole number from -1,000 to 1,000"),
    ({"scale_min": 5}, "scale_max: must be above scale_min, which is 5"),
    ({"rating": None, "text": " \n"}, "text: is missing; a review has a rating, a title or a text"),
    ({"text": "x" * 10_001}, "text: has 10,001 characters; at most 10,000 are kept"),
    ({"text": "a\0b"}, "text: holds the NUL character"),
    ({"text": ["x"]}, "text: must be a text, not a list"),
    ({"title": "two\nlines"}, "title: must be one line of at most 300 characters"),
    ({"url": "javascript:alert(1)"}, "url: must be an address that begins with https:// or http://"),
    ({"url": "//example.org"}, "url: must be an address"),
    ({"url": "https://"}, "url: must be an address"),
    ({"url": "https://ada:secret@example.org/"}, "url: must be an address"),
    ({"url": "https://[::1"}, "url: must be an address"),
    ({"url": "https://example.org/" + "x" * 2_000}, "url: must be an address"),
    ({"reviewed_at": "2026-11-02"}, "reviewed_at: is no time; write it as 2026-11-02T08:15:00Z"),
    ({"reviewed_at": "2026-11-04T09:00:00Z"}, "reviewed_at: lies ahead; check the sender's clock"),
    ({"context": {"class": ["x"]}}, "context.class: must be a text, a number, true or false"),
    ({"context": {"class": "x" * 81}}, "context.class: must be one line of at most 80 characters"),
    ({"context": "Eco"}, "context: must be an object, not a text"),
    ({"timezone": 7}, "timezone: must be a text such as Europe/Paris, not a number"),
]


@pytest.mark.parametrize(("fields", "sentence"), WRONG)
def test_what_is_wrong_is_named(fields: dict[str, Any], sentence: str) -> None:
    read = reviews.read_review(given(**fields), MOMENT)
    assert isinstance(read, list)
    assert len(read) == 1
    assert read[0].startswith(sentence)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert reviews.read_review("x", MOMENT) == ["review: must be an object, not a text"]
    read = reviews.read_review({"source": "a", "url": "x"}, MOMENT)
    assert isinstance(read, list)
    assert [sentence.partition(":")[0] for sentence in read] == ["reviewed_at", "id", "url"]


def test_a_figure_is_the_mean_with_its_t_interval_within_the_scale() -> None:
    figure = reviews.rating_figure({100: 2, 300: 1, 400: 10, 500: 20}, 1, 5)
    assert (figure.n, figure.status) == (33, Status.OK)
    exact = intervals.mean_interval({1: 2, 3: 1, 4: 10, 5: 20})
    assert exact is not None
    assert figure.value == pytest.approx(145 / 33)
    assert (figure.low, figure.high) == pytest.approx((exact.low, exact.high))
    near_the_top = reviews.rating_figure({400: 1, 500: 5}, 1, 5)
    assert near_the_top.status is Status.LOW_N
    assert (near_the_top.high, near_the_top.low) == (5.0, pytest.approx(4.833333 - 2.570582 / 6, abs=1e-6))


@pytest.mark.parametrize(
    ("histogram", "status", "told"),
    [({}, Status.NO_DATA, False), ({500: 4}, Status.SUPPRESSED, False), ({450: 30}, Status.OK, True)],
)
def test_few_ratings_are_hidden_and_equal_ones_have_no_interval(
    histogram: dict[int, int], status: Status, told: bool
) -> None:
    figure = reviews.rating_figure(histogram, 1, 5)
    assert (figure.status, figure.low, figure.high) == (status, None, None)
    assert (figure.value, figure.histogram) == ((4.5, histogram) if told else (None, {}))


def test_a_file_is_read_by_its_header_with_the_line_that_each_review_begins_at() -> None:
    text = (
        "\ufeffSource;id;reviewed_at;rating;scale_min;scale_max;text;context.class\r\n"
        'shop;1;2026-11-02T08:15:00Z;4.5;1;5;"two\nlines; here";Eco\r\n\r\nshop;2;2026-11-02T08:15:00Z;;;;ok;\r\n'
    )
    lines = reviews.read_reviews(text, 10)
    assert [line.number for line in lines] == [2, 5]
    read = [reviews.read_review(line.cells, MOMENT) for line in lines]
    assert all(isinstance(one, ReviewIn) for one in read)
    first, second = (one for one in read if isinstance(one, ReviewIn))
    assert (first.rating, first.text, first.context) == (Rating(4.5, 1, 5), "two\nlines; here", {"class": "Eco"})
    assert (second.rating, second.text, second.context) == (None, "ok", {})
    for wrong in ("source,id\na,b", "source,id,reviewed_at,author\na,b,c,d", "source,id,reviewed_at\n"):
        with pytest.raises(NotATable):
            reviews.read_reviews(wrong, 10)
