"""Class A of the test matrix, by its numbers: whatever is sent, good events are kept once and bad ones are named."""

import io
import json
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer, Event
from tests.builders import make_brand, make_step
from tests.people import bearer

Database = scoped_session[Session]
URL = "/api/v1/events"
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LITTLE = 0.02  # seconds of CPU that no measure of a call is sharper than


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def headers(session: Database) -> dict[str, str]:
    make_brand()
    make_step()
    return bearer("ingest")


class Endless(io.RawIOBase):
    """A body without a length that never ends; reading much more than the limit would be noticed."""

    told = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.told += len(buffer)
        assert self.told <= 4 * 1024 * 1024
        buffer[:] = b" " * len(buffer)
        return len(buffer)


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    told = {
        "id": f"e-{number}",
        "customer": {"external_id": f"c-{number}", "email": f"ada{number}@example.org"},
        "journey": "flight",
        "step": "check_in",
        "instance": "AF123-2026-11-02",
        "occurred_at": "2026-11-02T08:15:00Z",
        "properties": {"class": "Business", "delay_minutes": 12},
    }
    return told | changes


def stored(session: Database) -> int:
    return session.scalar(select(func.count()).select_from(Event)) or 0


def sentence(answer: TestResponse, status: int) -> str:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == status
    return str(answer.json["detail"])


def test_the_contract_s_example_is_taken_in(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    customer = {
        "external_id": "c-1",
        "email": "Ada@example.org",
        "phone": "+33 6 12 34 56 78",
        "language": "fr",
        "timezone": "Europe/Paris",
        "attributes": {"customer_type": "Returning"},
    }
    answer = client.post(URL, json={"events": [event(customer=customer)]}, headers=headers)
    assert (answer.status_code, answer.json) == (202, {"accepted": 1, "duplicates": 0, "rejected": []})
    kept = session.scalars(select(Event)).one()
    assert (kept.event_id, kept.instance, kept.source) == ("e-1", "AF123-2026-11-02", "api")
    assert kept.occurred_at == datetime(2026, 11, 2, 8, 15, tzinfo=UTC)
    assert kept.received_at == NOW
    assert kept.properties == {"class": "Business", "delay_minutes": 12}
    assert kept.attributes == {"customer_type": "Returning"}
    person = session.scalars(select(Customer)).one()
    assert (person.external_id, person.email, person.phone) == ("c-1", "ada@example.org", "+33612345678")
    assert (person.language, person.timezone) == ("fr", "Europe/Paris")


def test_good_events_are_kept_beside_bad_ones(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    bad = [
        event(2, step="chek_in"),
        7,
        event(3, id=None),
        event(4, customer={"external_id": "c-4", "phone": "0612345678"}),
    ]
    answer = client.post(URL, json={"events": [event(1), *bad, event(5)]}, headers=headers)
    assert answer.status_code == 202
    assert answer.json == {
        "accepted": 2,
        "duplicates": 0,
        "rejected": [
            {"index": 1, "errors": ["step: the journey 'flight' has no step 'chek_in'; known are check_in"]},
            {"index": 2, "errors": ["event: must be an object"]},
            {"index": 3, "errors": ["id: is missing"]},
            {
                "index": 4,
                "errors": [
                    "customer.phone: start with + and the country code, such as +33612345678; "
                    "a national number is not guessed"
                ],
            },
        ],
    }
    assert set(session.scalars(select(Event.event_id))) == {"e-1", "e-5"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The body is empty"),
        (b" \n ", "The body is empty"),
        (b'{"events": [', "(line 1, column 13)"),
        (b'{\n"events": [,]}', "(line 2, column 12)"),
        (b"{'events': []}", "(line 1, column 2)"),
        (b"[]", "The body must be an object such as"),
        (b'"events"', "The body must be an object such as"),
        (b"null", "The body must be an object such as"),
        (b'{"events": []} {}', "Extra data (line 1, column 16)"),
        (b'\xef\xbb\xbf{"events": []}', "The body is no JSON"),
    ],
)
def test_a01_what_is_no_json_object_is_refused_with_its_position(
    client: FlaskClient, session: Database, headers: dict[str, str], body: bytes, words: str
) -> None:
    answer = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert words in sentence(answer, 400)
    assert stored(session) == 0


def test_a02_a_body_that_is_too_large_is_refused_with_its_length_told_or_not(
    app: Flask, client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    body = json.dumps({"events": [event(properties={"a": "x" * 900}) for _ in range(1_000)]}).encode()
    assert len(body) > 1024 * 1024
    told = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert "1024 KiB" in sentence(told, 413)
    assert told.headers["Connection"] == "close"

    environ = EnvironBuilder(path=URL, method="POST", content_type="application/json", headers=headers).get_environ()
    environ |= {"wsgi.input": Endless(), "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    _, status, answered = run_wsgi_app(app, environ)
    assert (status, answered["Connection"]) == ("413 REQUEST ENTITY TOO LARGE", "close")
    assert stored(session) == 0


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("told", [True, False])
def test_a02_ten_megabytes_take_no_more_memory_than_the_limit(app: Flask, headers: dict[str, str], told: bool) -> None:
    body = io.BytesIO(b" " * 10 * 1024 * 1024)
    environ = EnvironBuilder(path=URL, method="POST", content_type="application/json", headers=headers).get_environ()
    environ |= {"wsgi.input": body, "wsgi.input_terminated": not told, "CONTENT_LENGTH": str(len(body.getvalue()))}
    if not told:
        del environ["CONTENT_LENGTH"]
    db.session.remove()
    tracemalloc.start()
    try:
        _, status, _ = run_wsgi_app(app, environ)
        assert tracemalloc.get_traced_memory()[1] < 5 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert status == "413 REQUEST ENTITY TOO LARGE"


def test_a_sender_of_too_much_is_heard_out_so_that_it_reads_the_answer(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    sent = io.BytesIO(b"[" + b" " * 2 * 1024 * 1024)
    size = len(sent.getvalue())
    answer = client.post(URL, input_stream=sent, content_length=size, content_type="application/json", headers=headers)
    assert (answer.status_code, sent.tell(), stored(session)) == (413, size, 0)


def test_a_huge_number_in_one_event_does_not_cost_its_neighbours(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    bad = [event(id="e-1", properties={"delay_minutes": 10**40}), event(id=10**299)]
    answer = client.post(URL, json={"events": [*bad, event(id="e-3")]}, headers=headers)
    assert (answer.status_code, answer.json) == (
        202,
        {
            "accepted": 1,
            "duplicates": 0,
            "rejected": [
                {"index": 0, "errors": ["properties.delay_minutes: the number is too large to be kept exactly"]},
                {"index": 1, "errors": ["id: must be a text, not a number"]},
            ],
        },
    )
    assert stored(session) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"events": ["\xff"]}', "The body is not valid UTF-8 (line 1, column 14)"),
        (b'{"events": ["\xed\xa0\x80"]}', "The body is not valid UTF-8"),
        (b'{"events": ["\\ud800"]}', "half of a surrogate pair"),
        (b'{"events": [{"\\udfff": 1}]}', "half of a surrogate pair"),
        (b'{"events": ["\\u0000"]}', "the NUL character"),
        (b'{"events": ["a\x00b"]}', "The body is no JSON"),
    ],
)
def test_a03_broken_text_is_refused(
    client: FlaskClient, session: Database, headers: dict[str, str], body: bytes, words: str
) -> None:
    answer = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert words in sentence(answer, 400)
    assert stored(session) == 0


def test_a03_a_whole_surrogate_pair_and_a_written_backslash_are_text(
    app: Flask, client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    body = json.dumps({"events": [event(properties={"a": "😀", "b": "\\u0000"})]}).encode()
    assert b"\\ud83d\\ude00" in body
    answer = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert answer.json == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert session.scalars(select(Event.properties)).one() == {"a": "😀", "b": "\\u0000"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"events":' + b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000 + b"}",
        b'{"a":' * 21 + b"1" + b"}" * 21,
        json.dumps({f"n{i}": i for i in range(10_000)}).encode(),
        b'"' * 100_000,
        b'"' + b'\\"' * 50_000 + b"\\",
        b"]" * 100_000,
    ],
    ids=["lists", "objects", "both", "21-levels", "10000-names", "quotes", "escapes", "closings"],
)
def test_a04_deep_and_wide_bodies_are_refused_cheaply(
    client: FlaskClient, session: Database, headers: dict[str, str], body: bytes
) -> None:
    flat = b'{"events": [' + b'"a", ' * (len(body) // 5) + b"0]}"

    def cheapest(sent: bytes, *allowed: int) -> float:
        """Seconds of CPU, the least of five calls."""
        spent = []
        for _ in range(5):
            before = time.process_time()
            answer = client.post(URL, data=sent, content_type="application/json", headers=headers)
            spent.append(time.process_time() - before)
            assert answer.status_code in allowed
        return min(spent)

    as_easy = cheapest(flat, 202, 422)  # as many bytes that are read and then refused
    assert cheapest(body, 400) < 3 * as_easy + LITTLE
    sentence(client.post(URL, data=body, content_type="application/json", headers=headers), 400)
    assert stored(session) == 0


def test_a04_twenty_levels_are_read(client: FlaskClient, headers: dict[str, str]) -> None:
    body = b'{"events":' + b"[" * 19 + b"]" * 19 + b"}"
    answer = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert answer.json == {
        "accepted": 0,
        "duplicates": 0,
        "rejected": [{"index": 0, "errors": ["event: must be an object"]}],
    }


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 5_000])
def test_a05_numbers_that_are_none_are_refused(
    client: FlaskClient, session: Database, headers: dict[str, str], number: str
) -> None:
    body = b'{"events": [{"properties": {"a": %s}}]}' % number.encode()
    sentence(client.post(URL, data=body, content_type="application/json", headers=headers), 400)
    assert stored(session) == 0


@pytest.mark.parametrize(
    "body",
    [b'{"events": [], "events": []}', b'{"events": [{"id": "a", "id": "b"}]}', b'{"a": 1, "\\u0061": 2}'],
)
def test_a06_a_repeated_name_is_refused(
    client: FlaskClient, session: Database, headers: dict[str, str], body: bytes
) -> None:
    answer = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert "appears twice in one object" in sentence(answer, 400)
    assert stored(session) == 0


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonp",
        "",
    ],
)
def test_a07_another_content_type_or_charset_is_refused(
    client: FlaskClient, session: Database, headers: dict[str, str], content_type: str
) -> None:
    body = json.dumps({"events": [event()]}).encode()
    sentence(client.post(URL, data=body, content_type=content_type, headers=headers), 415)
    assert stored(session) == 0


def test_a07_utf_8_may_be_said(client: FlaskClient, headers: dict[str, str]) -> None:
    body = json.dumps({"events": [event()]}).encode()
    answer = client.post(URL, data=body, content_type="application/json; charset=UTF-8", headers=headers)
    assert answer.status_code == 202


def test_a08_the_same_id_again_changes_nothing(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    first = client.post(URL, json={"events": [event(1), event(1, step="check_in")]}, headers=headers)
    assert first.json == {"accepted": 1, "duplicates": 1, "rejected": []}
    other = event(1, customer={"external_id": "c-9", "email": "new@example.org"}, properties={"class": "Eco"})
    again = client.post(URL, json={"events": [other]}, headers=headers)
    assert again.json == {"accepted": 0, "duplicates": 1, "rejected": []}
    assert session.scalars(select(Event)).one().properties == {"class": "Business", "delay_minutes": 12}
    assert session.scalars(select(Customer.external_id)).all() == ["c-1"]


def test_a12_events_out_of_order_are_both_kept(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    late, early = event(1), event(2, occurred_at="2026-11-01T08:15:00Z", customer={"external_id": "c-1"})
    for one in (late, early):
        assert client.post(URL, json={"events": [one]}, headers=headers).status_code == 202
    rows = session.execute(select(Event.event_id).order_by(Event.occurred_at)).scalars().all()
    assert rows == ["e-2", "e-1"]


@pytest.mark.parametrize(
    "text", ["2026-11-03T09:00:00Z", "9999-12-31T00:00:00Z", "2026-11-02T08:15:00", "2023-02-29T00:00:00Z"]
)
def test_a13_impossible_times_are_rejected(
    client: FlaskClient, session: Database, headers: dict[str, str], text: str
) -> None:
    answer = client.post(URL, json={"events": [event(occurred_at=text)]}, headers=headers)
    assert answer.json is not None
    assert answer.json["rejected"][0]["errors"][0].startswith("occurred_at: ")
    assert stored(session) == 0


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"journey": "cruise"}, ["journey: there is no journey 'cruise'; known are flight"]),
        ({"step": "boarding"}, ["step: the journey 'flight' has no step 'boarding'; known are check_in"]),
        ({"step": "check_in'; DROP TABLE event;--"}, None),
    ],
)
def test_a14_an_unknown_step_is_named(
    client: FlaskClient, session: Database, headers: dict[str, str], changes: dict[str, str], errors: list[str] | None
) -> None:
    answer = client.post(URL, json={"events": [event(**changes)]}, headers=headers)
    assert answer.json is not None
    assert (answer.json["accepted"], stored(session)) == (0, 0)
    if errors:
        assert answer.json["rejected"] == [{"index": 0, "errors": errors}]


def test_a15_names_are_bounded_and_reserved_ones_refused(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    customers = [
        {"external_id": "c-1", "attributes": {f"n{i}": i for i in range(500)}},
        {"external_id": "c-2", "attributes": {"__proto__": {}}},
        {"external_id": "c-3", "attributes": {"tenant_id": "other"}},
        {"external_id": "c-4", "id": 1},
        {"external_id": "c-5", "erased_at": None},
    ]
    told = [event(i, customer=customer) for i, customer in enumerate(customers)]
    answer = client.post(URL, json={"events": told}, headers=headers)
    assert answer.json is not None
    assert [one["index"] for one in answer.json["rejected"]] == [0, 1, 2, 3, 4]
    assert (stored(session), session.scalar(select(func.count()).select_from(Customer))) == (0, 0)


def test_a16_fragments_of_sql_are_kept_as_text(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    odd = "'; DROP TABLE customer;-- %s %(a)s :b {{7*7}}"
    told = event(id=odd, customer={"external_id": odd, "attributes": {odd: odd}}, instance=odd, properties={odd: odd})
    answer = client.post(URL, json={"events": [told]}, headers=headers)
    assert answer.json == {"accepted": 1, "duplicates": 0, "rejected": []}
    kept = session.scalars(select(Event)).one()
    assert (kept.event_id, kept.instance, kept.properties) == (odd, odd, {odd: odd})
    assert session.scalars(select(Customer.attributes)).one() == {odd: odd}


@pytest.mark.parametrize(
    "address", ["x@y>,<z@w", "ada@example.org\r\nBcc: bob@example.org", "a" * 250 + "@example.org", "ada@", "ada"]
)
def test_a17_an_odd_address_is_rejected(
    client: FlaskClient, session: Database, headers: dict[str, str], address: str
) -> None:
    told = event(customer={"external_id": "c-1", "email": address})
    answer = client.post(URL, json={"events": [told]}, headers=headers)
    assert answer.json is not None
    assert answer.json["rejected"][0]["errors"][0].startswith("customer.email: ")
    assert stored(session) == 0


def test_a17_an_international_domain_is_kept_as_a_label(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    told = event(customer={"external_id": "c-1", "email": "ada@bücher.example"})
    assert client.post(URL, json={"events": [told]}, headers=headers).status_code == 202
    assert session.scalars(select(Customer.email)).one() == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("06 12 34 56 78", "a national number is not guessed"),
        ("0033612345678", "a national number is not guessed"),
        ("+33 899 70 00 00", "a premium-rate number"),
        ("+1 800 FLOWERS", "letters are not translated"),
        ("+33 1", "is no"),
        ("+999 123456", "is no"),
        ("+", "is no"),
        ("+33٦12345678", "letters are not translated"),
    ],
)
def test_a18_a_number_is_never_guessed(
    client: FlaskClient, session: Database, headers: dict[str, str], number: str, words: str
) -> None:
    told = event(customer={"external_id": "c-1", "phone": number})
    answer = client.post(URL, json={"events": [told]}, headers=headers)
    assert answer.json is not None
    assert words in answer.json["rejected"][0]["errors"][0]
    assert stored(session) == 0


def test_a_thousand_events_are_taken_and_one_more_is_not(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    told = [event(i) for i in range(1_001)]
    words = sentence(client.post(URL, json={"events": told}, headers=headers), 422)
    assert words == "events: has 1,001 entries; send at most 1,000 a call"
    assert stored(session) == 0
    answer = client.post(URL, json={"events": told[:1_000]}, headers=headers)
    assert answer.json == {"accepted": 1_000, "duplicates": 0, "rejected": []}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "events: is missing"),
        ({"events": {}}, "events: must be a list"),
        ({"events": None}, "events: must be a list"),
        ({"events": [], "tenant": "x"}, "tenant: is unknown here; the only field is events"),
    ],
)
def test_another_envelope_is_named(client: FlaskClient, headers: dict[str, str], body: object, words: str) -> None:
    assert sentence(client.post(URL, json=body, headers=headers), 422) == words


def test_only_an_ingest_or_admin_key_may_tell_of_events(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    assert client.post(URL, json={"events": [event()]}).status_code == 401
    assert client.post(URL, json={"events": [event()]}, headers=bearer("read")).status_code == 403
    assert stored(session) == 0
    assert client.post(URL, json={"events": [event()]}, headers=bearer("admin")).status_code == 202


def test_an_unknown_language_or_zone_is_no_error(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    told = event(customer={"external_id": "c-1", "language": "tlh", "timezone": "Mars/Olympus"}, timezone="Nowhere")
    assert client.post(URL, json={"events": [told]}, headers=headers).json == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [],
    }
    assert session.scalars(select(Customer.timezone)).one() is None


def test_a_small_lead_of_the_sender_s_clock_is_forgiven(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    ahead = (NOW + timedelta(minutes=4)).isoformat()
    assert client.post(URL, json={"events": [event(occurred_at=ahead)]}, headers=headers).json == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [],
    }
