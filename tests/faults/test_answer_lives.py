"""Whatever happens to answers, and in whatever order, the cells equal a recount.

20,000 happenings in the suite on SQLite and 2,000 on PostgreSQL, a million and 100,000 in the long run: imports, single
answers, changes, answers set aside as robots', erasures. On two busy cores the long runs took 6 minutes
(PostgreSQL) and 18 (SQLite).
"""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import MetricDay, Response, SurveyVersion
from surveyapp.models.metrics import of_scores
from surveyapp.services import privacy, rebuilding, rollups
from surveyapp.services.responses_import import import_responses
from surveyapp.services.transaction import transaction
from tests.builders import MOMENT, make_brand, make_reporting_attribute, make_survey
from tests.cells import ANSWERS

Database = scoped_session[Session]


class Lives:
    """Random happenings, the same for the same seed."""

    def __init__(self, session: Database, seed: int) -> None:
        self.session, self.chance = session, random.Random(seed)
        self.people = 0
        self.numbers = 0

    def imported(self, many: int) -> int:
        """Many answers at once, some of them of the people there are."""
        rows = [self._answer() for _ in range(many)]
        done = import_responses(rows)
        assert (done.imported, done.rejected) == (many, {})
        return many

    def _answer(self) -> dict[str, object]:
        self.numbers += 1
        self.people = max(self.people, self.numbers // 8)
        day = MOMENT - timedelta(days=self.chance.randrange(20))
        survey, top = self.chance.choice([("a", 5), ("b", 10)])
        return {
            "id": f"r-{self.numbers}",
            "survey": survey,
            "score": self.chance.choice([None, *range(1, top + 1)]),
            "comment": self.chance.choice([None, "words"]),
            "customer": f"c-{self.chance.randrange(self.people + 1)}",
            "channel": self.chance.choice(["email", "sms", "web"]),
            "language": self.chance.choice([None, "en", "fr"]),
            "status": self.chance.choice(["provisional", "confirmed", "confirmed"]),
            "answered_at": day.isoformat(),
            "event_at": day.isoformat(),
            "inclusion": self.chance.choice([None, 1.0, 0.3, 0.07, 0.0004]),
            "context": {"class": self.chance.choice(["Eco", "Business", None]), "seat": self.chance.randrange(60)},
        }

    def changed(self, many: int) -> int:
        """So many answers changed or set aside, one by one, each as the services do it."""
        newest = self.session.scalar(select(func.max(Response.id))) or 0
        with transaction() as session:
            for _ in range(many):
                response = session.get(Response, self.chance.randint(1, newest))
                if response is None:
                    continue
                with rollups.moving(session, response):
                    if self.chance.random() < 0.3:
                        response.status = "suspected_bot"
                    else:
                        response.score, response.status = self.chance.randint(1, 5), "confirmed"
                        response.channel = self.chance.choice(["email", "sms"])
        self.session.expunge_all()
        return many

    def removed(self, many: int) -> int:
        """So many answers taken out altogether."""
        with transaction() as session:
            for number in self.chance.sample(range(1, self.numbers), many):
                response = session.get(Response, number)
                if response is not None and response.comment is None:
                    rollups.count(session, response, -1)
                    session.delete(response)
        return many

    def erased(self) -> int:
        """A person erased; the counted answers stay."""
        try:
            return privacy.erase(f"c-{self.chance.randrange(self.people + 1)}").touched.get("responses", 0)
        except privacy.CustomerUnknown:
            return 0

    def happenings(self) -> Iterator[int]:
        yield self.imported(500)
        while True:
            kind = self.chance.random()
            if kind < 0.4:
                yield self.imported(self.chance.randint(200, 1200))
            elif kind < 0.75:
                yield self.changed(self.chance.randint(10, 60))
            elif kind < 0.9:
                yield self.removed(self.chance.randint(1, 15))
            else:
                yield self.erased()


@pytest.fixture
def surveys(session: Database) -> list[SurveyVersion]:
    make_brand()
    make_reporting_attribute("class", 1)
    make_reporting_attribute("seat", 4)
    return [make_survey("a", "csat5"), make_survey("b", "nps")]


@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["short", "million"])
def test_i73_after_any_lives_the_cells_equal_a_recount(
    session: Database, surveys: list[SurveyVersion], database_kind: str, long: bool
) -> None:
    short, whole = (20_000, 1_000_000) if database_kind == "sqlite" else (2_000, 100_000)
    many = whole if long else short
    happened = 0
    for number in Lives(session, seed=many).happenings():
        happened += number
        if happened >= many:
            break
    assert rebuilding.rebuild(check=True).differences == []
    scored = session.scalar(select(func.count()).select_from(Response).where(Response.score.is_not(None)))
    assert session.scalar(select(ANSWERS)) == scored
    by_day = sum(func.sum(MetricDay.__table__.c[name]) for name in of_scores("n"))
    assert session.scalar(select(by_day).where(MetricDay.slot == 0)) == scored
