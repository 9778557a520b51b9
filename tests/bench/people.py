"""A small programme and people who reached a step, for the benchmarks that go through the database."""

from datetime import datetime, timedelta

from surveyapp.domain.events import CustomerIn, EventIn
from surveyapp.services.journeys import record_events
from tests import outreach

POLICY = """policy:
  gap: {1: 7d, 2: 30d, 3: 30d}
  caps: [{max: 2, per: 30d}, {max: 6, per: 365d}, {max: 1, per: journey}]
"""


def load(programme: str = outreach.PROGRAMME) -> None:
    """Apply the programme: three steps with a trigger each, a policy of four rules."""
    outreach.load(POLICY, programme)


def events(first: int, count: int, at: datetime, step: str = "check_in") -> list[EventIn]:
    """Check-ins, or another step, of so many different people, numbered from `first`."""
    return [
        EventIn(
            id=f"e-{number}",
            customer=CustomerIn(external_id=f"c-{number}", email=f"c{number}@example.org", given=frozenset({"email"})),
            occurred_at=at,
            journey="flight",
            step=step,
            instance=f"trip-{number}",
            properties={"class": "Business"},
        )
        for number in range(first, first + count)
    ]


def reach_check_in(count: int, at: datetime) -> None:
    """Let so many people check in, so that each has an ask due."""
    reach("check_in", count, at)


def reach(step: str, count: int, at: datetime, first: int = 1) -> None:
    """Let so many people, numbered from `first`, reach a step, so that each has an ask due."""
    everyone = events(first, count, at - timedelta(minutes=1), step)
    for start in range(0, count, 1000):
        assert record_events(everyone[start : start + 1000], source="api").accepted > 0
