"""The live locked path against a bare loop that does the same promise by hand: lock, count, insert, commit."""

import itertools
from datetime import UTC, datetime
from typing import Any

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.services import dispatch
from tests.bench import people
from tests.bench.harness import Bench, Result, connect, in_turns

BATCH = 50  # as services/delivery claims
LEAST = 0.6
LEDGER = """
INSERT INTO contact_ledger
 (subject_key, claim_no, channel, at, state, kind, decision, tier, survey, step, instance)
VALUES (%s, 1, 'email', %s, 'reserved', 'first', %s, 2, 'check_in_csat', 'flight.check_in', %s)"""
SUBJECTS = """
INSERT INTO contact_subject (key, ver)
SELECT prefix || n, 0 FROM generate_series(0, %s) n, unnest(ARRAY['c:bare-', 'e:bare-']) prefix"""


def locked_path(bench: Bench) -> list[Result]:
    """Decisions a second: claims in batches of fifty, as sending makes them, and one bare transaction per decision."""
    rounds = bench.size(30, 6)
    url = bench.database()
    with bench.app(url):
        people.load()
        people.reach_check_in((rounds + 1) * BATCH, clock.now())
        bare = _bare_loop(url, (rounds + 1) * BATCH)
        ours, floor = in_turns([_claim_batch, lambda: [next(bare) for _ in range(BATCH)]], rounds)
    bench.drop(url)
    rate, floor_rate = (BATCH * len(times) / sum(times) for times in (ours, floor))
    detail = {"per_second": round(rate), "floor_per_second": round(floor_rate)}
    return [Result("claim_against_bare_lock_count_insert", rate / floor_rate, LEAST, "higher", detail)]


def _claim_batch() -> None:
    done = dispatch.claim(BATCH)
    assert len(done.messages) == BATCH, done
    db.session.remove()


def _bare_loop(url: str, people_known: int) -> Any:
    """Per decision: BEGIN; change the person's two key rows; count their asks; insert two ledger rows; COMMIT."""
    with connect(url) as connection:
        connection.execute(SUBJECTS, [people_known])
        for number in itertools.count():
            keys = [f"c:bare-{number}", f"e:bare-{number}"]
            now = datetime.now(UTC)
            with connection.transaction():
                connection.execute("UPDATE contact_subject SET ver = ver + 1 WHERE key = ANY(%s)", [keys])
                connection.execute("SELECT count(*) FROM contact_ledger WHERE subject_key = ANY(%s)", [keys])
                for key in keys:
                    connection.execute(LEDGER, [key, now, f"d-{number}", f"trip-{number}"])
            yield
