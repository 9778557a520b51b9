"""Calls to a provider: how long it asks us to wait, and that no answer, however large, uses up our connections."""

import pytest

from surveyapp.channels.calls import KEPT, Caller, seconds_to_wait
from surveyapp.channels.deadlines import Doubtful, handover
from tests.providers import StandIn

DATE = "Mon, 02 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"Retry-After": "Mon, 02 Nov 2026 09:02:00 GMT", "Date": DATE}, 120.0),
        ({"Retry-After": "Mon, 02 Nov 2026 08:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Mon, 02 Nov 2026 09:02:00 GMT"}, None),
        ({"X-RateLimit-Reset": "1793610060", "Date": DATE}, 60.0),
        ({"X-RateLimit-Reset": "1793600000", "Date": DATE}, 0.0),
        ({"X-RateLimit-Reset": "1793610060"}, None),
        ({"Retry-After": "-5", "Date": DATE}, None),
        ({"Retry-After": "soon", "Date": DATE}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "٣"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds_to_wait(headers) == seconds


@pytest.mark.parametrize("what", ["large", "reset", "close"])
def test_f58_answers_that_are_too_large_or_cut_off_leave_every_connection_free(providers: StandIn, what: str) -> None:
    caller, address = Caller(), f"http://127.0.0.1:{providers.port}/v3/mail/send"
    providers.next(*[{"do": what}] * (KEPT + 1), {"status": 202})
    for _ in range(KEPT + 1):
        with handover(15):
            try:
                answer = caller.call("POST", address, {}, b'{"personalizations": []}')
            except Doubtful:
                assert what != "large"
            else:
                assert (what, answer.status, answer.body) == ("large", 202, b"")
    with handover(15):
        assert caller.call("POST", address, {}, b'{"personalizations": []}').status == 202
