"""Out of it in one action, or less of it; and what we asked, never what was answered."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.events import CustomerIn
from surveyapp.domain.tokens import mint
from surveyapp.models import AuditEntry, Suppression
from surveyapp.services.customers import keep_customer
from surveyapp.services.responses import record
from tests.builders import MOMENT, make_brand, make_invitation, make_survey

KEYS = ["a-secret-for-tests-only"]


@pytest.fixture
def invitation(app, session):
    make_brand(contact="https://oddjob.example/contact")
    customer = keep_customer(CustomerIn("c-1", email="ada@example.org", phone="+33612345678", language="en"))
    return make_invitation(make_survey(about={"en": "check-in"}), customer, open_until=MOMENT)


def out(invitation):
    return f"/u/{mint('opt_out', invitation.uid, KEYS)}"


def preferences(invitation):
    return f"/p/{mint('preferences', invitation.uid, KEYS)}"


def suppressed(session):
    rows = session.execute(select(Suppression.key, Suppression.channel, Suppression.reason, Suppression.until))
    return sorted((row.key[:2], row.channel, row.reason, row.until) for row in rows)


def of_channels(session):
    return sorted({(channel, reason) for _, channel, reason, _ in suppressed(session)})


def test_looking_at_the_way_out_changes_nothing(client, invitation, session):
    page = client.get(out(invitation))
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert "Don’t ask me again" in page.text
    assert "by e-mail, text message and on its website" in page.text
    client.head(out(invitation))
    assert suppressed(session) == []


def test_what_a_language_lacks_is_listed_in_the_brands_own_and_marked(client, app):
    make_brand(languages=["en", "fr"])
    page = client.get(preferences(make_invitation(make_survey(about={"en": "check-in"}), language="fr"))).text
    assert page.count('<bdi lang="en">Check-in</bdi>') == 2
    assert 'aria-label="Arrêter – Check-in"' in page


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
        {"data": b"", "content_type": "application/octet-stream"},
        {},
    ],
    ids=["urlencoded", "multipart", "other", "empty"],
)
def test_one_post_opts_out_of_everything_at_once_whatever_its_body(client, invitation, session, body):
    for _ in range(2):
        page = client.post(out(invitation), headers={"Origin": "https://mail.example"}, **body)
        assert page.status_code == 200
        assert "Done. We won’t ask you again." in page.text
        assert "Set-Cookie" not in page.headers
    assert suppressed(session) == [
        ("c:", "all", "opted_out", None),
        ("e:", "all", "opted_out", None),
        ("p:", "all", "opted_out", None),
    ]
    assert session.scalars(select(AuditEntry.action)).all().count("customer.opted_out") >= 1


@pytest.mark.parametrize("path", ["/u/", "/p/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_of_another_purpose_opens_nothing(client, invitation, session, path, method):
    for token in (mint("answer", invitation.uid, KEYS), "nonsense", mint("opt_out", "nobody", KEYS)):
        page = client.open(path + token, method=method)
        assert page.status_code == 404
        assert "This link isn’t complete." in page.text
    assert suppressed(session) == []


def test_an_erased_person_is_told_the_same(client, invitation, session):
    invitation.customer.erased_at = MOMENT
    session.commit()
    assert client.post(out(invitation)).status_code == 200
    assert suppressed(session) == []


def test_preferences_show_masked_addresses_and_what_we_asked_but_no_answer(client, invitation, session):
    with clock.at(MOMENT - timedelta(hours=1)):
        record(invitation, score=2, comment="Rude", status="confirmed", channel="email")
    second = make_invitation(make_survey("nps", "nps"), invitation.customer, channel="sms")
    page = client.get(preferences(second)).text
    assert "a•••@example.org" in page
    assert "+33 ••• 78" in page
    assert "ada@example.org" not in page
    assert "612345678" not in page
    assert "<b>Check-in</b><span>2 November 2026, e-mail</span><em>Answered</em>" in page
    assert "<b>Would you recommend us?</b><span>2 November 2026, text message</span><em>No answer</em>" in page
    assert "Rude" not in page
    assert "issatisfied" not in page
    assert page.index("<b>Would you recommend us?") < page.index("<b>Check-in")


def test_a_question_without_a_subject_is_called_by_what_it_asks(client, invitation):
    for metric in ("ces2", "intention"):
        last = make_invitation(make_survey(metric, metric), invitation.customer)
    page = client.get(preferences(last)).text
    assert "<b>How easy it was to deal with us</b>" in page
    assert "<b>What you think of us</b>" in page
    assert "Would you recommend us?" not in page


def test_channels_are_closed_and_opened_again(client, invitation, session):
    saved = client.post(preferences(invitation), data={"channel": ["email", "web"], "pause": "0"})
    assert (saved.status_code, saved.location) == (303, preferences(invitation) + "?saved=1")
    assert of_channels(session) == [("sms", "opted_out")]
    page = client.get(saved.location).text
    assert '<p class="done" role="status">Saved.</p>' in page
    assert 'value="email:off"' in page
    assert 'value="sms:on"' in page
    client.post(preferences(invitation), data={"channel": ["email", "sms", "web"], "pause": "0"})
    assert of_channels(session) == []


def test_who_had_left_altogether_may_come_back_on_one_channel(client, invitation, session):
    client.post(out(invitation))
    assert 'value="email:on"' in client.get(preferences(invitation)).text
    client.post(preferences(invitation), data={"channel": "email", "pause": "0"})
    assert of_channels(session) == [("sms", "opted_out"), ("web", "opted_out")]


def test_a_break_is_kept_until_its_day_and_can_be_ended(client, invitation, session):
    everywhere = {"channel": ["email", "sms", "web"]}
    with clock.at(MOMENT):
        client.post(preferences(invitation), data=everywhere | {"pause": "90"})
    until = MOMENT + timedelta(days=90)
    with clock.at(MOMENT + timedelta(days=1)):
        assert suppressed(session) == [(key, "all", "paused", until) for key in ("c:", "e:", "p:")]
        page = client.get(preferences(invitation)).text
        assert 'name="set" value="pause:0">End the break' in page
        assert "Until 31 January 2027" in page
        client.post(preferences(invitation), data=everywhere | {"pause": "keep"})
        assert len(suppressed(session)) == 3
        client.post(preferences(invitation), data=everywhere | {"pause": "0"})
        assert suppressed(session) == []


def test_what_was_never_offered_is_not_taken(client, invitation, session):
    client.post(preferences(invitation), data={"channel": ["email", "sms", "web", "pigeon"], "pause": "99999"})
    assert suppressed(session) == []


def test_a_channel_without_an_address_stays_as_it_was(client, app, session):
    make_brand()
    customer = keep_customer(CustomerIn("c-2", email="bo@example.org"))
    invitation = make_invitation(make_survey(), customer)
    assert "sms:o" not in client.get(preferences(invitation)).text
    client.post(preferences(invitation), data={"channel": ["email", "web"]})
    assert suppressed(session) == []


@pytest.fixture
def grouped(invitation, session):
    """A second survey, in a group of its own, that this person was asked too."""
    other = make_survey("again_nps", "nps")
    other.survey.group = "relationship"
    session.commit()
    return make_invitation(other, invitation.customer)


def tap(client, invitation, what):
    answer = client.post(preferences(invitation), data={"set": what})
    assert (answer.status_code, answer.location) == (303, preferences(invitation) + "?saved=1")


def test_every_switch_is_one_tap_and_one_more_undoes_it(client, invitation, grouped, session):
    for off, on, kept in (
        ("email:off", "email:on", ("email", "opted_out")),
        ("sms:off", "sms:on", ("sms", "opted_out")),
        ("web:off", "web:on", ("web", "opted_out")),
        ("pause:180", "pause:0", ("all", "paused")),
        ("kind:check_in_csat:off", "kind:check_in_csat:on", ("kind:check_in_csat", "opted_out")),
        ("kind:relationship:off", "kind:relationship:on", ("kind:relationship", "opted_out")),
    ):
        assert f'name="set" value="{off}"' in client.get(preferences(invitation)).text
        for _ in range(2):  # a second tap that was under way changes nothing more
            tap(client, invitation, off)
            assert of_channels(session) == [kept]
        tap(client, invitation, on)
        assert of_channels(session) == []


def test_a_kind_is_named_by_what_it_asks_and_closes_no_channel(client, invitation, grouped):
    tap(client, invitation, "kind:relationship:off")
    page = client.get(preferences(invitation)).text
    assert 'aria-label="Stop – Check-in"' in page
    assert 'aria-label="Ask again – Would you recommend us?"' in page
    assert 'value="email:off"' in page


@pytest.mark.parametrize(
    "what", ["kind:nowhere:off", "pigeon:off", "pause:7", "email", "email:maybe", ":", "kind:", "x" * 9_000]
)
def test_a_switch_that_is_not_there_changes_nothing(client, invitation, session, what):
    tap(client, invitation, what)
    assert suppressed(session) == []


def test_a_break_leaves_who_had_left_altogether_as_they_were(client, invitation, session):
    client.post(out(invitation))
    tap(client, invitation, "pause:90")
    assert of_channels(session) == [("all", "opted_out")]


def test_a_refusal_by_the_provider_is_not_lifted(client, invitation, session):
    session.add(Suppression(key="e:bounced", channel="email", reason="bounce", source="provider", at=MOMENT))
    client.post(preferences(invitation), data={"channel": ["email", "sms", "web"], "pause": "0"})
    assert [row[2] for row in suppressed(session)] == ["bounce"]


def test_the_one_button_of_the_page_ends_everything(client, invitation, session):
    page = client.post(preferences(invitation), data={"channel": ["email"], "all": "off"})
    assert page.status_code == 200
    assert "Done. We won’t ask you again." in page.text
    assert of_channels(session) == [("all", "opted_out")]


def test_french_says_it_all(client, invitation):
    assert "Plus de questions\u202f?" in client.get(out(invitation) + "?lang=fr").text
    assert "Où nous pouvons demander" in client.get(preferences(invitation) + "?lang=fr").text
