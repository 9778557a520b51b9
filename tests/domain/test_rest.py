"""What a policy lets us promise after an ask."""

from datetime import UTC, datetime, timedelta

import pytest

from surveyapp.domain.policy import Cap, Exemption, Gap, Policy, Scope
from surveyapp.domain.rest import rest_after_an_ask

DAYS = {n: timedelta(days=n) for n in (1, 7, 14, 30)}
LEAVE = Exemption(frozenset({"gap"}), "a recall", "ada", datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("policy", "rest"),
    [
        (Policy(), None),
        (Policy(gaps=(Gap({1: DAYS[7], 2: DAYS[30], 3: DAYS[30]}),)), DAYS[7]),
        (Policy(gaps=(Gap({2: DAYS[30], 3: DAYS[30]}),)), None),
        (Policy(gaps=(Gap({1: DAYS[7], 2: DAYS[7], 3: DAYS[7]}, scope=Scope(journey="flight")),)), None),
        (Policy(gaps=(Gap({1: DAYS[7], 2: DAYS[7], 3: DAYS[7]}, clock="own"),)), None),
        (Policy(gaps=(Gap({1: DAYS[7], 2: DAYS[30], 3: DAYS[30]}),), exemptions=(LEAVE,)), None),
        (Policy(caps=(Cap(1, DAYS[14]), Cap(2, DAYS[30]), Cap(1, journey=True))), DAYS[14]),
        (Policy(gaps=(Gap({1: timedelta(hours=3), 2: DAYS[7], 3: DAYS[7]}),)), None),
    ],
)
def test_the_shortest_rest_of_every_tier_is_what_may_be_promised(policy, rest):
    assert rest_after_an_ask(policy) == rest
