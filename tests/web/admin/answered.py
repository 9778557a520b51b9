"""Answers in numbers for the metrics' pages: counted rows, some days back from a fixed now."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import SurveyVersion
from surveyapp.services import rollups
from tests.builders import make_responses
from tests.web.admin.living import NOW


def answer(version: SurveyVersion, histogram: dict[int, int], *, days_ago: int = 3, **overrides: Any) -> None:
    """So many answers of each score, all of one day, counted in their cells."""
    moment = NOW - timedelta(days=days_ago)
    when = {"event_at": moment, "answered_at": moment, "updated_at": moment, "reporting_day": moment.date()}
    rollups.count_many(db.session, make_responses(version, histogram, **(when | overrides)))
    db.session.commit()


def read(client: FlaskClient, address: str, status: int = 200) -> str:
    with clock.at(NOW):
        found = client.get(address)
    assert found.status_code == status, (address, found.status_code, found.text[-500:])
    return found.text


def words(html: str) -> str:
    """What a person reads: without tags, with single plain spaces."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    text = re.sub(r"<[^>]+>", " ", text).replace("&#8239;", " ").replace("&amp;", "&")
    return re.sub(r"\s+", " ", text)


def rows_of(client: FlaskClient, address: str) -> list[dict[str, str]]:
    """A page's table as its CSV says it."""
    with clock.at(NOW):
        found = client.get(address)
    assert (found.status_code, found.mimetype) == (200, "text/csv"), found.text[:300]
    return list(csv.DictReader(io.StringIO(found.data.decode("utf-8-sig"))))
