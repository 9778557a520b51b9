"""The coin falls as the reference says, and the same way every time."""

from datetime import UTC, datetime, timedelta

import pytest

from surveyapp.domain.sampling import coin, event_message, period_number, sticky_message
from tests.reference import VECTORS, needs_vectors


def test_the_coin_is_the_first_eight_bytes_of_a_keyed_hash() -> None:
    assert coin("demo-key", "contact:42|step:baggage|event:9001") == pytest.approx(0.081256779277, abs=1e-12)


@needs_vectors
def test_every_reference_coin_is_met() -> None:
    for case in VECTORS["stable_coin"]:
        assert coin(case["key"], case["message"]) == pytest.approx(case["u"], abs=1e-10)


def test_messages_name_person_and_survey_or_event() -> None:
    assert event_message("42", "baggage", "9001") == "contact:42|step:baggage|event:9001"
    assert sticky_message("42", "nps", 7) == "contact:42|survey:nps|period:7"


def test_periods_are_counted_from_1970_in_utc() -> None:
    assert period_number(datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=90)) == 0
    assert period_number(datetime(1970, 4, 1, tzinfo=UTC), timedelta(days=90)) == 1
