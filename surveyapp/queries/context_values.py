"""Which answers a context value means: the rows behind a figure's group, read as the figures read them. Read only.

`domain/reporting_values` says how a JSON value reads as text; here the database finds the values that read so.
"""

import json
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    String,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    not_,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.reporting_values import LONGEST, reporting_text
from surveyapp.models import ReportingValue, Response
from surveyapp.models.metrics import OTHER, VALUES

Database = Session | scoped_session[Session]
TEXT = ("string", "text")
NUMBER = ("number", "integer", "real")
BOOLEAN = ("boolean", "true", "false")
"""What PostgreSQL and SQLite call the kinds of JSON values that are one short text in a figure."""


def context_is(session: Database, name: str, value: str) -> ColumnElement[bool]:
    """Whether figures count the answer under `value` of the attribute: 'other' is also all that came after the 50."""
    if value != OTHER or '"' in name:
        return _reads(session, name, value)
    kept = set(session.scalars(select(ReportingValue.value).where(ReportingValue.name == name)))
    if len(kept) < VALUES:
        return _reads(session, name, OTHER)
    return and_(_said(session, name), not_(or_(*(_reads(session, name, text) for text in sorted(kept - {OTHER})))))


def context_unsaid(session: Database, name: str) -> ColumnElement[bool]:
    """Whether the answer has no value of the attribute that figures could count it under."""
    return not_(_said(session, name))


def _said(session: Database, name: str) -> ColumnElement[bool]:
    if '"' in name:
        return false()
    single = func.coalesce(_kind(session, name), "").in_([*TEXT, *NUMBER, *BOOLEAN])
    return and_(single, func.coalesce(_words(name), "") != "")


def _reads(session: Database, name: str, value: str) -> ColumnElement[bool]:
    """Whether the value reads as this text. Never null, so that it can be negated."""
    text = reporting_text(value)
    if '"' in name or not text:  # no JSON path names the first, no figure counts the second
        return false()
    kind, words = func.coalesce(_kind(session, name), ""), func.coalesce(_words(name), "")
    found = [and_(kind.in_(TEXT), func.substr(words, 1, LONGEST) == text)]
    if text in ("true", "false"):
        found += [kind == text, and_(kind == "boolean", words == text)]
    number = _number(text)
    if isinstance(number, int):
        found.append(and_(kind.in_(NUMBER), words.in_([text, f"{text}.0"])))
    elif number is not None:
        as_float = case((kind.in_(NUMBER), Response.context[name].as_float()), else_=None)
        found.append(func.coalesce(as_float == number, false()))
    return or_(*found)


def _number(text: str) -> int | float | None:
    """The number that reads as this text, or None."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if type(value) in (int, float) and reporting_text(value) == text else None


def _kind(session: Database, name: str) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return func.jsonb_typeof(Response.context[name])
    return func.json_type(Response.context, f'$."{name}"')


def _words(name: str) -> ColumnElement[str]:
    return cast(Response.context[name].as_string(), String)


def json_at(session: Database, document: Any, key: str) -> ColumnElement[Any]:
    """The value under that key of a JSON column, to group by; null for a name that no JSON path can hold."""
    if '"' in key:
        return null()
    value: ColumnElement[Any] = document[key]
    if session.get_bind().dialect.name == "postgresql":
        return value
    kind = func.json_type(document, f'$."{key}"')  # SQLite takes true for 1
    return type_coerce(case((kind.in_(("true", "false")), kind), else_=type_coerce(value, Text)), JSON)
