"""Writes that are sent together: all of them, once, in one statement where the database can."""

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import ReportingValue
from surveyapp.services.together import Together
from surveyapp.services.transaction import transaction
from tests.web.admin.living import counted_statements

ONE, OTHER = (
    insert(ReportingValue).values(name=bindparam(f"{n}_name"), value=bindparam(f"{n}_value")).inline()
    for n in ("one", "other")
)
RENAMED = update(ReportingValue).where(ReportingValue.value == bindparam("old")).values(value=bindparam("new"))


def stored(session: scoped_session[Session]) -> list[tuple[str, str]]:
    return [tuple(row) for row in session.execute(select(ReportingValue.name, ReportingValue.value).order_by("value"))]


def test_writes_are_sent_together_and_once(app: Flask, session: scoped_session[Session]) -> None:
    session.add(ReportingValue(name="class", value="Eco"))
    session.commit()
    with transaction() as own, counted_statements() as seen:
        together = Together(own)
        together.add(ONE, {"one_name": "class", "one_value": "Business"})
        together.add(RENAMED, {"old": "Eco", "new": "Economy"})
        together.add(OTHER, {"other_name": "class", "other_value": "First"})
        assert [one for one in seen if not one.startswith("BEGIN")] == []
        together.send()
        together.send()
    sent = [one for one in seen if not one.startswith("BEGIN")]
    assert len(sent) == (1 if together.dialect == "postgresql" else 3), "\n".join(sent)
    assert stored(session) == [("class", "Business"), ("class", "Economy"), ("class", "First")]


def test_one_that_fails_takes_all_with_it(app: Flask, session: scoped_session[Session]) -> None:
    with pytest.raises(IntegrityError):
        _send_one_twice()
    assert stored(session) == []


def _send_one_twice() -> None:
    with transaction() as session:
        together = Together(session)
        together.add(ONE, {"one_name": "class", "one_value": "Business"})
        together.add(OTHER, {"other_name": "class", "other_value": "Business"})
        together.send()
