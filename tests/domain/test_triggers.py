"""By which channel an ask goes on when the one before has failed."""

import pytest

from surveyapp.domain.triggers import Trigger, next_channel

BOTH = frozenset({"email", "sms"})


@pytest.mark.parametrize(
    ("preferred", "used", "reachable", "channel"),
    [
        (None, set(), BOTH, "email"),
        (None, {"email"}, BOTH, "sms"),
        ("sms", set(), BOTH, "sms"),
        ("sms", {"sms"}, BOTH, "email"),
        ("post", {"email"}, BOTH, "sms"),
        (None, {"email", "sms"}, BOTH, None),
        (None, {"email"}, {"email"}, None),
        (None, {"email"}, set(), None),
    ],
)
def test_the_next_channel_is_the_first_one_left_that_reaches_the_person(
    preferred: str | None, used: set[str], reachable: set[str], channel: str | None
) -> None:
    trigger = Trigger("after_check_in", "csat", ("web", "email", "sms"), blocked="next_channel")
    assert next_channel(trigger, preferred, used, reachable) == channel


@pytest.mark.parametrize("blocked", ["drop", "wait"])
def test_a_trigger_that_does_not_say_so_has_no_next_channel(blocked: str) -> None:
    assert next_channel(Trigger("t", "csat", ("email", "sms"), blocked=blocked), None, {"email"}, BOTH) is None
