"""The pure decision: how many a second on one core, beside the aim of 15,000."""

import time
from datetime import UTC, datetime, timedelta

from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import Ask, Candidate, Facts, Person
from surveyapp.domain.policy_reading import parse_policy
from tests.bench.harness import Bench, Result

AIM = 15_000
NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
POLICY = {
    "gap": {1: "7d", 2: "30d", 3: "30d"},
    "caps": [{"max": 2, "per": "30d"}, {"max": 6, "per": "365d"}, {"max": 1, "per": "journey"}],
    "quiet_hours": {"from": "20:00", "to": "08:00"},
    "rules": [{"kind": "back_off", "base": "7d"}, {"kind": "budget", "points": 12, "per": "365d"}],
}


def decide_rate(bench: Bench) -> list[Result]:
    """Decisions of people with six earlier asks under a policy of eight rules; every second one is refused."""
    policy = parse_policy(POLICY)
    rested, tired = (facts(days) for days in (40, 3))
    number = bench.size(30_000, 6_000)
    rates = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(number // 2):
            decide(rested, policy, NOW, "pepper")
            decide(tired, policy, NOW, "pepper")
        rates.append(number / (time.process_time() - began))
    rate = sorted(rates)[2]
    return [Result("decide_per_second", rate / AIM, 1.0, "higher", {"per_second": round(rate), "aim": AIM})]


def facts(days_since_last: int) -> Facts:
    asks = tuple(
        Ask(
            f"m{n}",
            f"d{n}",
            NOW - timedelta(days=days_since_last + 45 * n),
            "email",
            "first",
            2,
            "boarding_csat",
            None,
            "flight.boarding",
            f"trip-{n}",
            answered=n == 2,
        )
        for n in range(6)
    )
    person = Person("c-1", NOW - timedelta(days=900), frozenset({"email", "sms"}), ("Europe/Paris",), "customer")
    candidate = Candidate(
        "d",
        "after_check_in",
        "check_in_csat",
        "csat5",
        "e-1",
        ("email", "sms"),
        2,
        NOW,
        NOW,
        step="flight.check_in",
        instance="trip",
        expires_at=NOW + timedelta(days=7),
        sample=0.99,
    )
    return Facts(person, candidate, asks)
