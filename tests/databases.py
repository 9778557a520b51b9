"""Migrated databases for tests: one template per run and kind, a copy or an emptied database per test."""

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
from psycopg import sql
from sqlalchemy import Engine, event, make_url

import config
from surveyapp import create_app
from surveyapp.extensions import db

# What an earlier test forgot in mid-transaction is ended, so that nobody waits for its locks; who is idle holds none.
_EMPTY = """
DO $$
DECLARE name text; sequence text; filled boolean;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle';
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM public.%I', name); END IF;
  END LOOP;
  FOR sequence IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE public.%I RESTART', sequence);
  END LOOP;
END $$
"""


_JOURNALS = tempfile.TemporaryDirectory(prefix="surveyapp-")


def testing_config(database_url: str, **overrides: object) -> config.Config:
    """The settings of a test: fixed secrets, local mailbox and phone, cheap password hashing."""
    values: dict[str, object] = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a-secret-for-tests-only",
        "CONTACT_PEPPER": "a-pepper-for-tests-only",
        "BASE_URL": "http://localhost",
        "LOG_LEVEL": "ERROR",
        "OUTCOME_JOURNAL": _JOURNALS.name,
        "PASSWORD_HASH_COST": "cheap",
        "TESTING": True,
    }
    return config.Config(**(values | overrides))  # type: ignore[arg-type]


def hurry(engine: Engine) -> None:
    """SQLite without waiting for the disk, as the test PostgreSQL does, and both with a minute's patience for a lock.

    A machine that has much else to do may well need more than production's five seconds. Nothing else differs.
    """
    if engine.dialect.name == "sqlite":
        wishes = ("PRAGMA synchronous=OFF", "PRAGMA busy_timeout=60000")
    else:
        wishes = ("SET lock_timeout = '60s'", "SET statement_timeout = '120s'")

    @event.listens_for(engine, "connect")
    def _wish(connection: Any, record: Any) -> None:
        for wish in wishes:
            connection.execute(wish)
        connection.commit()


def migrate(database_url: str, revision: str = "head") -> None:
    """Bring a database to `revision` and leave no connection behind."""
    app = create_app(testing_config(database_url))
    with app.app_context():
        hurry(db.engine)
        try:
            flask_migrate.upgrade(revision=revision)
        finally:
            db.session.remove()
            db.engine.dispose()


class SqliteFiles:
    """Copies of one migrated file, at one address: each is a new file, whoever still holds the last one open."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.sqlite3"
        self._target = folder / "surveyapp.sqlite3"
        migrate(f"sqlite:///{self._template}")

    def copy(self) -> str:
        for ending in ("", "-wal", "-shm", "-journal"):
            self._target.with_name(self._target.name + ending).unlink(missing_ok=True)
        shutil.copyfile(self._template, self._target)
        return f"sqlite:///{self._target}"


class PostgresDatabases:
    """Databases of one worker on a running server, all cloned from one migrated template."""

    def __init__(self, server_url: str, worker: str) -> None:
        self._server = make_url(server_url)
        self._worker = worker
        self._numbers = itertools.count(1)
        self._template = f"template_{worker}"
        self._cleaner: psycopg.Connection[tuple[object, ...]] | None = None
        self._create(self._template, "template1")
        migrate(self._url(self._template))

    def _url(self, database: str) -> str:
        return self._server.set(database=database).render_as_string(hide_password=False)

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        dsn = self._server.set(drivername="postgresql", database=database).render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)

    def _create(self, name: str, template: str) -> None:
        with self._connect("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )

    def shared(self) -> str:
        """The worker's own database, emptied: tests that use it one after another never see each other."""
        name = f"worker_{self._worker}"
        if self._cleaner is None:
            self._create(name, self._template)
            self._cleaner = self._connect(name)
        self._cleaner.execute(_EMPTY)
        return self._url(name)

    def close(self) -> None:
        if self._cleaner is not None:
            self._cleaner.close()

    def fresh(self, *, migrated: bool = True) -> str:
        """A database of its own, for threads, processes and migrations. `drop` it afterwards."""
        name = f"fresh_{self._worker}_{next(self._numbers)}"
        self._create(name, self._template if migrated else "template1")
        return self._url(name)

    def drop(self, url: str) -> None:
        name = make_url(url).database
        assert name is not None
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
