"""Unbound extension objects, the two SQLite connection hooks, how a PostgreSQL connection is tried. Nothing else."""

import select
import time
from typing import Any
from weakref import WeakKeyDictionary

from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models.base import Base


class Database(SQLAlchemy):
    """Flask-SQLAlchemy, whose session is typed as plain SQLAlchemy's, so that queries need not know of Flask."""

    session: scoped_session[Session]  # type: ignore[assignment]


db = Database(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(render_as_batch=True, compare_type=True)
csrf = CSRFProtect()
login = LoginManager()
babel = Babel()

TRUST_SECONDS = 5
PATIENCE_MS = 5_000
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={PATIENCE_MS}",
    "foreign_keys=ON",
    "temp_store=MEMORY",
)


def install_sqlite_hooks(engine: Engine) -> None:
    """Make SQLite transactions start with BEGIN IMMEDIATE, so that a read that turns into a write never fails.

    Pages that only read ask for a deferred start by the execution option `sqlite_begin="DEFERRED"`. What is not worth
    waiting for gives `sqlite_patience_ms`, the longest wait for another writer.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        patience = options.get("sqlite_patience_ms", PATIENCE_MS)
        if connection.info.get("sqlite_patience_ms", PATIENCE_MS) != patience:
            connection.connection.dbapi_connection.execute(f"PRAGMA busy_timeout={int(patience)}")
            connection.info["sqlite_patience_ms"] = patience
        connection.exec_driver_sql("BEGIN " + options.get("sqlite_begin", "IMMEDIATE"))


def spare_pings(engine: Engine) -> None:
    """Let the pool ask a PostgreSQL connection whether it lives only once in a while, not before every transaction.

    In between, one whose other end has hung up is known by what then waits to be read: a look that needs no answer. Who
    vanished without a word within these seconds is found by the first statement, as in the middle of a transaction.
    """
    if engine.dialect.name != "postgresql" or not hasattr(select, "poll"):
        return
    ping = engine.dialect.do_ping
    asked: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def lives(connection: Any) -> bool:
        now = time.monotonic()
        if now - asked.get(connection, -TRUST_SECONDS) < TRUST_SECONDS and _is_quiet(connection):
            return True
        alive = ping(connection)
        asked[connection] = now
        return alive

    engine.dialect.do_ping = lives  # type: ignore[method-assign, assignment]


def _is_quiet(connection: Any) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
