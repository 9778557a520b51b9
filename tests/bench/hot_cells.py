"""What the roll-up adds to an answer, with eight writers of one and the same cell; and answers out as CSV."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, select, text

from config import ROOT
from surveyapp.extensions import db
from surveyapp.models import Invitation, MetricCell
from surveyapp.services import keys
from tests.bench.harness import Bench, Result, middle
from tests.builders import MOMENT, make_brand, make_customer, make_invitation, make_step, make_survey
from tests.cells import ANSWERS

Writer = subprocess.Popen[str]
WRITERS = 8
ADDED = 1.2
CSV_AIM = 3.0
MEMORY_MIB = 40.0
COPY = """
INSERT INTO response (uid, survey_id, survey_version_id, metric, score, comment, answers, status, channel, language,
 customer_id, journey, step, phase, event_at, reporting_day, answered_at, updated_at, context, source)
SELECT 'r-' || n, :survey, :version, 'csat5', 1 + n % 5, 'A comment of the usual length, number ' || n, '{}',
 'confirmed', 'email', 'en', :customer, 'flight', 'flight.check_in', 'before', :at, :day, :at, :at,
 '{"class":"Eco"}', 'import'
FROM generate_series(1, :many) n
"""


def hot_cell(bench: Bench) -> list[Result]:
    """Eight processes answer invitations of one step at once, in short turns with eight that do without the roll-up."""
    each, rounds = bench.size(20, 10), bench.size(15, 5)
    url, warm = bench.database(), 2
    with bench.app(url):
        _people(2 * (rounds + warm) * WRITERS * each)
        first = db.session.scalar(select(func.min(Invitation.id))) or 1
    times: dict[str, list[float]] = {"rolled": [], "bare": []}
    with _writers(url, "rolled") as rolling, _writers(url, "bare") as plain:
        workers = {"rolled": rolling, "bare": plain}
        for number in range(2 * (rounds + warm)):
            mode = ("rolled", "bare")[(number + number // 2) % 2]
            times[mode].append(_together(workers[mode], first + number * WRITERS * each, each))
    with bench.app(url):
        counted = db.session.scalar(select(ANSWERS))
        rows = db.session.scalar(select(func.count()).select_from(MetricCell))
    bench.drop(url)
    assert counted == (rounds + warm) * WRITERS * each, counted
    rolled, bare = (middle(times[mode][warm:]) for mode in ("rolled", "bare"))
    detail = {"writers": WRITERS, "rows_of_the_cell": rows}
    detail |= {
        f"{mode}_per_second": round(WRITERS * each / taken) for mode, taken in (("rolled", rolled), ("bare", bare))
    }
    return [Result("answer_with_cells_against_without", rolled / bare, ADDED, "lower", detail)]


def _people(many: int) -> None:
    make_brand()
    step, version, customer = make_step(), make_survey(), make_customer()
    one = make_invitation(version, customer, step)
    columns = "customer_id, survey_version_id, trigger_id, event_id, channel, language, created_at"
    query = f"""
    INSERT INTO invitation (uid, {columns})
    SELECT 'many-' || n, {columns} FROM invitation, generate_series(1, :last) n WHERE invitation.id = :number
    """
    db.session.execute(text(query), {"last": many - 1, "number": one.id})
    db.session.commit()


@contextmanager
def _writers(url: str, mode: str) -> Iterator[list[Writer]]:
    """Processes that wait for invitations to answer."""
    command = [sys.executable, "-m", "tests.bench.answer_worker", url, mode]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(WRITERS)
    ]
    try:
        assert [_said(worker) for worker in workers] == ["ready"] * WRITERS
        yield workers
    finally:
        for worker in workers:
            worker.communicate()


def _together(workers: list[Writer], first: int, each: int) -> float:
    """The seconds that the slowest of the writers took, each answering its own invitations."""
    for number, worker in enumerate(workers):
        start = first + number * each
        assert worker.stdin is not None
        worker.stdin.write(f"{start} {start + each - 1}\n")
        worker.stdin.flush()
    return max(float(_said(worker)) for worker in workers)


def _said(worker: Writer) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def csv_out(bench: Bench) -> list[Result]:
    """100,000 answers as CSV over HTTP, and the memory it takes beyond what was held before."""
    many = bench.size(100_000, 20_000)
    url = bench.database()
    with bench.app(url) as app:
        make_brand()
        version, customer = make_survey(), make_customer()
        told = {"survey": version.survey_id, "version": version.id, "customer": customer.id, "many": many}
        db.session.execute(text(COPY), told | {"at": MOMENT, "day": (MOMENT - timedelta(days=1)).date()})
        db.session.execute(text("ANALYZE"))  # as the database does by itself within a minute
        db.session.commit()
        headers = {"Authorization": f"Bearer {keys.create_key('bench', 'read', None)}"}
        db.session.remove()
        app_client = app.test_client()
        seconds = []
        for _ in range(3):
            began, size = time.perf_counter(), 0
            for piece in app_client.get("/api/v1/responses.csv", headers=headers).response:
                size += len(piece)
            seconds.append(time.perf_counter() - began)
        tracemalloc.start()
        lines = sum(piece.count(b"\n") for piece in app_client.get("/api/v1/responses.csv", headers=headers).response)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    bench.drop(url)
    assert lines == many + 1, lines
    taken = middle(seconds) * 100_000 / many
    detail = {"answers": many, "seconds": round(middle(seconds), 2), "mib_written": round(size / 2**20, 1)}
    return [
        Result("csv_of_100000_against_3s", taken / CSV_AIM, 1.0, "lower", detail),
        Result("csv_peak_memory_against_40mib", peak / MEMORY_MIB, 1.0, "lower", {"peak_mib": round(peak, 1)}),
    ]
