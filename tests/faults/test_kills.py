"""F59: dispatchers killed at every point and at random under load. Nobody is asked twice, nothing is lost unseen."""

import random
import time
from itertools import cycle
from pathlib import Path

import pytest

from tests.conftest import MakeApp
from tests.faults.fleet import BATCH, SHORT_LEASE, Crowd, Fleet, fleet, judge
from tests.providers import StandIn

POINTS = (
    "claim_committed",
    "rendered",
    "call_started",
    "before_send",
    "after_send",
    "before_outcome_commit",
    "after_commit",
)
WORKERS = 3
UNSURE = "state LIKE 'unknown%'"
FEW = 50  # planned at any time in the short forms


def keep_busy(staff: Fleet, crowd: Crowd) -> None:
    """Kills are to meet workers that have work."""
    if staff.count("state = 'planned'") < crowd.busy:
        crowd.grow(crowd.busy)


def kill_at_points(staff: Fleet, crowd: Crowd, kills: int) -> None:
    """Workers that each kill themselves at the next point of the list, one replaced by the next."""
    wanted = staff.kills + kills
    points = cycle(enumerate(POINTS, 1))
    while staff.kills < wanted:
        staff.look()
        while len(staff.alive) < WORKERS and staff.kills + len(staff.alive) < wanted:
            number, point = next(points)
            staff.hire(at=point, nth=1 + number % 2)
        keep_busy(staff, crowd)
        time.sleep(0.02)


def kill_at_random(staff: Fleet, crowd: Crowd, kills: int, seed: int) -> None:
    """Healthy workers, one of which is killed every now and then."""
    chance = random.Random(seed)
    wanted = staff.kills + kills
    while staff.kills < wanted:
        staff.look()
        while len(staff.alive) < WORKERS:
            staff.hire()
        keep_busy(staff, crowd)
        time.sleep(chance.uniform(0.05, 0.3))
        victim = chance.choice(sorted(staff.alive))
        staff.kill(victim)
        staff.wait_until_ended(victim)


def run(url: str, crowd: Crowd, provider: StandIn, at_points: int, at_random: int) -> list[str]:
    crowd.grow(2 * crowd.busy)
    with fleet(url, provider, LEASE_SECONDS=SHORT_LEASE) as staff:
        kill_at_points(staff, crowd, at_points)
        kill_at_random(staff, crowd, at_random, seed=at_random)
        for _ in range(WORKERS):
            staff.hire()
        staff.wait_until_settled()
        print(f"{staff.kills} kills, {staff.count('true')} messages, {staff.count(UNSURE)} unknown")
        assert staff.kills >= at_points + at_random
        return judge(provider.path, url, lost=staff.kills * BATCH)


@pytest.mark.database("postgresql")
def test_f59_thirty_five_kills_and_nobody_is_asked_twice(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    crowd = Crowd(make_app(postgres_url), busy=FEW)
    assert run(postgres_url, crowd, provider, at_points=21, at_random=14) == []


def by_mail_server_and_text(url: str, make_app: MakeApp, folder: Path, kills: int) -> list[str]:
    """The same with a mail server and texts: half of the people have a phone only."""
    mail, texts = StandIn("smtp", folder), StandIn("http", folder)
    try:
        crowd = Crowd(make_app(url), shared=0, texted=2, busy=FEW)
        crowd.grow(FEW)
        ways = {"EMAIL_BACKEND": "smtp", "SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "SMS_BACKEND": "twilio"}
        account = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "a-token", "TWILIO_FROM": "+33756000000"}
        lease = {"LEASE_SECONDS": SHORT_LEASE}
        with fleet(url, texts, **lease, TWILIO_API_URL=f"http://127.0.0.1:{texts.port}", **ways, **account) as staff:
            kill_at_points(staff, crowd, kills)
            for _ in range(WORKERS):
                staff.hire()
            staff.wait_until_settled()
            assert staff.kills == kills
            assert len(mail.log()) >= BATCH
            assert len(texts.log()) >= BATCH
            both = folder / "both.log"
            both.write_text(mail.path.read_text() + texts.path.read_text())
            return judge(both, url, lost=kills * BATCH)
    finally:
        mail.stop()
        texts.stop()


@pytest.mark.database("postgresql")
def test_f59_kills_while_a_mail_server_and_texts_are_in_use(
    postgres_url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    assert by_mail_server_and_text(postgres_url, make_app, tmp_path, kills=len(POINTS)) == []


@pytest.mark.slow
@pytest.mark.database("postgresql")
def test_f59_seventy_kills_while_a_mail_server_and_texts_are_in_use(
    postgres_url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    assert by_mail_server_and_text(postgres_url, make_app, tmp_path, kills=10 * len(POINTS)) == []


@pytest.mark.slow
@pytest.mark.database("postgresql")
def test_f59_three_hundred_and_fifty_kills(postgres_url: str, make_app: MakeApp, provider: StandIn) -> None:
    assert run(postgres_url, Crowd(make_app(postgres_url)), provider, at_points=140, at_random=210) == []
