"""Limits shared through a real Redis: two processes' limiters are one; when Redis dies each goes on alone."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from surveyapp import clock
from surveyapp.web import limits, shared_limits
from surveyapp.web.buckets import Limiter
from surveyapp.web.shared_limits import PAUSE, SharedLimiter
from tests.conftest import MakeApp
from tests.people import bearer, make_key

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PEPPER = "p" * 43


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
            line.sendall(b"PING\r\n")
            return line.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


class Server:
    """A Redis of this test's own, in memory only."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 180
        while not answers(self.port):
            assert time.monotonic() < until, "Redis does not come up"
            time.sleep(0.02)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(shared_limits, "TIMEOUT", 60)  # a slow Redis is still a Redis
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on the PATH")
    monkeypatch.setattr(shared_limits, "TIMEOUT", 60)  # a machine that has much else to do is not one without Redis
    made = Server(program, tmp_path)
    yield made
    made.stop()


def take(limiter: Limiter, times: int, name: str = "a", **more: int) -> list[int]:
    return [limiter.wait(name, 60, **more) for _ in range(times)]


def test_two_processes_share_one_bucket_and_names_stay_out_of_redis(server: Server) -> None:
    one, other = (limits.shared(server.url, "widget", PEPPER) for _ in range(2))
    assert isinstance(one, SharedLimiter)
    with clock.at(START):
        assert take(one, 2, "203.0.113.9", burst=3) == [0, 0]
        assert take(other, 2, "203.0.113.9", burst=3) == [0, 1]
        assert take(limits.shared(server.url, "key", PEPPER), 1, "203.0.113.9", burst=3) == [0]
        assert take(one, 1, "b", burst=3, cost=3) == [0]
        assert other.wait("b", 60, 3, cost=3) == 3
        assert take(one, 3, "c") == [0, 0, 0]
        assert one.wait("c", 0) == 0
    with clock.at(START - timedelta(hours=1)):
        assert take(other, 1, "203.0.113.9", burst=3) == [1]  # a clock that steps back gives nothing away
    with clock.at(START + timedelta(seconds=1)):
        assert take(other, 1, "203.0.113.9", burst=3) == [0]
        assert take(one, 1, "203.0.113.9", burst=3) == [1]
    found = one._redis.keys("*")  # type: ignore[attr-defined]
    assert len(found) == 4
    assert not any(b"203.0.113.9" in key for key in found)
    assert all(0 < one._redis.pttl(key) <= 61_000 for key in found)  # type: ignore[attr-defined]


def test_looking_takes_nothing_from_what_is_shared(server: Server) -> None:
    one, other = (limits.shared(server.url, "widget", PEPPER) for _ in range(2))
    with clock.at(START):
        assert [one.wait("a", 60, 2, take=False) for _ in range(5)] == [0] * 5
        assert take(other, 3, burst=2) == [0, 0, 1]
        assert one.wait("a", 60, 2, take=False) == 1


def test_without_redis_each_process_counts_alone_and_finds_it_again(server: Server) -> None:
    one, other = (limits.shared(server.url, "widget", PEPPER) for _ in range(2))
    with clock.at(START):
        assert take(one, 4, burst=3) == [0, 0, 0, 1]
        server.stop()
        assert take(one, 4, burst=3) == [0, 0, 0, 1]  # nobody is turned away for it, and a flood still meets a limit
        assert take(other, 4, burst=3) == [0, 0, 0, 1]
        server.start()
        assert take(one, 1, "d", burst=3, cost=3) == [0]
        assert take(other, 1, "d", burst=3, cost=3) == [0]  # not asked again yet
    with clock.at(START + PAUSE):
        assert take(one, 1, "e", burst=3, cost=3) == [0]
        assert take(other, 1, "e", burst=3, cost=3) == [3]


@pytest.mark.database("sqlite")
def test_the_setting_makes_every_limit_shared(server: Server, make_app: MakeApp, database_url: str) -> None:
    settings = {"REDIS_URL": server.url, "KEY_CALLS_PER_MINUTE": 3}
    first, second = (make_app(database_url, **settings) for _ in range(2))
    with first.app_context():
        headers = bearer(make_key("read"))
    with clock.at(START):
        codes = [
            app.test_client().get("/api/v1/decisions", headers=headers).status_code
            for app in (first, second, first, second)
        ]
    assert codes == [200, 200, 200, 429]
    with clock.at(START):
        guesses = [app.test_client().get(f"/t/unknown{n}").status_code for n in range(30) for app in (first, second)]
        assert set(guesses) == {404}
        assert {app.test_client().get("/t/unknown").status_code for app in (first, second)} == {429}
