"""The page of reviews: found text is data, sources stay apart, editors bring in and take away."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.verbatims import Theme
from surveyapp.models import Review
from surveyapp.services import reviews, verbatims
from surveyapp.web.admin.reviews import rating_words
from tests.builders import MOMENT, make_brand, make_step
from tests.people import sign_in_as

Database = scoped_session[Session]
PAGE = "/admin/reviews/"


@pytest.fixture(autouse=True)
def today(session: Database) -> Iterator[None]:
    make_brand()
    make_step()
    with clock.at(MOMENT):
        yield


def keep(*ratings: float | None, source: str = "trustpilot", scale: tuple[int, int] = (1, 5), **fields: Any) -> None:
    ends = dict(zip(("scale_min", "scale_max"), scale, strict=True))
    told = {"source": source, "reviewed_at": "2026-11-01T08:15:00Z", "text": "Long queue"} | ends | fields
    done = reviews.import_reviews([told | {"id": f"{n}", "rating": rating} for n, rating in enumerate(ratings)])
    assert done.rejected == {}


def test_without_reviews_the_page_shows_how_they_come_in(client: FlaskClient) -> None:
    token = sign_in_as(client, "editor")
    page = client.get(PAGE).text
    assert "No review yet" in page
    assert "/api/v1/reviews/import" in page
    example = page.partition('aria-label="Example of a CSV file">')[2].partition("</pre>")[0]
    done = client.post(PAGE, data={"lines": example, "csrf_token": token})
    assert (done.status_code, done.location) == (303, "/admin/reviews/?days=0")
    shown = client.get(done.location).text
    assert "Ten minutes from door to gate." in shown
    assert "1 kept, 0 already there, 0 refused." in shown
    assert "Check-in" in shown


def test_text_of_strangers_is_shown_as_it_is_and_its_link_leads_nowhere_by_itself(client: FlaskClient) -> None:
    keep(4, title="<i>{{7*7}}</i>", text="<script>alert(1)</script> \u202eevil 🙂", url='https://x.example/"onload="a')
    sign_in_as(client, "agent")
    page = client.get(PAGE).text
    assert "&lt;i&gt;{{7*7}}&lt;/i&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \u202eevil 🙂" in page
    assert 'href="https://x.example/&#34;onload=&#34;a" rel="noopener noreferrer nofollow"' in page
    assert "<script>alert" not in page


def test_each_source_has_its_mean_with_interval_and_n_or_says_why_not(client: FlaskClient) -> None:
    keep(*([3, 4, 5] * 10))
    keep(*([5] * 6), source="same")
    keep(2, 3, 4, 5, source="few")
    keep(8.5, 9, 9.5, 10, 10, source="early", scale=(0, 10))
    sign_in_as(client, "analyst")
    page = client.get(PAGE).text
    assert '<b class="fig">4.0</b><span class="meta">3.7–4.3 · n\u202f30</span>' in page.replace("&#8239;", "\u202f")
    assert "All 6 ratings are 5: without a spread there is no interval" in page
    assert "4 ratings; shown from 5" in page
    assert "too early: n under 30" in page
    assert "mean of ratings 0–10" in page
    assert "trustpilot: 10 ratings of 5, 10 ratings of 4, 10 ratings of 3, 0 ratings of 2, 0 ratings of 1" in page
    assert "few: " not in page
    assert "8.5 on 0–10" in page
    assert "45 reviews from 4 sources in 91 days. Nobody was asked for these" in page
    assert "not an NPS or CSAT" in page


def test_words_sources_and_themes_narrow_the_list(client: FlaskClient) -> None:
    keep(1, text="Très long queue")
    keep(5, source="shop", text="all good", language="en")
    verbatims.save_theme(None, Theme("Waiting", "delivery", {"any": ["queue"]}))
    sign_in_as(client, "analyst")
    page = client.get(f"{PAGE}?q=TRES").text
    assert ("Très long queue" in page, "all good" in page) == (True, False)
    page = client.get(f"{PAGE}?source=shop&language=en").text
    assert ("Très long queue" in page, "all good" in page) == (False, True)
    page = client.get(PAGE).text
    assert '<td class="r tn" data-label="trustpilot">' in page
    theme = page.partition("theme=")[2][:20]
    page = client.get(f"{PAGE}?theme={theme}").text
    assert ("Très long queue" in page, "all good" in page) == (True, False)
    assert "No review matches" in client.get(f"{PAGE}?q=moon").text
    assert "No word to look for" in client.get(f"{PAGE}?q=%22-").text
    assert client.get(f"{PAGE}?theme=x&older=z&days=5&source=%00&step=").status_code in (200, 400)


def test_reviews_come_in_as_csv_and_each_bad_line_is_named(client: FlaskClient, session: Database) -> None:
    token = sign_in_as(client, "editor")
    lines = (
        "source,id,reviewed_at,rating,scale_min,scale_max,text\n"
        'shop,1,2026-11-01T08:15:00Z,4,1,5,"two\nlines"\n'
        "shop,2,2026-11-01T08:15:00Z,=1+1,1,5,x\n"
        "shop,3,yesterday,4,1,5,x\n"
    )
    found = client.post(PAGE, data={"lines": lines, "csrf_token": token})
    assert found.status_code == 422
    assert "1 kept, 0 already there, 2 refused." in found.text
    assert "Line 4: rating: must be a number or null, not a text" in found.text
    assert "Line 5: reviewed_at: is no time; write it as 2026-11-02T08:15:00Z" in found.text
    file = {
        "file": (io.BytesIO(lines.replace("=1+1", "2").replace("yesterday", "2026-11-01T09:00Z").encode()), "a.csv")
    }
    assert client.post(PAGE, data={**file, "csrf_token": token}).status_code == 303
    assert session.scalar(select(func.count()).select_from(Review)) == 3
    for data in ({"lines": " "}, {"lines": "a,b\n1,2"}, {"file": (io.BytesIO(b"\xff\xfe"), "x.csv")}):
        bad: dict[str, Any] = {**data, "csrf_token": token}
        assert client.post(PAGE, data=bad).status_code == 422


def test_editors_take_away_one_or_a_whole_source_and_others_may_not(client: FlaskClient, session: Database) -> None:
    keep(1, 2)
    keep(3, source="shop")
    uid = session.scalars(select(Review.uid)).first()
    reader = sign_in_as(client, "analyst")
    assert "Remove" not in client.get(PAGE).text
    for path in (f"{PAGE}{uid}/remove", f"{PAGE}remove", PAGE):
        assert client.post(path, data={"csrf_token": reader, "source": "shop", "typed": "shop"}).status_code == 403
    token = sign_in_as(client, "editor")
    assert client.post(f"{PAGE}{uid}/remove", data={"csrf_token": token}).status_code == 303
    assert client.post(f"{PAGE}{uid}/remove", data={"csrf_token": token}).status_code == 404
    refused = client.post(f"{PAGE}remove", data={"csrf_token": token, "source": "shop", "typed": "sho"})
    assert (refused.status_code, "Nothing was removed." in refused.text) == (422, True)
    assert session.scalar(select(func.count()).select_from(Review)) == 2
    assert (
        client.post(f"{PAGE}remove", data={"csrf_token": token, "source": "shop", "typed": "shop"}).status_code == 303
    )
    assert session.scalars(select(Review.source)).all() == ["trustpilot"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((4.0, 1, 5), "4 of 5"),
        ((8.25, 0, 10), "8.25 on 0–10"),
        ((-1, -2, 2), "−1 on −2 to 2"),
        ((None,) * 3, "no rating"),
    ],
)
@pytest.mark.database("sqlite")
def test_a_rating_is_told_with_its_own_scale(given: Any, words: str) -> None:
    assert rating_words(*given) == words
