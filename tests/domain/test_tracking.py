"""Segment's calls in our words: who, which event, which traits; messy parts are left out, not the call."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.events import CustomerIn
from surveyapp.domain.tracking import Call, read_call

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def read(kind: str | None = "track", **value: Any) -> Call:
    call = read_call(value, kind, NOW, "made-1")
    assert isinstance(call, Call), call
    return call


def test_a_track_becomes_an_event_of_that_name() -> None:
    call = read(
        userId="u-1",
        messageId="m-1",
        event="Checked In",
        timestamp="2026-11-02T08:15:00.000Z",
        properties={"class": "Business", "instance": "AF123", "timezone": "America/New_York", "cancels": "m-0"},
        context={"traits": {"email": "Ada@example.org", "phone": "+33612345678", "locale": "fr_FR", "plan": "gold"}},
    )
    assert call.event is not None
    assert (call.event.id, call.event.name, call.event.journey, call.event.step) == ("m-1", "Checked In", None, None)
    assert (call.event.instance, call.event.timezone, call.event.cancels) == ("AF123", "America/New_York", "m-0")
    assert call.event.properties == {"class": "Business"}
    assert call.event.occurred_at == datetime(2026, 11, 2, 8, 15, tzinfo=UTC)
    assert call.customer == CustomerIn(
        "u-1", email="ada@example.org", phone="+33612345678", language="fr-FR", attributes={"plan": "gold"}
    )


def test_a_visitor_without_a_user_id_is_kept_under_the_anonymous_id() -> None:
    call = read(anonymousId="an-1", event="Seen")
    assert (call.customer.external_id, call.customer.anonymous_id) == ("anonymous:an-1", "an-1")
    assert call.event is not None
    assert (call.event.id, call.event.occurred_at) == ("made-1", NOW)


def test_a_number_as_user_id_is_its_digits() -> None:
    assert read(userId=97980, event="Seen").customer.external_id == "97980"


def test_identify_tells_of_the_person_and_names_the_visitor_they_were() -> None:
    traits = {"email": "ada@example.org", "name": "Ada Lovelace", "timezone": "Europe/Paris", "tier": "gold"}
    call = read("identify", userId="u-1", anonymousId="an-1", traits=traits, context={"locale": "en-GB"})
    assert (call.event, call.anonymous_id, call.previous_id) == (None, "an-1", None)
    assert call.customer == CustomerIn(
        "u-1", email="ada@example.org", timezone="Europe/Paris", language="en-GB", attributes={"tier": "gold"}
    )


@pytest.mark.parametrize(
    ("kind", "name", "event"),
    [("page", "Home", "Viewed Home Page"), ("page", None, "Viewed Page"), ("screen", "Cart", "Viewed Cart Screen")],
)
def test_pages_and_screens_have_segment_s_names(kind: str, name: str | None, event: str) -> None:
    found = read(kind, userId="u-1", name=name).event
    assert found is not None
    assert found.name == event


def test_alias_and_group() -> None:
    call = read("alias", userId="u-1", previousId="an-1")
    assert (call.event, call.customer.external_id, call.previous_id) == (None, "u-1", "an-1")
    assert read("group", userId="u-1", groupId="acme").customer.attributes == {"group": "acme"}


@pytest.mark.parametrize(
    ("kind", "value", "errors"),
    [
        ("track", {"event": "x"}, ["userId: is missing, and anonymousId too"]),
        ("track", {"userId": "u"}, ["event: is missing"]),
        ("track", {"userId": "u", "event": 7}, ["event: must be a text, not a number"]),
        ("track", {"userId": {}, "event": "x"}, ["userId: must be a text, not an object"]),
        ("alias", {"userId": "u"}, ["previousId: is missing"]),
        ("alias", {"anonymousId": "a", "previousId": "p"}, ["userId: is missing"]),
        (None, {"type": "delete"}, ["type: must be one of alias, group, identify, page, screen, track"]),
        (None, {"type": []}, ["type: must be one of alias, group, identify, page, screen, track"]),
    ],
)
def test_an_unusable_call_is_named(kind: str | None, value: dict[str, Any], errors: list[str]) -> None:
    assert read_call(value, kind, NOW, "made-1") == errors


@pytest.mark.parametrize("timestamp", ["2027-01-01T00:00:00Z", "yesterday", "2026-11-02T08:00:00", 7, None])
def test_an_odd_or_future_time_becomes_now(timestamp: object) -> None:
    call = read(userId="u", event="x", timestamp=timestamp)
    assert call.event is not None
    assert call.event.occurred_at == NOW


def test_unusable_traits_and_properties_are_left_out() -> None:
    call = read(
        userId="u",
        event="x",
        messageId="every:x",
        properties={"ok": 1, "__proto__": 1, "long": "x" * 5_000, "n" * 99: 1} | {f"p{i}": i for i in range(300)},
        context={"traits": {"email": "no address", "locale": 7, "timezone": "Mars", "lastName": "L"}, "timezone": []},
    )
    assert call.event is not None
    assert (len(call.event.properties), call.event.properties["ok"]) == (100, 1)
    assert call.event.id == "sent-every:x"
    assert call.customer == CustomerIn("u")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
names = "userId anonymousId previousId messageId event name groupId traits context properties timestamp type".split()


@given(
    st.dictionaries(st.sampled_from(names), values),
    st.sampled_from(["track", "identify", "alias", "page", "group", None]),
)
def test_any_json_is_a_call_or_sentences(value: dict[str, Any], kind: str | None) -> None:
    call = read_call(value, kind, NOW, "made-1")
    assert isinstance(call, Call) or all(": " in sentence for sentence in call)
