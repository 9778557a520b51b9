"""`flask demo run` starts both processes, says where to go, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_openapi3 import OpenAPI

from config import ROOT
from surveyapp.extensions import db
from surveyapp.models import Brand

pytestmark = pytest.mark.database("sqlite")
CHECKOUT = ("surveyapp", "migrations", "templates", "wsgi.py", "config.py")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the product, so that the secrets of the demonstration are not made in this one."""
    target = tmp_path / "checkout"
    target.mkdir()
    for name in CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


@pytest.fixture
def with_brand(app: OpenAPI, database_url: str) -> str:
    """A database that is not empty, so that the demo data is not loaded into it."""
    db.session.add(Brand(name="Oddjob", language="en", languages=["en"], timezone="Europe/Paris"))
    db.session.commit()
    db.session.remove()
    return database_url


@pytest.fixture
def secrets() -> dict[str, str]:
    """Secrets that the environment gives; the demonstration makes its own where there are none."""
    return {}


@pytest.fixture
def running(checkout: Path, with_brand: str, port: int, secrets: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    environment = {
        "PATH": os.environ["PATH"],
        "DEMO": "1",
        "PORT": str(port),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": with_brand,
        "PYTHONUNBUFFERED": "1",
        **secrets,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "run"],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def announcement(process: subprocess.Popen[str]) -> dict[str, str]:
    """What the command prints once the server answers, as label → value."""
    told: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        words = line.split()
        if len(words) == 2:
            told[words[0]] = words[1]
        if "Mailbox" in told:
            break
    return told


def children_of(group: int) -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and entry.name != str(group) and _group(entry) == group
    ]


def _group(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:
        return None


def test_it_says_where_to_go_serves_and_stops_all_of_it(running: subprocess.Popen[str], port: int) -> None:
    told = announcement(running)
    assert told["Admin"] == f"http://127.0.0.1:{port}/admin"
    assert told["Mailbox"] == f"http://127.0.0.1:{port}/dev/mailbox"
    assert told["E-mail"] == "admin@demo.example"
    assert len(told["Password"]) >= 16
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
        assert response.status == 200
    assert len(children_of(running.pid)) >= 2
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to every process of ours
    assert running.wait(180) == 0
    assert children_of(running.pid) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("secrets", [{"SECRET_KEY": "s" * 32, "CONTACT_PEPPER": "p" * 32}], ids=["given"])
def test_when_one_process_ends_the_other_is_stopped_and_the_command_fails(running: subprocess.Popen[str]) -> None:
    announcement(running)
    jobs = next(pid for pid in children_of(running.pid) if b"jobs" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(jobs, signal.SIGKILL)
    assert running.wait(180) == 1
    deadline = time.monotonic() + 180
    while children_of(running.pid) and time.monotonic() < deadline:
        pass
    assert children_of(running.pid) == []


def test_a_taken_port_is_said_in_a_sentence(app: OpenAPI, checkout: Path, with_brand: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "run", "--port", str(number)],
            cwd=checkout,
            env={"PATH": os.environ["PATH"], "DEMO": "1", "DATABASE_URL": with_brand},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Port {number} cannot be used")


def test_production_is_not_started_this_way(app: OpenAPI) -> None:
    result = app.test_cli_runner().invoke(args=["demo", "run"])
    assert result.exit_code == 1
    assert "for the demonstration only" in result.output


def test_a_start_without_secrets_lists_everything_that_is_missing(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "EMAIL_BACKEND": "sendgrid", "PROXY_HOPS": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    named = [line.split(":")[0] for line in done.stderr.splitlines() if line.startswith("- ")]
    assert named == ["- PROXY_HOPS", "- SECRET_KEY", "- CONTACT_PEPPER", "- SENDGRID_API_KEY"]
