"""Answers over HTTP: the contract's shape, pages that never repeat or lose one, files that are safe to open."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import SurveyVersion
from surveyapp.web.api import responses
from tests.builders import make_customer, make_reporting_attribute, make_response, make_step, make_survey
from tests.people import bearer

Database = scoped_session[Session]


@pytest.fixture
def headers(session: Database) -> dict[str, str]:
    return bearer("read")


@pytest.fixture
def version(session: Database) -> SurveyVersion:
    return make_survey()


def stored(session: Database, version: SurveyVersion, score: int | None = 4, **overrides: Any) -> None:
    make_response(version, score, **overrides)
    session.commit()


def test_an_answer_has_the_shape_of_the_contract(
    client: FlaskClient, session: Database, headers: dict[str, str], version: SurveyVersion
) -> None:
    customer = make_customer(external_id="c-1")
    stored(
        session,
        version,
        uid="x1",
        customer_id=customer.id,
        comment="fine",
        context={"class": "Business"},
        decision="d-1",
        inclusion=0.5,
        instance="AF123",
    )
    found = client.get("/api/v1/responses", headers=headers)
    assert found.status_code == 200
    assert found.json == {
        "items": [
            {
                "id": "x1",
                "survey": "check_in_csat",
                "version": 1,
                "metric": "csat5",
                "score": 4,
                "comment": "fine",
                "answers": {},
                "status": "confirmed",
                "channel": "email",
                "language": "en",
                "customer": "c-1",
                "journey": "flight",
                "step": "check_in",
                "instance": "AF123",
                "event_at": "2026-11-02T09:00:00Z",
                "answered_at": "2026-11-02T09:00:00Z",
                "context": {"class": "Business"},
                "decision": "d-1",
                "inclusion": 0.5,
            }
        ],
        "next": None,
    }


def test_pages_give_every_answer_once_also_while_answers_arrive(
    client: FlaskClient, session: Database, headers: dict[str, str], version: SurveyVersion
) -> None:
    for number in range(7):
        stored(session, version, uid=f"x{number}")
    seen: list[str] = []
    path: str | None = "/api/v1/responses?limit=3&survey=check_in_csat"
    while path:
        page = client.get(path, headers=headers).json
        assert page is not None
        seen += [item["id"] for item in page["items"]]
        path = page["next"]
        if len(seen) == 3:
            assert path is not None
            assert path.startswith("/api/v1/responses?limit=3&survey=check_in_csat&after=")
            stored(session, version, uid="late")
    assert seen == ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "late"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("survey=pulse", ["p"]),
        ("customer=nobody", []),
        ("metric=csat5", ["a", "b"]),
        ("journey=flight", ["a", "p"]),
        ("step=flight.check_in", ["a", "p"]),
        ("journey=flight&step=check_in", ["a", "p"]),
        ("channel=sms", ["b"]),
        ("status=suspected_bot", ["b"]),
        ("from=2026-11-03", ["p"]),
        ("to=2026-11-02&from=2026-11-02", ["a", "b"]),
        ("context.class=Eco", ["b"]),
        ("context.class=12", ["p"]),
        ("context.vip=true", ["a"]),
    ],
)
def test_every_filter_narrows(
    client: FlaskClient,
    session: Database,
    headers: dict[str, str],
    version: SurveyVersion,
    query: str,
    ids: list[str],
) -> None:
    make_reporting_attribute("class", 1)
    make_reporting_attribute("vip", 2)
    make_step()
    stored(session, version, uid="a", context={"class": "Business", "vip": True})
    claim = {"journey": "claim", "step": "claim.settled"}
    stored(session, version, uid="b", channel="sms", status="suspected_bot", context={"class": "Eco"}, **claim)
    day = {"reporting_day": date(2026, 11, 3)}
    stored(session, make_survey("pulse", "enps"), uid="p", context={"class": 12}, **day)
    found = client.get(f"/api/v1/responses?{query}", headers=headers).json
    assert found is not None
    assert [item["id"] for item in found["items"]] == ids


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("after=zzz", "after"),
        ("after=MTI", "after"),
        ("after=djE", "after"),
        ("from=2026-11-03&to=2026-11-02", "from"),
        ("colour=red", "colour"),
        ("status=happy", "status"),
        ("survey=moon", "survey"),
        ("step=flight.moon", "step"),
        ("context.seat=1", "context.seat"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".csv"])
def test_what_is_wrong_is_named(
    client: FlaskClient, headers: dict[str, str], query: str, field: str, suffix: str
) -> None:
    found = client.get(f"/api/v1/responses{suffix}?{query}", headers=headers)
    assert found.status_code == 422
    assert found.json is not None
    assert found.json["errors"][0]["field"] == field


NASTY = [
    "=1+1",
    "+1",
    "-5",
    "@sum",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    'a "quote", b\nline',
    "plain",
    "🙂 é",
]


def test_i74_a_csv_is_safe_to_open_and_keeps_numbers(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    make_reporting_attribute("class", 1)
    version = make_survey("felt", "disconfirmation")
    for number, text in enumerate(NASTY):
        stored(session, version, -2, uid=f"x{number}", comment=text, context={"class": "=cmd"})
    found = client.get("/api/v1/responses.csv?survey=felt", headers=headers)
    assert found.content_type == "text/csv; charset=utf-8"
    assert found.headers["Content-Disposition"] == 'attachment; filename="responses.csv"'
    rows = list(csv.DictReader(io.StringIO(found.text, newline="")))
    assert [row["comment"] for row in rows] == [*("'" + text for text in NASTY[:11]), *NASTY[11:]]
    assert {row["score"] for row in rows} == {"-2"}
    assert {row["context.class"] for row in rows} == {"'=cmd"}
    assert json.loads(rows[0]["context"]) == {"class": "=cmd"}
    assert client.get("/api/v1/responses.csv?bom=true", headers=headers).data.startswith(b"\xef\xbb\xbfid,")


def test_a_csv_has_the_items_of_the_list(
    client: FlaskClient, session: Database, headers: dict[str, str], version: SurveyVersion
) -> None:
    make_reporting_attribute("class", 1)
    make_reporting_attribute("pets", 2)
    customer = make_customer(external_id="c-1")
    contexts: list[dict[str, Any]] = [
        {"class": "Business", "pets": True},
        {"class": "Zoë", "pets": ["cat"]},
        {"pets": 2},
        {},
        {"class": "Business", "pets": True},
    ]
    for number, context in enumerate(contexts):
        more: dict[str, Any] = {"customer_id": customer.id, "instance": "AF1", "inclusion": 0.25} if number else {}
        more |= {"answers": {"q-2": "ü"}, "import_id": "theirs", "step": None} if number == 2 else {}
        stored(session, version, 4, comment=f"{number}\nwords", context=context, **more)
    listed = client.get("/api/v1/responses", headers=headers).json
    assert listed is not None
    text = client.get("/api/v1/responses.csv", headers=headers).get_data().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row, item in zip(rows, listed["items"], strict=True):
        context, answers = json.loads(row.pop("context")), json.loads(row.pop("answers"))
        assert (context, answers) == (item.pop("context"), item.pop("answers"))
        for name in ("class", "pets"):
            value, cell = context.get(name), row.pop(f"context.{name}")
            assert cell == (value if isinstance(value, str) else "" if value is None else json.dumps(value))
        assert row == {name: "" if value is None else str(value) for name, value in item.items()}
    assert [row["id"] for row in rows][2] == "theirs"


def test_ndjson_has_the_items_of_the_list(
    client: FlaskClient, session: Database, headers: dict[str, str], version: SurveyVersion
) -> None:
    for text in NASTY:
        stored(session, version, comment=text)
    listed = client.get("/api/v1/responses", headers=headers).json
    assert listed is not None
    lines = client.get("/api/v1/responses.ndjson", headers=headers).text.splitlines()
    assert [json.loads(line) for line in lines] == listed["items"]


def test_i74_a_workbook_has_texts_and_numbers_and_no_formula(
    client: FlaskClient, session: Database, headers: dict[str, str], version: SurveyVersion
) -> None:
    for text in [*NASTY, "https://example.org", "x" * 40_000]:
        stored(session, version, comment=text[:40_000])
    found = client.get("/api/v1/responses.xlsx", headers=headers)
    assert found.status_code == 200
    with zipfile.ZipFile(io.BytesIO(found.data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "<t>=1+1</t>" in sheet
    assert sheet.count("<row ") == len(NASTY) + 3


def test_parquet_has_typed_columns(
    client: FlaskClient, session: Database, headers: dict[str, str], version: SurveyVersion, tmp_path: Path
) -> None:
    stored(session, version, 4, uid="x1", comment="'; drop table x; --", inclusion=0.25)
    stored(session, version, None, uid="x2")
    found = client.get("/api/v1/responses.parquet", headers=headers)
    assert found.content_type == "application/vnd.apache.parquet"
    path = tmp_path / "x.parquet"
    path.write_bytes(found.data)
    rows = duckdb.sql(
        "select id, score, inclusion, comment, typeof(event_at), cast(event_at at time zone 'UTC' as varchar) "
        f"from '{path}'"
    ).fetchall()
    moment = ("TIMESTAMP WITH TIME ZONE", "2026-11-02 09:00:00")
    assert rows == [("x1", 4, 0.25, "'; drop table x; --", *moment), ("x2", None, None, None, *moment)]


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "xlsx", "parquet"])
def test_files_go_on_past_a_page_and_may_be_empty(
    client: FlaskClient,
    session: Database,
    headers: dict[str, str],
    version: SurveyVersion,
    suffix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert client.get(f"/api/v1/responses.{suffix}", headers=headers).status_code == 200
    monkeypatch.setattr(responses, "FILE_PAGE", 40)
    for _ in range(83):
        make_response(version, 5)
    session.commit()
    found = client.get(f"/api/v1/responses.{suffix}", headers=headers)
    assert found.status_code == 200
    if suffix in ("csv", "ndjson"):
        assert len(set(found.text.splitlines())) == 83 + (suffix == "csv")


def test_answers_need_a_key_that_may_read(client: FlaskClient) -> None:
    for suffix in ("", ".csv", ".ndjson", ".xlsx", ".parquet"):
        assert client.get(f"/api/v1/responses{suffix}").status_code == 401
        assert client.get(f"/api/v1/responses{suffix}", headers=bearer("ingest")).status_code == 403
