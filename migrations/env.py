"""Runs the numbered migrations on the database of the current Flask app, one transaction for all of them."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Engine, MetaData

MIGRATE = current_app.extensions["migrate"]


def engine() -> Engine:
    found: Engine = MIGRATE.db.engine
    return found


def metadata() -> MetaData:
    found: MetaData = MIGRATE.db.Model.metadata
    return found


def configure(**options: Any) -> None:
    context.configure(target_metadata=metadata(), transactional_ddl=True, **{**MIGRATE.configure_args, **options})


def run_offline() -> None:
    """Write the SQL instead of running it (`flask db upgrade --sql`)."""
    configure(url=engine().url.render_as_string(hide_password=False), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def foreign_keys(connection: Connection, state: str) -> None:
    """On SQLite a table is changed by rebuilding it, which must not touch the rows that point to it."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.dbapi_connection
        raw.execute(f"PRAGMA foreign_keys={state}")


def run_online() -> None:
    with engine().connect() as connection:
        foreign_keys(connection, "OFF")
        try:
            configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        finally:
            foreign_keys(connection, "ON")


if context.is_offline_mode():
    run_offline()
else:
    run_online()
