"""`flask demo run`: migrates, fills an empty database, then runs web and jobs side by side until one of them ends.

Not for production, where each process has a supervisor of its own.
"""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click
import flask_migrate
from flask import Flask, current_app
from flask.cli import AppGroup

from config import INSTANCE, ROOT
from surveyapp.cli.database import in_words
from surveyapp.extensions import db
from surveyapp.queries import installation
from surveyapp.services import accounts

HOST = "127.0.0.1"
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
WEB = ("--workers", "1", "--blocking-threads", "8", "--log-level", "error", "--workers-kill-timeout", "3")
"""Ctrl-C reaches the server's worker as well as us, and told twice to stop it may never end: it is left after 3 s."""
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 30  # what a provider has in hand is finished first
START_SECONDS = 300  # a slow machine is waited for; a process that ends is noticed at once

demo = AppGroup("demo", help="The demonstration: run it, load its data, replay a file.")


def register(app: Flask) -> None:
    app.cli.add_command(demo)


@demo.command("run")
@click.option("--port", envvar="PORT", default=5000, show_default=True, type=click.IntRange(1, 65535))
@in_words
def run(port: int) -> None:
    """Run the whole demonstration on this machine until Ctrl-C."""
    if not current_app.config["DEMO"]:
        raise click.ClickException("This is for the demonstration only: make demo (or set DEMO=1).")
    _refuse_taken_port(port)
    INSTANCE.mkdir(exist_ok=True)
    (INSTANCE / "demo").write_text(current_app.config["BASE_URL"] + "\n")
    flask_migrate.upgrade()
    empty = installation.is_empty(db.session)
    _let_go()
    if empty:
        _finish((*FLASK, "demo", "load"), "The demo data could not be loaded")
    email, password = accounts.ensure_demo_admin()
    _let_go()
    with _children(port) as children:
        _wait_until_open(port, children)
        _announce(email, password)
        name, code = _first_to_end(children)
    raise click.ClickException(f"The {name} process ended by itself (exit code {code}); the other was stopped.")


def _let_go() -> None:
    """Hold no connection while other processes write."""
    db.session.remove()
    db.engine.dispose()


def _refuse_taken_port(port: int) -> None:
    """A second server could share the port unnoticed, so look before starting ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            raise click.ClickException(
                f"Port {port} cannot be used ({problem.strerror}). "
                "Stop what uses it, or choose another: PORT=5001 make demo"
            ) from problem


def _finish(command: tuple[str, ...], failure: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise click.ClickException(f"{failure} (exit code {done.returncode}); what it said stands above.")


@contextmanager
def _children(port: int) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Web and jobs as child processes, stopped in order whatever happens here."""
    web = (sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port))
    commands = {
        "web": (*web, *WEB, "wsgi:app"),
        "jobs": (*FLASK, "jobs", "run"),
    }
    for stop in STOPS:
        signal.signal(stop, _interrupt)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            children[name] = subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - our own command
        yield children
    except KeyboardInterrupt:
        click.echo("\nStopping …")
        raise SystemExit(0) from None
    finally:
        for stop in STOPS:
            signal.signal(stop, signal.SIG_IGN)
        _stop(children)


def _interrupt(number: int, frame: FrameType | None) -> Any:
    raise KeyboardInterrupt


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_open(port: int, children: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and all(child.poll() is None for child in children.values()):
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)


def _announce(email: str, password: str) -> None:
    base = current_app.config["BASE_URL"]
    click.echo(
        f"\n  surveyapp is running. Ctrl-C stops it.\n"
        f"\n  Admin     {base}/admin"
        f"\n  E-mail    {email}"
        f"\n  Password  {password}"
        f"\n  Mailbox   {base}/dev/mailbox\n"
    )
    sys.stdout.flush()


def _first_to_end(children: dict[str, subprocess.Popen[bytes]]) -> tuple[str, int]:
    while True:
        for name, child in children.items():
            if (code := child.poll()) is not None:
                return name, code
        time.sleep(0.2)
