"""Short links of text messages: where they lead, that fetching them changes nothing, and what leads nowhere."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from surveyapp import clock
from surveyapp.domain.tokens import mint, short_slug
from surveyapp.models import Base
from surveyapp.web.respond import guesses
from tests.builders import make_brand, make_invitation, make_step, make_survey

KEYS = ["a-secret-for-tests-only"]
SLUG = "Ab3dEf6hI9"


@pytest.fixture
def invited(app, session):
    make_brand()
    version = make_survey("relational_nps", "nps")
    invitation = make_invitation(version, step=make_step(), open_until=clock.now() + timedelta(days=3))
    invitation.short_slug = SLUG
    session.commit()
    return invitation


def everything(session):
    session.commit()
    return {table.name: sorted(map(repr, session.execute(select(table)))) for table in Base.metadata.sorted_tables}


def test_a_short_link_leads_to_the_question_and_writes_nothing(client, session, invited):
    before = everything(session)
    for call in (client.get, client.head):
        answer = call(f"/t/{SLUG}")
        assert (answer.status_code, answer.location) == (303, f"/s/{mint('answer', invited.uid, KEYS)}")
    assert everything(session) == before
    assert client.get(answer.location).status_code == 200


def test_the_short_link_of_a_closed_question_leads_to_the_page_that_says_so(client, session, invited):
    invited.open_until = clock.now() - timedelta(seconds=1)
    session.commit()
    answer = client.get(f"/t/{SLUG}")
    assert answer.status_code == 303
    assert client.get(answer.location).status_code == 410


@pytest.mark.parametrize("slug", ["Ab3dEf6hI8", "ab3def6hi9", "x", "\u0661", "A" * 5000, "%ff"])
def test_an_unknown_slug_is_the_same_calm_404_as_any_other_link(client, invited, slug):
    answer, other = client.get(f"/t/{slug}"), client.get("/s/unknown")
    assert (answer.status_code, answer.text) == (404, other.text)


def test_a_slug_with_a_nul_is_not_found(client, invited):
    assert client.get(f"/t/{SLUG}%00").status_code == 404


def at(address):
    return {"REMOTE_ADDR": address}


def test_c37_who_tries_out_links_is_slowed_down_and_nobody_else(client, invited):
    here, elsewhere = at("2001:db8::7"), at("2001:db8:0:1::7")
    began = clock.now()

    def opened(slug, network, seconds=0):
        with clock.at(began + timedelta(seconds=seconds)):
            return client.get(f"/t/{slug}", environ_overrides=network)

    for _ in range(2 * guesses.AT_ONCE):
        assert opened(SLUG, here).status_code == 303  # real links count for nothing
    tried = range(guesses.AT_ONCE)  # each from another address of the one network
    assert {opened(f"Ab3dEf{number:04}", at(f"2001:db8::{number:x}")).status_code for number in tried} == {404}
    slow = opened(SLUG, here)
    assert (slow.status_code, slow.headers["Retry-After"]) == (429, "2")
    assert client.get(f"/s/{mint('answer', invited.uid, KEYS)}", environ_overrides=here).status_code == 200
    assert opened(SLUG, elsewhere).status_code == 303
    assert opened(SLUG, here, seconds=2).status_code == 303


def test_a_short_link_takes_no_answer(client, session, invited):
    before = everything(session)
    assert client.post(f"/t/{SLUG}", data={"score": "9"}).status_code == 405
    assert everything(session) == before


def test_two_invitations_never_share_a_slug(session, invited):
    make_invitation(invited.survey_version, step=None).short_slug = SLUG
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_a_slug_is_ten_random_letters_and_digits():
    slugs = {short_slug() for _ in range(1000)}
    assert len(slugs) == 1000
    assert all(re.fullmatch(r"[0-9A-Za-z]{10}", slug) for slug in slugs)
    assert len(set("".join(slugs))) == 62
