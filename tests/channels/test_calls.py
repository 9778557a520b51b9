"""How long a provider asks us to wait, whatever way it says so."""

import pytest

from surveyapp.channels.calls import seconds_to_wait

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
