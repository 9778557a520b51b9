"""The proof's own proof: with one safeguard taken out, the same checker on the same kind of run must find it out.

The same runs with the safeguards in place are in test_kills and test_stalls; the lock on the person in test_race.
"""

import pytest

from tests.conftest import MakeApp
from tests.faults.fleet import BATCH, Fleet, fleet, judge, load_people
from tests.providers import StandIn

pytestmark = pytest.mark.database("postgresql")


def two_holders(staff: Fleet, mutant: str) -> None:
    """One worker sleeps with its batch past the lease; the next takes the batch over; the first wakes and goes on."""
    late = staff.hire(at="rendered", signal="SIGSTOP", mutant=mutant)
    staff.wait_until_stopped(late)
    staff.let_leases_run_out()
    heir = staff.hire(at="call_started", signal="SIGSTOP", mutant=mutant)
    staff.wait_until_stopped(heir)
    calls = len(staff.provider.log())
    staff.go_on(late)
    staff.wait_until_calls(calls + 1)
    staff.go_on(heir)
    staff.wait_until_settled()


def test_without_the_lease_token_two_holders_send_the_same_batch(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    load_people(make_app(postgres_url), BATCH, steps=("check_in",), shared=0)
    with fleet(postgres_url, provider) as staff:
        two_holders(staff, "lease_token")
        found = judge(provider.path, postgres_url, lost=BATCH)
    assert any("handed over 2 times" in finding for finding in found), found


def test_without_the_marker_a_killed_call_is_made_again(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    load_people(make_app(postgres_url), BATCH, steps=("check_in",), shared=0)
    with fleet(postgres_url, provider) as staff:
        dying = staff.hire(at="after_send", mutant="marker")
        staff.wait_until_ended(dying)
        assert staff.kills == 1
        staff.let_leases_run_out()
        staff.hire(mutant="marker")
        staff.wait_until_settled()
        found = judge(provider.path, postgres_url, lost=BATCH)
    assert any("handed over 2 times" in finding for finding in found), found
