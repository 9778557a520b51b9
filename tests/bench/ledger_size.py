"""The decision of a customer, lock to commit, with ten thousand ledger rows and with ten million."""

from contextlib import ExitStack
from functools import partial

from flask import Flask

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.services import dispatch
from tests.bench import people
from tests.bench.harness import Bench, Result, connect, in_turns, middle

PER_PERSON = 5
MOST = 1.3
INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = 'contact_ledger' AND indexname LIKE 'ix_%'"
COLUMNS = "import_id, subject_key, claim_no, channel, at, state, kind, tier, survey, step, instance"


def decision_by_ledger_size(bench: Bench) -> list[Result]:
    """One claim is: take a due message, lock its person, read the history, decide, book, commit."""
    small, large = bench.size(10_000, 10_000), bench.size(10_000_000, 500_000)
    rounds = bench.size(300, 60)
    claims = []
    with ExitStack() as stack:
        for rows in (small, large):
            url = bench.database()
            stack.callback(bench.drop, url)
            app = stack.enter_context(bench.app(url))
            people.load()
            people.reach_check_in(rounds + 20, clock.now())
            db.session.remove()
            _fill(url, rows)
            claims.append(partial(_claim_one, app))
        times = in_turns(claims, rounds, warm_up=10)
    few, many = (middle(one) * 1000 for one in times)
    detail = {"rows": large, "ms": round(many, 2), "ms_with_few": round(few, 2)}
    return [Result("decision_10m_ledger_rows", many / few, MOST, "lower", detail)]


def _claim_one(app: Flask) -> None:
    with app.app_context():
        done = dispatch.claim(1)
        assert len(done.messages) == 1, done
        db.session.remove()


def _fill(url: str, rows: int) -> None:
    """Load the ledger by COPY: five old asks of each person, the people of the run among them."""
    with connect(url) as connection:
        indexes = [row[0] for row in connection.execute(INDEXES).fetchall()]
        for name in connection.execute(INDEXES.replace("indexdef", "indexname", 1)).fetchall():
            connection.execute(f'DROP INDEX "{name[0]}"')
        with connection.cursor().copy(f"COPY contact_ledger ({COLUMNS}) FROM STDIN") as copy:
            for first in range(1, rows // PER_PERSON + 1, 2000):
                last = min(first + 2000, rows // PER_PERSON + 1)
                copy.write("".join(_lines(person) for person in range(first, last)))
        for definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE contact_ledger")


def _lines(person: int) -> str:
    return "".join(
        f"\\N\tc:{person}\t1\temail\t2026-0{1 + (person + ask) % 9}-{10 + ask}T10:00:00Z\tsent\tfirst\t2"
        f"\tboarding_csat\tflight.boarding\told-{person}-{ask}\n"
        for ask in range(PER_PERSON)
    )
