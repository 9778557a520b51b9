"""Two-way texts: matrix E52 to E54 and D13, D14, from the signed hook to what lies on the phone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.channels import phone
from surveyapp.channels.base import ReceiptKind
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import (
    Customer,
    HookState,
    InboundText,
    Invitation,
    LedgerEntry,
    LocalMessage,
    Message,
    Response,
    Suppression,
)
from surveyapp.services import customers, privacy, recovery
from tests import outreach
from tests.hooks import PHONE, TOKEN, database_away, text_in
from tests.services.test_dispatch import answering, only

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PROGRAMME = """
programme: 1
brand: {name: Oddjob, language: en, languages: [en, fr], timezone: Europe/Paris}
journeys:
  - key: flight
    name: {en: Flight}
    steps:
      - {key: check_in, name: {en: Check-in}, event: "Checked In", tier: 2}
      - {key: boarding, name: {en: Boarding}, event: "Boarded", tier: 2}
      - {key: baggage, name: {en: Baggage}, event: "Bag Delivered", tier: 2}
      - {key: lounge, name: {en: Lounge}, event: "Lounge Left", tier: 2}
surveys:
  - {key: flight_nps, metric: nps, about: {en: check-in}, follow_up: comment}
  - {key: boarding_csat, metric: csat5, about: {en: boarding}, follow_up: []}
  - key: baggage_csat
    metric: csat5
    about: {en: baggage}
    follow_up:
      - key: what
        kind: one
        ask: {en: What was it?}
        options: [{key: wait, label: {en: The wait}}, {key: damage, label: {en: Damage}}]
  - key: lounge_csat
    metric: csat5
    about: {en: the lounge}
    follow_up:
      - {key: felt, kind: emotion}
      - {key: call, kind: consent}
      - key: why
        kind: reasons
        ask: {en: Why?}
        ask_for: {detractor: {en: What went wrong?}}
        options: [{key: full, label: {en: Full}, gap: design}, {key: slow, label: {en: Slow}, gap: delivery}]
triggers:
  - {key: after_lounge, step: flight.lounge, survey: lounge_csat, channels: [sms], expires: 7d}
  - {key: after_check_in, step: flight.check_in, survey: flight_nps, channels: [sms], expires: 7d}
  - {key: after_boarding, step: flight.boarding, survey: boarding_csat, channels: [sms], expires: 7d}
  - {key: after_baggage, step: flight.baggage, survey: baggage_csat, channels: [sms], expires: 7d}
"""
SAVED = "Thank you, your 9 is saved. What is the main reason for your score? Reply in your own words, or leave it here."
AGAIN = "Oddjob: please reply with one number from 0 to 10. STOP to opt out"
STOPPED = "Oddjob: done, no more questions by text. Reply START if you change your mind."


@pytest.fixture
def settings() -> dict[str, object]:
    return {"TWILIO_AUTH_TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - HOUR):
        outreach.load(policy="", programme=PROGRAMME)


def asked(step: str = "check_in", at: datetime = NOON, person: str = "c-1", **customer: Any) -> None:
    """A question leaves by text."""
    with clock.at(at):
        outreach.happens(f"e-{step}-{person}-{at:%d%H%M}", person, step, at, customer={"phone": PHONE} | customer)
        assert outreach.send().sent == 1


class Phone:
    """The person's phone: texts go in through the hook, one a minute."""

    def __init__(self, client: FlaskClient, at: datetime = NOON + HOUR, number: str = PHONE) -> None:
        self.client = client
        self.at = at
        self.number = number
        self.count = int(at.timestamp()) % 100_000

    def says(self, body: str, **fields: str) -> list[str]:
        """What we say back."""
        before = db.session.scalar(select(func.max(LocalMessage.id))) or 0
        self.at += MINUTE
        self.count += 1
        with clock.at(self.at):
            response = text_in(self.client, self.count, body, self.number, **fields)
        assert response.status_code == 200, response.text
        assert response.mimetype == "text/xml"
        assert "<Message" not in response.text
        sent = select(LocalMessage.text).where(LocalMessage.id > before, LocalMessage.direction == "out")
        return list(db.session.scalars(sent.order_by(LocalMessage.id)))


@pytest.fixture
def mobile(client: FlaskClient) -> Phone:
    return Phone(client)


def kinds() -> list[tuple[str | None, str | None]]:
    return [(t.kind, t.said) for t in db.session.scalars(select(InboundText).order_by(InboundText.id))]


def opted_out() -> set[tuple[str, str]]:
    return {(s.reason, s.channel) for s in db.session.scalars(select(Suppression))}


def test_a_number_is_the_answer_and_the_reason_is_asked_once_then_words_close(mobile: Phone) -> None:
    asked()
    assert mobile.says("9") == [SAVED]
    response = only(Response)
    assert (response.score, response.status, response.channel, response.comment) == (9, "confirmed", "sms", None)
    assert mobile.says("Bag drop took two minutes.") == ["Thank you. That was all."]
    assert (only(Response).comment, only(Response).score) == ("Bag drop took two minutes.", 9)
    assert only(Invitation).answered_at == NOON + HOUR + MINUTE
    assert kinds() == [("score", "saved"), ("words", "closing")]


def test_what_we_say_back_is_no_contact(mobile: Phone) -> None:
    asked()
    mobile.says("9")
    mobile.says("quick")
    assert set(db.session.scalars(select(LedgerEntry.kind))) == {"first"}
    messages = db.session.execute(select(Message.kind, Message.state).order_by(Message.id)).all()
    assert [tuple(row) for row in messages] == [("first", "sent"), ("follow_up", "sent")]


def test_the_closing_text_tells_the_day_the_policy_promises(mobile: Phone) -> None:
    with clock.at(NOON - MINUTE):
        outreach.load("policy:\n  gap: {1: 30d, 2: 30d, 3: 30d}\n", PROGRAMME)
    asked()
    mobile.says("9")
    assert mobile.says("quick") == ["Thank you. That was all. We will not ask again before 2 December."]


@pytest.mark.parametrize(
    ("body", "score", "comment"),
    [("9/10", 9, None), ("9!", 9, None), ("nine", 9, None), ("Neuf", 9, None), ("９", 9, None)]
    + [("9 super service", 9, "9 super service"), (" 9 – super", 9, "9 – super")],
)
def test_d13_a_score_is_read_kindly_and_words_around_it_are_kept(
    mobile: Phone, body: str, score: int, comment: str | None
) -> None:
    asked()
    assert mobile.says(body) == [SAVED]
    assert (only(Response).score, only(Response).comment) == (score, comment)


def test_words_around_the_score_stay_when_the_reason_follows(mobile: Phone) -> None:
    asked()
    mobile.says("9 super")
    mobile.says("no queue at all")
    assert only(Response).comment == "9 super\nno queue at all"


def test_c35_of_very_long_texts_the_first_characters_are_kept(mobile: Phone) -> None:
    asked()
    mobile.says("9 " + "x" * 1_598)
    for letter in "abc":
        mobile.says(letter * 1_600)
    texts = "9 " + "x" * 1_598, "a" * 1_600, "b" * 1_600, "c" * 197
    assert (only(Response).score, only(Response).comment) == (9, "\n".join(texts))


@pytest.mark.parametrize("body", ["11", "8 or 9", "great", "9.5", "🙂"])
def test_d13_an_unclear_reply_is_asked_again_once_and_then_left(mobile: Phone, body: str) -> None:
    asked()
    assert mobile.says(body) == [AGAIN]
    assert mobile.says(body) == []
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0
    assert mobile.says("8")[0].startswith("Thank you, your 8 is saved.")
    assert kinds() == [("unclear", "again"), ("unclear", None), ("score", "saved")]


@pytest.mark.parametrize("body", ["STOP.", " stop please", "ARRÊT", "Stop!", "STOP 9", "non merci stop", "9 stop"])
def test_e52_an_opt_out_beats_any_score_and_is_confirmed_once(mobile: Phone, body: str) -> None:
    asked()
    assert mobile.says(body) == [STOPPED]
    assert mobile.says(body) == []
    assert opted_out() == {("opted_out", "sms")}
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0
    with clock.at(NOON + timedelta(days=60)):
        outreach.happens("e-later", "c-1", "boarding", NOON + timedelta(days=60), customer={"phone": PHONE})
        assert outreach.send().sent == 0


def test_e52_the_provider_answered_itself_so_we_stay_silent(mobile: Phone) -> None:
    asked()
    assert mobile.says("ZZZ", OptOutType="STOP") == []
    assert opted_out() == {("opted_out", "sms")}
    assert mobile.says("ZZZ", OptOutType="START") == []
    assert opted_out() == set()
    assert mobile.says("ZZZ", OptOutType="HELP") == []


def test_e52_start_opts_in_again_and_says_so_only_when_something_changed(mobile: Phone) -> None:
    asked()
    assert mobile.says("START") == []
    mobile.says("STOP")
    assert mobile.says("start") == ["Oddjob: you will get our questions by text again. Reply STOP to opt out."]
    assert opted_out() == set()


def test_start_opens_texts_and_leaves_the_other_channels_closed(mobile: Phone) -> None:
    asked()
    with clock.at(NOON + HOUR):
        from_everything(only(Invitation).customer_id)
    mobile.says("START")
    assert opted_out() == {("opted_out", "email"), ("opted_out", "web")}


def from_everything(customer_id: int) -> None:
    customer = db.session.get_one(Customer, customer_id)
    customers.opt_out(customer, "all", "test")


def test_e52_help_is_answered_once_a_day_also_to_strangers(client: FlaskClient) -> None:
    stranger = Phone(client, number="+33687654321")
    answer = "Oddjob: we ask one question about our service. Reply with a number to answer, STOP to opt out."
    assert [stranger.says("HELP"), stranger.says("info"), stranger.says("HELP")] == [[answer], [], []]
    stranger.at += timedelta(days=1)
    assert stranger.says("HELP") == [answer]


def test_a_stranger_who_opts_out_stays_out_when_we_get_to_know_them(client: FlaskClient) -> None:
    stranger = Phone(client, number="+33687654321")
    assert stranger.says("stop") == [STOPPED]
    with clock.at(NOON + 2 * HOUR):
        outreach.happens("e-1", "c-9", "check_in", NOON + 2 * HOUR, customer={"phone": "+33687654321"})
        assert outreach.send().refused == 1


def test_e53_an_unknown_number_gets_no_answer_and_is_counted(client: FlaskClient) -> None:
    stranger = Phone(client, number="+33687654321")
    assert stranger.says("9") == []
    assert (kinds(), only(HookState).taken) == ([("unbound", None)], 1)
    assert only(InboundText).customer_id is None


@pytest.mark.parametrize("sender", ["36111", "Bank", "+1"])
def test_a_text_from_no_full_number_is_taken_and_never_answered(client: FlaskClient, sender: str) -> None:
    assert Phone(client, number=sender).says("HELP") == []


def test_d14_two_open_asks_bind_to_the_latest_and_the_other_stays_open(mobile: Phone) -> None:
    asked("check_in", NOON)
    asked("boarding", NOON + 5 * MINUTE)
    assert mobile.says("5") == ["Thank you. That was all."]
    answer = db.session.scalars(select(Response)).one()
    assert (answer.survey.key, answer.score) == ("boarding_csat", 5)
    assert db.session.scalars(select(InboundText)).one().open_asks == 2
    assert mobile.says("8")[0].startswith("Thank you, your 8 is saved.")
    scores = dict(db.session.execute(select(Response.metric, Response.score)).all())
    assert scores == {"csat5": 5, "nps": 8}


def test_two_records_with_one_number_are_both_found(client: FlaskClient) -> None:
    asked("check_in", NOON, "c-1")
    asked("boarding", NOON + 5 * MINUTE, "c-2")
    mobile = Phone(client)
    mobile.says("4")
    mobile.says("7")
    found = db.session.execute(select(Response.metric, Response.score).order_by(Response.id)).all()
    assert [tuple(r) for r in found] == [("csat5", 4), ("nps", 7)]
    mobile.says("stop")
    assert {key[:2] for key in db.session.scalars(select(Suppression.key))} == {"c:", "e:", "p:"}
    assert db.session.scalar(select(func.count()).select_from(Suppression)) == 5


def test_a_later_number_corrects_the_answer_without_a_second_confirmation(mobile: Phone) -> None:
    asked()
    mobile.says("9")
    assert mobile.says("7") == []
    assert only(Response).score == 7
    assert mobile.says("the queue") == ["Thank you. That was all."]
    assert mobile.says("6") == []
    assert mobile.says("and the seat") == []
    assert (only(Response).score, only(Response).comment) == (6, "the queue\nand the seat")


def test_after_the_edit_window_nothing_changes(client: FlaskClient) -> None:
    asked()
    Phone(client).says("9")
    late = Phone(client, NOON + timedelta(hours=30))
    assert late.says("2") == []
    assert only(Response).score == 9


def test_after_the_ask_has_closed_a_number_is_unbound(client: FlaskClient) -> None:
    asked()
    assert Phone(client, NOON + timedelta(days=4)).says("9") == []
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0
    assert kinds() == [("unbound", None)]


def test_a_survey_without_a_further_question_says_thank_you(mobile: Phone) -> None:
    asked("boarding")
    assert mobile.says("5") == ["Thank you. That was all."]
    assert mobile.says("thanks") == []
    assert db.session.scalars(select(Message.kind)).all() == ["first"]


def test_a_choice_is_asked_with_numbers_and_answered_by_one(mobile: Phone) -> None:
    asked("baggage")
    said = mobile.says("2")
    assert said[0].startswith("Thank you, your 2 is saved. What was it? 1 The wait, 2 Damage.")
    assert mobile.says("2") == ["Thank you. That was all."]
    assert (only(Response).score, only(Response).answers) == (2, {"what": "damage"})


def test_what_a_text_cannot_ask_is_left_out_and_the_first_it_can_is_worded_for_the_score(mobile: Phone) -> None:
    asked("lounge")
    assert mobile.says("1")[0].startswith("Thank you, your 1 is saved. What went wrong? 1 Full, 2 Slow.")
    assert mobile.says("1 2") == ["Thank you. That was all."]
    assert (only(Response).score, only(Response).answers) == (1, {"why": ["full", "slow"]})


def test_words_that_are_no_choice_are_kept_as_the_comment(mobile: Phone) -> None:
    asked("baggage")
    mobile.says("2")
    mobile.says("it was wet")
    assert (only(Response).answers, only(Response).comment) == ({}, "it was wet")


def test_the_customers_language_is_spoken(mobile: Phone) -> None:
    asked(language="fr")
    assert mobile.says("neuf") == [
        "Merci, 9 est noté. Quelle est la raison principale de votre note ? Répondez avec vos mots, ou restez-en là."
    ]
    assert mobile.says("Arrêt") == ["Oddjob : plus de question par SMS. Répondez START si vous changez d'avis."]


@pytest.mark.parametrize("body", ["Laissez-moi tranquille", "please stop texting me"])
def test_asking_for_peace_pauses_everything_and_calls_a_person(mobile: Phone, body: str) -> None:
    asked()
    assert mobile.says(body) == []
    assert opted_out() == {("paused", "all")}
    text = only(InboundText)
    assert (text.kind, text.handled_at, text.customer_id) == ("peace", None, only(Invitation).customer_id)
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0


def test_e54_a_machine_is_neither_believed_nor_answered(mobile: Phone) -> None:
    asked()
    for _ in range(20):
        assert mobile.says("Automatic reply: I am out of the office until 9 January") == []
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0


def test_e52_no_loop_with_a_machine_that_answers_everything(mobile: Phone) -> None:
    asked()
    said = [text for n in range(30) for text in mobile.says("Hello, I cannot talk now")]
    assert said == [AGAIN]
    said = [text for body in ("START", "STOP") * 15 for text in mobile.says(body)]
    assert len(said) == 5  # the sixth of the day was the first


def test_e53_a_repeated_delivery_of_the_same_text_counts_once(client: FlaskClient) -> None:
    asked()
    mobile = Phone(client)
    mobile.says("9")
    for _ in range(5):
        with clock.at(NOON + 2 * HOUR):
            assert text_in(client, mobile.count, "9").status_code == 200
    assert db.session.scalar(select(func.count()).select_from(LocalMessage)) == 2
    assert (only(HookState).taken, only(HookState).repeated) == (1, 5)


def test_e51_a_text_that_met_a_database_away_is_taken_at_the_repetition(client: FlaskClient) -> None:
    asked()
    with clock.at(NOON + HOUR):
        with database_away():
            assert text_in(client, 1, "9").status_code == 503
        assert text_in(client, 1, "9").status_code == 200
    assert only(Response).score == 9


def test_a_text_whose_handling_broke_off_is_taken_up_by_the_repetition(client: FlaskClient) -> None:
    asked()
    with clock.at(NOON + HOUR):
        db.session.add(InboundText(provider="phone", reference=f"SM{7:032d}", number_key="p:x", at=NOON))
        db.session.commit()
        text_in(client, 7, "9")
    assert (only(Response).score, kinds()) == (9, [("score", "saved")])


def test_an_answer_after_an_opt_out_is_kept_in_silence(mobile: Phone) -> None:
    asked()
    mobile.says("stop")
    assert mobile.says("9") == []
    assert only(Response).score == 9


def test_an_erased_person_is_a_stranger_who_gets_no_answer(mobile: Phone) -> None:
    asked()
    with clock.at(NOON + HOUR):
        privacy.erase("c-1")
    assert [mobile.says(body) for body in ("9", "START", "HELP")] == [[], [], []]
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0


def test_no_word_or_number_of_the_person_is_kept_with_the_text(mobile: Phone) -> None:
    asked()
    mobile.says("leave me alone, says Ada")
    row = only(InboundText)
    assert not any("Ada" in str(v) or PHONE in str(v) for v in vars(row).values())


def test_the_next_question_that_could_not_leave_is_never_sent_again(
    mobile: Phone, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    asked()
    broken = answering(ReceiptKind.RETRY, error="429")
    broken.channel = Channel.SMS
    app.extensions["surveyapp_senders"] = {"sms": broken}
    assert mobile.says("9") == []
    assert db.session.scalars(select(Message.state).order_by(Message.id)).all() == ["sent", "failed"]
    app.extensions["surveyapp_senders"] = {"sms": phone.build(app.config, None, clock.now)}  # type: ignore[arg-type]
    with clock.at(NOON + 2 * HOUR):
        recovery.reap()
        assert outreach.send().claimed == 0
    assert only(Response).score == 9
