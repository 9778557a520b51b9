"""Reviews over HTTP: brought in by admins, listed by pages, safe as a file."""

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from surveyapp.web.api import reviews
from tests.builders import make_reporting_attribute, make_step
from tests.people import bearer

Database = scoped_session[Session]
URL = "/api/v1/reviews"


def review(number: int = 1, **fields: Any) -> dict[str, Any]:
    return reviews.EXAMPLE["reviews"][0] | {"id": f"t-{number}"} | fields


def send(client: FlaskClient, *told: object, role: str = "admin") -> Any:
    return client.post(f"{URL}/import", json={"reviews": list(told)}, headers=bearer(role))


@pytest.fixture(autouse=True)
def programme(session: Database) -> None:
    make_step()
    make_reporting_attribute("class", 1)


def test_what_came_in_is_listed_as_it_came(client: FlaskClient) -> None:
    bad = review(2, rating=9, author="Ada")
    found = send(client, review(context={"class": "Eco"}), bad, review())
    assert (found.status_code, found.json["imported"], found.json["duplicates"]) == (200, 1, 1)
    assert [(one["index"], len(one["errors"])) for one in found.json["rejected"]] == [(1, 2)]
    shown = client.get(URL, headers=bearer("read")).json
    assert shown is not None
    item = shown["items"][0]
    assert item.pop("imported_at").endswith("Z")
    assert item == review(context={"class": "Eco"}, timezone=None, reporting_day="2026-11-02")
    assert (len(shown["items"]), shown["next"]) == (1, None)


def test_only_admins_bring_in_and_only_readers_list(client: FlaskClient) -> None:
    assert [send(client, role=role).status_code for role in ("ingest", "read", "admin")] == [403, 403, 200]
    assert [client.get(URL, headers=bearer(role)).status_code for role in ("ingest", "read")] == [403, 200]
    assert client.get(URL).status_code == 401


def test_too_many_and_too_large_are_refused_whole(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "IMPORT_LIMIT", 2)
    assert send(client, review(1), review(2), review(3)).status_code == 422
    large = b'{"reviews": [' + b" " * 8 * 1024 * 1024 + b"]}"
    headers = bearer("admin") | {"Content-Type": "application/json"}
    assert client.post(f"{URL}/import", data=large, headers=headers).status_code == 413
    assert client.get(URL, headers=bearer("read")).json == {"items": [], "next": None}


def test_lists_are_narrowed_and_go_on_by_pages(client: FlaskClient) -> None:
    days = [review(n, reviewed_at=f"2026-11-0{n}T12:00:00Z", step=None) for n in range(1, 6)]
    send(client, *days, review(1, source="shop", reviewed_at="2026-11-03T12:00:00Z"))
    read = bearer("read")

    def ids(query: str) -> tuple[list[str], str | None]:
        page = client.get(f"{URL}?{query}" if "?" not in query else query, headers=read).json
        assert page is not None
        return [f"{item['source']} {item['id']}" for item in page["items"]], page["next"]

    first, following = ids("limit=2&from=2026-11-02&source=trustpilot")
    assert first == ["trustpilot t-2", "trustpilot t-3"]
    assert following is not None
    assert ids(following) == (["trustpilot t-4", "trustpilot t-5"], None)
    assert ids("step=flight.check_in") == (["shop t-1"], None)
    assert ids("to=2026-11-01") == (["trustpilot t-1"], None)
    assert ids("source=nowhere") == ([], None)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("query", "field"),
    [("colour=1", "colour"), ("after=cjE", "after"), ("step=flight.moon", "step"), ("from=soon", "from")],
)
@pytest.mark.parametrize("suffix", ["", ".csv"])
def test_what_is_wrong_in_a_query_is_named(client: FlaskClient, query: str, field: str, suffix: str) -> None:
    found = client.get(f"{URL}{suffix}?{query}", headers=bearer("read"))
    assert (found.status_code, (found.json or {})["errors"][0]["field"]) == (422, field)


def test_a_csv_is_safe_to_open(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "MOST", 2)
    nasty = ["=1+1", "+1", "-5", "@sum", "\tx", "＝1", 'plain, "quoted"\nline', "<script>{{7*7}}</script>"]
    send(client, *(review(n, text=text, context={"class": "=cmd"}) for n, text in enumerate(nasty)))
    found = client.get(f"{URL}.csv", headers=bearer("read"))
    assert found.headers["Content-Disposition"] == 'attachment; filename="reviews.csv"'
    rows = list(csv.DictReader(io.StringIO(found.text, newline="")))
    assert [row["text"] for row in rows] == [*("'" + text for text in nasty[:6]), *nasty[6:]]
    assert {(row["rating"], row["context.class"], row["step"]) for row in rows} == {("4.0", "'=cmd", "flight.check_in")}
