"""Every field of an event: what is right is kept exactly, what is wrong is named with a sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.events import CustomerIn, EventIn, read_event

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def told(**changes: Any) -> dict[str, Any]:
    event = {
        "id": "e-1",
        "customer": {"external_id": "c-1"},
        "journey": "flight",
        "step": "check_in",
        "occurred_at": "2026-11-02T08:15:00Z",
    }
    return {name: value for name, value in (event | changes).items() if value is not ...}


def problems(**changes: Any) -> list[str]:
    read = read_event(told(**changes), NOW)
    assert isinstance(read, list), read
    return read


def kept(**changes: Any) -> EventIn:
    read = read_event(told(**changes), NOW)
    assert isinstance(read, EventIn), read
    return read


def test_a_whole_event_is_kept_exactly() -> None:
    event = kept(
        customer={
            "external_id": "C-1",
            "email": "Ada@Example.org",
            "phone": "+33612345678",
            "language": "pt_BR",
            "timezone": "Europe/Paris",
            "attributes": {"customer_type": "Returning"},
        },
        instance="AF123-2026-11-02",
        occurred_at="2026-11-02T09:15:00+01:00",
        timezone="America/New_York",
        cancels="e-0",
        properties={
            "class": "Business",
            "delay_minutes": 12,
            "late": False,
            "fare": 12.5,
            "gate": None,
            "legs": [1, 2],
        },
    )
    assert event == EventIn(
        id="e-1",
        customer=CustomerIn(
            external_id="C-1",
            email="ada@example.org",
            phone="+33612345678",
            language="pt-BR",
            timezone="Europe/Paris",
            attributes={"customer_type": "Returning"},
            given=frozenset({"external_id", "email", "phone", "language", "timezone", "attributes"}),
        ),
        occurred_at=datetime(2026, 11, 2, 8, 15, tzinfo=UTC),
        journey="flight",
        step="check_in",
        instance="AF123-2026-11-02",
        timezone="America/New_York",
        cancels="e-0",
        properties={
            "class": "Business",
            "delay_minutes": 12,
            "late": False,
            "fare": 12.5,
            "gate": None,
            "legs": [1, 2],
        },
    )


def test_a_step_may_be_told_in_its_long_form_without_a_journey() -> None:
    event = kept(journey=..., step="flight.check_in")
    assert (event.journey, event.step) == ("flight", "check_in")


@pytest.mark.parametrize("value", [None, 7, "x", [], True])
def test_what_is_no_object_is_no_event(value: object) -> None:
    assert read_event(value, NOW) == ["event: must be an object"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": ...}, "id: is missing"),
        ({"id": ""}, "id: must not be empty"),
        ({"id": 7}, "id: must be a text, not a number"),
        ({"id": True}, "id: must be a text, not true or false"),
        ({"id": "x" * 201}, "id: has 201 characters; at most 200 are kept"),
        ({"id": "a\nb"}, "id: holds a control character; remove it"),
        ({"id": "every:relationship:c-1:3"}, "id: the beginning 'every:' is kept for events made here"),
        ({"customer": ...}, "customer: must be an object"),
        ({"customer": {"external_id": 12}}, "customer.external_id: must be a text, not a number"),
        ({"customer": {}}, "customer.external_id: is missing"),
        ({"journey": ...}, "journey: is missing"),
        ({"step": {}}, "step: must be a text, not an object"),
        ({"instance": 4}, "instance: must be a text, not a number"),
        ({"timezone": 1}, "timezone: must be a text such as Europe/Paris, not a number"),
        ({"properties": []}, "properties: must be an object, not a list"),
        ({"properties": {"a" * 81: 1}}, f"properties.{'a' * 80}: a name has 1 to 80 characters"),
        ({"properties": {"__proto__": 1}}, "properties.__proto__: this name is reserved; choose another"),
        ({"properties": {"tenant_id": "t"}}, "properties.tenant_id: this name is reserved; choose another"),
        ({"properties": {"a": "x" * 1001}}, "properties.a: a text has at most 1,000 characters"),
        ({"properties": {"a": 2**60}}, "properties.a: the number is too large to be kept exactly"),
        ({"properties": {"a": ["x" * 3000]}}, "properties.a: a nested value has at most 2,000 characters; flatten it"),
        ({"properties": {"service": ["x"]}}, "properties.service: must be a text or a number"),
        (
            {"properties": {f"n{i}": 1 for i in range(500)}},
            "properties: has 500 names; at most 100 are kept",
        ),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], sentence: str) -> None:
    assert problems(**changes) == [sentence]


def test_an_unknown_field_is_refused_by_name() -> None:
    assert problems(tenant_id="t")[0].startswith("tenant_id: is unknown here; known are cancels, customer,")
    assert problems(customer={"external_id": "c", "id": 1})[0].startswith("customer.id: is unknown here")


def test_every_wrong_field_is_named_at_once() -> None:
    assert [p.partition(":")[0] for p in problems(id=1, customer=2, step=None, occurred_at=3)] == [
        "id",
        "customer",
        "step",
        "occurred_at",
    ]


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("2026-11-02T08:15:00", "occurred_at: has no zone"),
        ("2023-02-29T08:15:00Z", "occurred_at: is no time"),
        ("2026-11-02", "occurred_at: is no time"),
        ("2026-W45-1T08:15:00Z", "occurred_at: is no time"),
        ("٢٠٢٦-11-02T08:15:00Z", "occurred_at: is no time"),
        ("yesterday", "occurred_at: is no time"),
        ("9999-12-31T23:59:59Z", "occurred_at: lies in the future"),
        ("9999-12-31T23:59:59-12:00", "occurred_at: is no time"),
        ("0001-01-01T00:00:00+12:00", "occurred_at: is no time"),
        ("1999-12-31T23:59:59Z", "occurred_at: lies before the year 2000"),
        ("2026-11-03T09:00:00Z", "occurred_at: lies in the future"),
        ("2026-11-02T09:05:01Z", "occurred_at: lies in the future"),
        (1762071300, "occurred_at: must be a text"),
        (None, "occurred_at: is missing"),
    ],
)
def test_a13_a_time_that_cannot_be_is_refused(text: object, beginning: str) -> None:
    found = problems(occurred_at=text)
    assert len(found) == 1
    assert found[0].startswith(beginning)


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    assert kept(occurred_at="2026-11-02T09:05:00Z").occurred_at == datetime(2026, 11, 2, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("language", ["xx", "klingon-tlh", "", "e", "a" * 500, "fr\n"])
@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../../etc/passwd", "x" * 900, "Europe/\0"])
def test_an_odd_language_or_zone_is_no_error(language: str, timezone: str) -> None:
    customer = kept(customer={"external_id": "c", "language": language, "timezone": timezone}).customer
    assert customer.timezone is None
    assert customer.language in (None, "xx")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "x@y>,<z@w", "customer.email: give one plain address"),
        ("email", 7, "customer.email: must be a text, not a number"),
        ("phone", 33612345678, "customer.phone: must be a text, not a number"),
        ("phone", "+336\r\n12", "customer.phone: must be one line"),
        ("language", 7, "customer.language: must be a text such as fr"),
        ("attributes", "x", "customer.attributes: must be an object, not a text"),
        ("consent", {"fax": True}, "customer.consent.fax: is unknown here"),
        ("consent", {"email": "yes"}, "customer.consent.email: must be true or false"),
        ("preferred_channel", "fax", "customer.preferred_channel: must be one of email, sms, web"),
        ("preferred_channel", [], "customer.preferred_channel: must be one of email, sms, web"),
    ],
)
def test_a_wrong_field_of_the_customer_is_named(field: str, value: object, sentence: str) -> None:
    found = problems(customer={"external_id": "c", field: value})
    assert len(found) == 1
    assert found[0].startswith(sentence)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = ["id", "customer", "journey", "step", "instance", "occurred_at", "timezone", "cancels", "properties", "other"]


@given(st.dictionaries(st.sampled_from(fields), json_values), st.sampled_from([*fields, "customer"]), json_values)
def test_any_json_is_read_or_refused_with_sentences(part: dict[str, Any], name: str, value: Any) -> None:
    whole = told(**part)
    if name == "customer" and isinstance(value, dict):
        whole["customer"] = {"external_id": "c", **value}
    read = read_event(whole, NOW)
    assert isinstance(read, EventIn) or (read and all(": " in sentence for sentence in read))
