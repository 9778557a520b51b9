"""A policy tried on recorded events, against a bare loop that reads them and decides twice; and its memory."""

import resource
import time
from datetime import timedelta
from typing import Any

import psycopg
import yaml

from surveyapp import clock
from surveyapp.domain.eligibility import decide
from surveyapp.domain.policy_reading import parse_policy
from surveyapp.extensions import db
from surveyapp.services import simulation
from tests.bench import people
from tests.bench.decisions import NOW, facts
from tests.bench.harness import Bench, Result, connect

AIM = 4_000  # a million events in a little over four minutes
LEAST = 0.3
TRIPS = 10
EVENTS = """
INSERT INTO event
 (event_id, customer_id, step_id, instance, occurred_at, received_at, properties, attributes, source)
SELECT 'r-' || c || '-' || n, c,
 (SELECT id FROM step WHERE key = (ARRAY['check_in', 'boarding', 'baggage'])[1 + n %% 3]),
 'trip-' || c || '-' || n / 3, t, t, '{"class": "Eco"}', '{}', 'api'
FROM generate_series(1, %s) c, generate_series(0, %s) n,
 LATERAL (SELECT timestamptz '2026-01-01Z' + make_interval(hours => (c * 31 + n * 211) %% 2000) AS t) moment"""
CUSTOMERS = """
INSERT INTO customer (external_id, email, consent, attributes, created_at)
SELECT 'c-' || n, 'c' || n || '@example.org', '{}', '{}', '2025-01-01Z' FROM generate_series(1, %s) n"""
KEYS = "INSERT INTO contact_key (customer_id, key) SELECT id, unnest(ARRAY['c:' || id, 'e:' || id]) FROM customer"
DRAFT = {"gap": {1: "3d", 2: "14d"}, "quiet_hours": {"from": "20:00", "to": "08:00"}}


def events_per_second(bench: Bench) -> list[Result]:
    """Recorded events decided again under two policies, and the growth of memory from a tenth of them to all."""
    customers = bench.size(10_000, 1_000)
    url = bench.database()
    with bench.app(url), connect(url) as connection:
        people.load()
        connection.execute(CUSTOMERS, [customers])
        connection.execute(KEYS)
        connection.execute(EVENTS, [customers, TRIPS - 1])
        connection.execute("ANALYZE")
        db.session.remove()
        peaks: list[int] = []

        def progress(done: int, total: int) -> None:
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

        began, end = time.perf_counter(), clock.now() + timedelta(days=365)
        result = simulation.simulate(DRAFT, end - timedelta(days=3650), end, progress=progress)
        rate = result["events"] / (time.perf_counter() - began)
        began = time.perf_counter()
        floor_rate = _read_and_decide(connection) / (time.perf_counter() - began)
    bench.drop(url)
    tenth = peaks[len(peaks) // 10]
    detail = {"events_per_second": round(rate), "floor_per_second": round(floor_rate), "aim_per_second": AIM}
    memory = {"events": result["events"], "mib_at_a_tenth": tenth // 1024, "mib_at_the_end": peaks[-1] // 1024}
    return [
        Result("simulated_events", rate / floor_rate, LEAST, "higher", detail),
        Result("simulation_memory_growth", peaks[-1] / tenth, 1.1, "lower", memory),
    ]


def _read_and_decide(connection: psycopg.Connection[Any]) -> int:
    """Every event read once and two ready-made decisions taken for it: no history, no queue, no counting."""
    policies = [parse_policy(yaml.safe_load(people.POLICY)["policy"]), parse_policy(DRAFT)]
    known, done = facts(40), 0
    with connection.transaction(), connection.cursor("events") as cursor:
        cursor.execute("SELECT * FROM event ORDER BY customer_id, occurred_at")
        for _ in cursor:
            for policy in policies:
                decide(known, policy, NOW, "pepper")
            done += 1
    return done
