"""Why the database cannot be worked with, as a sentence instead of a traceback. Looks only; changes nothing."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from surveyapp.extensions import db
from surveyapp.queries import installation

P = ParamSpec("P")
R = TypeVar("R")


def complaint() -> str | None:
    """What keeps this release from working with the database, or None."""
    db.session.rollback()
    try:
        applied, newest = installation.applied_migration(db.session), installation.newest_migration()
    except SQLAlchemyError as problem:
        return f"DATABASE_URL: the database does not answer ({type(problem).__name__})."
    finally:
        db.session.rollback()
    if applied == newest:
        return None
    return (
        f"DATABASE_URL: the database is at migration {applied or 'none'}, "
        f"this release needs {newest}: flask db upgrade."
    )


def in_words(command: Callable[P, R]) -> Callable[P, R]:
    """`command`, saying so where it fails because the database is away or not brought to this release."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (OperationalError, ProgrammingError) as problem:
            if said := complaint():
                raise click.ClickException(said) from problem
            raise

    return run
