"""How long answering took, measured from the opened page to the last word, as the survey's page says it."""

from datetime import timedelta

import pytest

from surveyapp import clock
from surveyapp.domain.tokens import mint
from surveyapp.queries.answering_time import answering_effort, answering_time
from tests.builders import make_brand, make_invitation, make_survey
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import NOW, Console
from tests.web.test_respond import visit_of

KEYS = ["a-secret-for-tests-only"]


@pytest.fixture
def sitting(app, client):
    """One person answers: the score and the comment so many seconds after the page opened."""
    make_brand()
    version = make_survey("nps_a", "nps", follow_up=["comment"])

    def sit(scored, commented=None):
        invitation = make_invitation(version, open_until=NOW + timedelta(days=14))
        address = f"/s/{mint('answer', invitation.uid, KEYS)}"
        with clock.at(NOW):
            visit = visit_of(client.get(address))
        with clock.at(NOW + timedelta(seconds=scored)):
            client.post(address, data={"score": "9", "visit": visit})
        if commented is not None:
            with clock.at(NOW + timedelta(seconds=commented)):
                client.post(address + "/2", data={"score": "9", "comment": "Crew", "visit": visit})

    return sit


def test_the_median_runs_from_the_opened_page_to_the_last_word(sitting, session):
    assert answering_time(session, "nps_a") is None
    sitting(3)
    sitting(5, 20)
    sitting(4, 3 * 3600)
    found = answering_time(session, "nps_a")
    assert (found.seconds, found.n, found.long) == (4.0, 3, False), "who comes back hours later took four seconds"


def test_a_survey_that_takes_too_long_is_flagged_on_its_page(sitting, client):
    sitting(6, 95)
    text = words(Console(client, "analyst").read("/admin/surveys/nps_a"))
    assert "Half of 1 answer took at most 95 s, from the opened page to the last word: above 90 s" in text


def test_one_click_is_one_tap_and_words_take_two_more(sitting, client, session):
    assert answering_effort(session, "nps_a") is None
    sitting(3)
    sitting(4)
    sitting(6, 9)
    found = answering_effort(session, "nps_a")
    assert (found.taps, found.screens, found.n) == (1, 1, 3)
    sitting(6, 9)
    sitting(6, 9)
    text = words(Console(client, "analyst").read("/admin/surveys/nps_a"))
    assert "Half of 5 answers took at most 3 taps on 2 screens" in text
