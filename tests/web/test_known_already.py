"""A further question whose answer is known from lately is not asked again, on the page and by text."""

from datetime import timedelta

import pytest

from surveyapp import clock
from surveyapp.domain.questions import DefinitionProblems, parse_definition
from surveyapp.domain.tokens import mint
from surveyapp.models import Invitation
from surveyapp.queries.respond import without_known
from tests.builders import make_brand, make_customer, make_invitation, make_response, make_survey
from tests.questions import ONE, TEXT, option

KEYS = ["a-secret-for-tests-only"]
OFTEN = {**ONE, "key": "often", "ask": {"en": "How often do you fly?"}, "options": [option("rarely"), option("weekly")]}
RESTING = {**OFTEN, "ask_again": "90d"}


@pytest.fixture
def seen(app, client, session):
    """The further questions that a person meets after a score, told from what they answered so many days ago."""
    make_brand()

    def meet(*follow_up, days, answers, customer=None, group=None, other="nps_b", **more):
        person = make_customer()
        version = make_survey("nps_a", "nps", follow_up=list(follow_up))
        earlier = version if other == "nps_a" else make_survey(other, "nps", follow_up=[OFTEN])
        for one in (version, earlier):
            one.survey.group = group
        at = clock.now() - timedelta(days=days)
        kept = make_invitation(earlier, customer=person)
        make_response(
            earlier,
            9,
            invitation_id=kept.id,
            customer_id=customer or person.id,
            answers=answers,
            answered_at=at,
            **more,
        )
        invitation = make_invitation(version, customer=person, open_until=clock.now() + timedelta(days=14))
        address = f"/s/{mint('answer', invitation.uid, KEYS)}"
        page = client.get(client.post(address, data={"score": "9"}).location, follow_redirects=True)
        assert page.status_code == 200
        return page.text, address, invitation

    return meet


def test_a_known_answer_is_not_asked_again_and_the_rest_is(seen, client):
    page, address, _ = seen(RESTING, TEXT, days=30, answers={"often": "weekly"}, other="nps_a")
    assert "How often do you fly?" not in page
    assert "Which seat?" in page
    assert client.post(address + "/2", data={"score": "9", "seat": "12A"}).location == address + "/done"


def test_a_survey_of_the_same_group_knows_it_too_and_a_page_of_nothing_is_no_page(seen):
    page, _, _ = seen(RESTING, days=30, answers={"often": "weekly"}, group="relationship")
    assert "How often do you fly?" not in page
    assert "Thank you" in page


@pytest.mark.parametrize(
    "case",
    [
        {"days": 91, "answers": {"often": "weekly"}, "other": "nps_a"},
        {"days": 30, "answers": {}, "other": "nps_a"},
        {"days": 30, "answers": {"often": "weekly"}},
        {"days": 30, "answers": {"often": "weekly"}, "other": "nps_a", "status": "suspected_bot"},
    ],
    ids=["too long ago", "never answered", "another survey", "a robot's"],
)
def test_it_is_asked_where_nothing_is_known(seen, case):
    assert "How often do you fly?" in seen(RESTING, **case)[0]


def test_without_the_field_it_is_asked_each_time(seen):
    assert "How often do you fly?" in seen(OFTEN, days=1, answers={"often": "weekly"}, other="nps_a")[0]


def test_what_somebody_else_said_is_not_known_of_this_person(seen):
    stranger = make_customer().id
    page, _, _ = seen(RESTING, days=1, answers={"often": "weekly"}, other="nps_a", customer=stranger)
    assert "How often do you fly?" in page


def test_the_own_answer_stays_open_to_change(seen, client):
    page, address, _ = seen(RESTING, days=91, answers={"often": "weekly"}, other="nps_a")
    client.post(address + "/2", data={"score": "9", "often": "rarely"})
    assert 'value="rarely" checked' in client.get(address + "/2").text


def test_a_text_message_leaves_it_out_as_well(seen, session):
    _, _, invitation = seen(RESTING, TEXT, days=30, answers={"often": "weekly"}, other="nps_a")
    invitation = session.get(Invitation, invitation.id)
    definition = parse_definition(invitation.survey_version.definition)
    kept = without_known(session, definition, invitation, clock.now())
    assert [question.key for question in kept.wanted] == ["seat"]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({**OFTEN, "ask_again": "ninety"}, "a duration is a whole number"),
        ({**OFTEN, "ask_again": 90}, "the bare number 90"),
        ({"key": "comment", "kind": "comment", "ask_again": "9d"}, "a comment is asked each time"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(question, sentence):
    with pytest.raises(DefinitionProblems) as refused:
        parse_definition({"metric": "nps", "follow_up": [question]})
    assert refused.value.problems[0][0] == ("follow_up", 0, "ask_again")
    assert sentence in refused.value.problems[0][1]
