"""F61: eight processes, two surveys, one person, one second, shared addresses: one contact each, the rule is shown.

Without the lock on the person somebody is asked twice, and the checker finds it.
"""

from collections import Counter

import psycopg
import pytest

from tests.conftest import MakeApp
from tests.faults.fleet import fleet, judge, load_people, plain
from tests.providers import StandIn

PROCESSES = 8
PEOPLE = 40
SHARED = 2  # every second person has the address of the one before
pytestmark = pytest.mark.database("postgresql")


def run(url: str, make_app: MakeApp, provider: StandIn, mutant: str | None) -> list[str]:
    """What the checker finds after eight processes have decided one message at a time."""
    load_people(make_app(url), PEOPLE, shared=SHARED)
    with fleet(url, provider) as staff:
        for _ in range(PROCESSES):
            staff.hire(mutant=mutant, batch=1)
        staff.wait_until_settled()
        return judge(provider.path, url, lost=0)


def test_f61_d01_eight_processes_ask_each_person_once_and_show_the_rule_to_the_others(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    assert run(postgres_url, make_app, provider, mutant=None) == []
    with psycopg.connect(plain(postgres_url)) as connection:
        rows = connection.execute("SELECT outcome, reason, verdicts FROM decision").fetchall()
    assert Counter(outcome for outcome, _, _ in rows) == {"asked": PEOPLE // SHARED, "refused": 3 * PEOPLE // SHARED}
    for outcome, reason, verdicts in rows:
        shown = sorted(verdict["rule"] for verdict in verdicts if not verdict["allowed"])
        assert (reason, shown) == ((None, []) if outcome == "asked" else ("gap", ["cap", "gap"]))


def test_without_the_persons_lock_people_are_asked_twice(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    found = run(postgres_url, make_app, provider, mutant="person_lock")
    assert any("was contacted" in finding for finding in found), found
