"""The widget's calls: who is asked, who is told what, and the matrix of hostile pages (class D) by number."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.domain.events import CustomerIn
from surveyapp.domain.networks import network_of
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, Event, Invitation, LedgerEntry, Message, Partner, Response, WidgetSign
from surveyapp.services import customers, partners, recurrence, tickets
from surveyapp.services.keys import NewPartner
from surveyapp.web.widget import abuse
from tests import outreach, widget
from tests.people import bearer, make_key

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE = network_of("127.0.0.1")


@pytest.fixture
def made(app: Flask) -> NewPartner:
    with clock.at(NOON - timedelta(days=1)):
        outreach.load(programme=widget.PROGRAMME)
        return widget.partner()


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Any:
    with clock.at(NOON):
        yield


def rows(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def ledger() -> list[str]:
    return list(db.session.scalars(select(LedgerEntry.state).order_by(LedgerEntry.id)))


def signs() -> dict[tuple[str, str], int]:
    return {(s.origin, s.what): s.n for s in db.session.scalars(select(WidgetSign))}


def nothing_happened() -> bool:
    return not any(rows(model) for model in (Event, Decision, Message, LedgerEntry, Invitation, Response))


def test_a_signed_visitor_is_asked_shown_and_answers_like_everybody_else(client: FlaskClient, made: NewPartner) -> None:
    offered = widget.ask(client, made, "c-1", properties={"class": "Business"})
    assert offered.status_code == 200
    assert offered.headers["Access-Control-Allow-Origin"] == widget.ORIGIN
    assert "Origin" in offered.headers["Vary"]
    body = offered.get_json()
    assert body["show"] is True
    assert body["survey"]["question"] == "Overall, how satisfied were you with check-in?"
    assert body["survey"]["values"][0] == [5, "Very satisfied", "5\u2002Very satisfied"]
    assert ledger() == ["reserved"]
    decision = db.session.scalars(select(Decision)).one()
    assert (decision.outcome, decision.channel, decision.policy_version) == ("asked", "web", 1)
    assert all(verdict["allowed"] for verdict in decision.verdicts)

    assert widget.call(client, "seen", {"ticket": body["ticket"], "what": "shown"}).status_code == 204
    assert ledger() == ["sent"]
    answered = widget.call(client, "answer", {"ticket": body["ticket"], "score": 4, "comment": None})
    assert answered.get_json() == {"status": "confirmed"}
    more = widget.call(client, "answer", {"ticket": body["ticket"], "score": 4, "comment": "Quick"})
    assert more.get_json() == {"status": "confirmed"}
    response = db.session.scalars(select(Response)).one()
    assert (response.score, response.comment, response.channel, response.step) == (4, "Quick", "web", "flight.check_in")
    assert (response.context, response.decision) == ({"class": "Business"}, decision.uid)
    assert response.partner_id == db.session.scalars(select(Partner.id)).one()
    assert db.session.scalars(select(Customer.external_id)).all() == ["c-1"]


def test_an_offer_takes_the_waiting_decision_and_the_mail_is_not_sent(client: FlaskClient, made: NewPartner) -> None:
    outreach.happens("e-1", "c-1", "check_in", NOON)
    assert widget.ask(client, made, "c-1").get_json()["show"] is True
    decision = db.session.scalars(select(Decision)).one()
    assert (decision.outcome, decision.channel, decision.event.event_id) == ("asked", "web", "e-1")
    assert outreach.send(NOON + timedelta(days=2)).claimed == 0


def test_what_nobody_saw_within_a_minute_is_given_back_and_goes_by_mail(client: FlaskClient, made: NewPartner) -> None:
    outreach.happens("e-1", "c-1", "check_in", NOON)
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    with clock.at(NOON + MINUTE):
        assert tickets.release_unseen() == 0
    with clock.at(NOON + 1.1 * MINUTE):
        assert tickets.release_unseen() == 1
        assert widget.call(client, "seen", {"ticket": ticket, "what": "shown"}).status_code == 403
    assert ledger() == ["released", "released"]
    assert db.session.scalars(select(Decision.outcome)).all() == ["waiting"]
    assert rows(Invitation) == 0
    assert outreach.send(NOON + timedelta(hours=23)).claimed == 0  # the mail waits a day for the page
    assert outreach.send(NOON + timedelta(hours=25)).sent == 1
    assert db.session.scalars(select(Decision.channel)).all() == ["email"]


def test_late_sight_alone_gives_the_contact_back(client: FlaskClient, made: NewPartner) -> None:
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    with clock.at(NOON + 2 * MINUTE):
        assert widget.call(client, "seen", {"ticket": ticket, "what": "shown"}).status_code == 403
        assert ledger() == ["released"]
        assert widget.ask(client, made, "c-1").get_json()["show"] is True
    assert rows(Decision) == 1


def test_d04_whoever_was_asked_meanwhile_is_shown_nothing(client: FlaskClient, made: NewPartner) -> None:
    assert widget.ask(client, made, "c-1").get_json()["show"] is True
    assert widget.ask(client, made, "c-1").get_json() == {"show": False, "reason": "already_asked"}
    assert ledger() == ["reserved"]


def test_the_page_obeys_the_policy_and_a_refusal_is_a_decision(client: FlaskClient, made: NewPartner) -> None:
    with clock.at(NOON - timedelta(days=2)):
        outreach.happens("e-1", "c-1", "boarding", NOON - timedelta(days=2))
    assert outreach.send(NOON - timedelta(days=1)).sent == 1
    assert widget.ask(client, made, "c-1").get_json() == {"show": False, "reason": "gap"}
    mine = db.session.scalars(select(Decision).join(Event).where(Event.source == "widget")).one()
    assert (mine.outcome, mine.reason) == ("refused", "gap")
    assert widget.ask(client, made, "c-1").get_json() == {"show": False, "reason": "gap"}
    assert rows(Decision) == 2
    assert (widget.ORIGIN, "policy") in signs()


def test_an_ask_on_the_page_counts_against_the_mail(client: FlaskClient, made: NewPartner) -> None:
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    widget.call(client, "seen", {"ticket": ticket, "what": "shown"})
    outreach.happens("e-1", "c-1", "boarding", NOON)
    assert outreach.send(NOON).refused == 1


def test_a_recurring_question_for_the_web_waits_for_a_known_visitor(client: FlaskClient, made: NewPartner) -> None:
    with clock.at(NOON - timedelta(hours=5)):
        trigger = "triggers:\n  - {key: relation, every: 1d, survey: baggage_csat, channels: [web], expires: 20d}\n"
        outreach.load(programme=widget.PROGRAMME.replace("triggers:\n", trigger, 1))
        customers.upsert_customers(db.session, [CustomerIn("c-1")])
        db.session.commit()
    with clock.at(NOON + timedelta(days=2)):
        assert recurrence.plan_recurring() > 0
    event = db.session.scalars(select(Event).where(Event.source == "recurring").order_by(Event.id)).first()
    assert event is not None
    with clock.at(event.occurred_at - MINUTE):
        assert widget.ask(client, made, "c-1", step="boarding").get_json()["reason"] == "no_survey"
    with clock.at(event.occurred_at + MINUTE):  # who is held to certain steps asks nothing that belongs to none
        partners.change_settings("hotel", {"steps": ["flight.check_in"]})
        assert "check-in" in widget.ask(client, made, "c-1").get_json()["survey"]["question"]
        partners.change_settings("hotel", {})
    with clock.at(event.occurred_at + 3 * MINUTE):
        assert tickets.release_unseen() == 1
        assert widget.ask(client, made, step="boarding").get_json()["reason"] == "no_survey"  # nobody known
        offer = widget.ask(client, made, "c-1", step="boarding", instance="AF123").get_json()
        assert offer["survey"]["question"] == "Overall, how satisfied were you with baggage?"
        widget.call(client, "answer", {"ticket": offer["ticket"], "score": 4})
        response = db.session.scalars(select(Response)).one()
        assert (response.trigger, response.step, response.channel) == ("relation", None, "web")
        assert widget.ask(client, made, "c-1", step="boarding").get_json()["reason"] in ("already_asked", "gap")


def test_a_refused_offer_leaves_the_mail_its_turn(client: FlaskClient, made: NewPartner) -> None:
    outreach.happens("e-1", "c-1", "check_in", NOON, customer={"consent": {"web": False}})
    assert widget.ask(client, made, "c-1").get_json() == {"show": False, "reason": "not_now"}
    assert outreach.send(NOON + timedelta(hours=25)).sent == 1


def test_dismissed_is_kept_and_stays_an_unanswered_ask(client: FlaskClient, made: NewPartner) -> None:
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    assert widget.call(client, "seen", {"ticket": ticket, "what": "dismissed"}).status_code == 204
    message = db.session.scalars(select(Message)).one()
    assert (message.state, message.reason, ledger()) == ("sent", "dismissed", ["sent"])
    assert db.session.scalars(select(LedgerEntry.answered_at)).all() == [None]


def test_without_a_signature_a_visitor_is_nobody(client: FlaskClient, made: NewPartner) -> None:
    outreach.happens("e-1", "c-1", "check_in", NOON)
    body = widget.ask(client, made, customer=None).get_json()
    assert body["show"] is True
    again = widget.call(
        client, "offer", {"key": made.publishable, "journey": "flight", "step": "check_in", "customer": "c-1"}
    )
    assert again.get_json()["show"] is True
    widget.call(client, "answer", {"ticket": body["ticket"], "score": 5})
    response = db.session.scalars(select(Response)).one()
    stranger = db.session.get_one(Customer, response.customer_id)
    assert stranger.external_id is None
    known_too = widget.ask(client, made, "c-9").get_json()["ticket"]
    widget.call(client, "answer", {"ticket": known_too, "score": 2})
    listed = client.get("/api/v1/responses", headers=bearer(make_key("read"))).get_json()["items"]
    assert {(r["customer"], r["score"]) for r in listed} == {(None, 5), ("c-9", 2)}  # told apart, both counted
    known = db.session.scalars(select(Customer.id).where(Customer.external_id == "c-1")).one()
    assert db.session.scalars(select(Decision.outcome).where(Decision.customer_id == known)).all() == ["waiting"]


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ({"signature": "0" * 64}, "bad_signature"),
        ({"customer_id": "c-2"}, "bad_signature"),
        ({"step": "landing"}, "unknown_step"),
        ({"journey": "stay"}, "unknown_step"),
        ({"properties": {"note": "x" * 1001}}, "bad_properties"),
        ({"properties": {f"p{i}": i for i in range(101)}}, "bad_properties"),
        ({"properties": {"__proto__": 1}}, "bad_properties"),
        ({"step": 7}, "unreadable"),
    ],
)
def test_bad_input_is_refused_quietly_and_told_to_the_partner(
    client: FlaskClient, made: NewPartner, change: dict[str, Any], sign: str
) -> None:
    change = {name.removesuffix("_id"): value for name, value in change.items()}
    body = {"key": made.publishable, "journey": "flight", "step": "check_in", "customer": "c-1"}
    body |= {"signature": widget.sign(made, "c-1")} | change
    assert widget.call(client, "offer", body).get_json() == {"show": False, "reason": "refused"}
    assert signs()[widget.ORIGIN, sign] == 1
    assert nothing_happened()


def test_a_former_secret_and_key_count_until_they_are_ended(client: FlaskClient, made: NewPartner) -> None:
    partners.rotate_secret("hotel")
    partners.rotate_publishable("hotel")
    assert widget.ask(client, made, "c-1").get_json()["show"] is True
    partners.end_former_keys("hotel")
    assert widget.ask(client, made, "c-2").status_code == 403


def test_a_former_secret_counts_for_a_week(client: FlaskClient, made: NewPartner) -> None:
    partners.rotate_secret("hotel")
    with clock.at(NOON + timedelta(days=8)):
        assert widget.ask(client, made, "c-1").get_json()["reason"] == "refused"


def test_steps_sample_and_share_are_the_partner_s_limits(client: FlaskClient, made: NewPartner) -> None:
    with clock.at(NOON - timedelta(hours=20)):
        outreach.load(programme=widget.WEB_ONLY)
    partners.change_settings("hotel", {"steps": ["flight.boarding"]})
    assert widget.ask(client, made, "c-1").get_json()["reason"] == "refused"
    assert widget.ask(client, made, "c-1", step="boarding").get_json()["show"] is True
    partners.change_settings("hotel", {"sample": 0.0})
    assert widget.ask(client, made, "c-2").get_json()["reason"] == "sampled_out"
    partners.change_settings("hotel", {"share": 0.0})
    shown = [widget.ask(client, made, f"d-{i}").get_json().get("reason") for i in range(12)]
    assert shown == [None] * 9 + ["budget"] * 3  # ten a week are always free, one was made before


def test_d39_an_unlisted_or_null_origin_is_refused_by_the_server(client: FlaskClient, made: NewPartner) -> None:
    for origin in (
        "null",
        "https://hotel.example.evil.com",
        "http://hotel.example",
        "https://hotel.example:8443",
        None,
    ):
        refused = widget.ask(client, made, "c-1", origin=origin)
        assert refused.status_code == 403
        assert refused.get_json() == {"show": False, "reason": "refused"}
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Origin" in refused.headers["Vary"]
    assert nothing_happened()
    assert signs()["https://hotel.example.evil.com", "wrong_origin"] == 1
    assert client.get("/widget.js").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_an_unknown_key_is_nobody_s(client: FlaskClient, made: NewPartner) -> None:
    for key in ("pk_unknown", "", None, 7, "x" * 5000):
        refused = widget.ask(client, made, "c-1", key=key)
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert nothing_happened()
    assert signs() == {}


def test_d40_a_foreign_preflight_gets_no_allow_header(client: FlaskClient, made: NewPartner) -> None:
    for origin, allowed in ((widget.ORIGIN, True), ("https://evil.example", False), ("null", False)):
        answer = client.options("/widget/v1/offer", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert ("Access-Control-Allow-Methods" in answer.headers) is allowed
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_d40_a_page_of_nearly_the_right_origin_is_told_to_its_partner(client: FlaskClient, made: NewPartner) -> None:
    near = ["https://www.hotel.example", "http://hotel.example", "https://hotel.example:8443"]
    far = ["https://grandhotel.example", "https://hotel.example.evil.com", "null", "https://[::1", "", "example"]
    for origin in near + far:
        answer = client.options("/widget/v1/offer", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert signs() == {(origin, "wrong_origin"): 1 for origin in near}


def test_d42_forty_people_behind_one_address_all_count(client: FlaskClient, made: NewPartner) -> None:
    for number in range(40):
        ticket = widget.ask(client, made, f"c-{number}").get_json()["ticket"]
        widget.call(client, "seen", {"ticket": ticket, "what": "shown"})
        assert widget.call(client, "answer", {"ticket": ticket, "score": 5}).status_code == 200
    assert db.session.scalars(select(Response.status).distinct()).all() == ["confirmed"]
    assert rows(Response) == 40


def test_d42_ballots_beyond_what_people_give_are_kept_apart(client: FlaskClient, made: NewPartner) -> None:
    partner = db.session.scalars(select(Partner.id)).one()
    assert [abuse.stuffing(partner, HERE, timedelta()) for _ in range(79)] == [False] * 79
    for number in range(3):
        ticket = widget.ask(client, made).get_json()["ticket"]
        answer = widget.call(client, "answer", {"ticket": ticket, "score": 5})
        assert answer.get_json() == {"status": "confirmed"}, number
    again = widget.call(client, "answer", {"ticket": ticket, "score": 5, "comment": "More of the same"})
    assert again.get_json() == {"status": "confirmed"}
    slow = widget.ask(client, made).get_json()["ticket"]
    widget.call(client, "seen", {"ticket": slow, "what": "shown"})
    with clock.at(NOON + timedelta(seconds=2)):
        widget.call(client, "answer", {"ticket": slow, "score": 4})
    statuses = db.session.execute(select(Response.score, Response.status).order_by(Response.id)).all()
    assert statuses == [(5, "confirmed"), (5, "suspected_bot"), (5, "suspected_bot"), (4, "confirmed")]
    assert signs()[widget.ORIGIN, "quarantined"] == 3


def test_d42_five_thousand_votes_from_one_address_or_from_five_hundred(app: Flask, made: NewPartner) -> None:
    def taken(partner: int, addresses: list[str], in_sight: timedelta) -> int:
        """How many of 5,000 votes within one minute count."""
        counted = 0
        for number in range(5_000):
            with clock.at(NOON + number * MINUTE / 5_000):
                counted += not abuse.stuffing(partner, addresses[number % len(addresses)], in_sight)
        return counted

    crowd = [f"198.51.{n // 250}.{n % 250}" for n in range(500)]
    moment, second = timedelta(), timedelta(seconds=2)
    assert 80 <= taken(1, ["203.0.113.9"], moment) <= 90
    assert 100 <= taken(2, ["203.0.113.10"], second) <= 130
    assert 200 <= taken(3, crowd, moment) <= 260
    assert 1_200 <= taken(4, crowd, second) <= 2_400
    people = [f"192.0.2.{n}" for n in range(40)]
    for number, address in enumerate(people):  # people who answer on the flooded pages, and read before they do
        with clock.at(NOON + number * MINUTE / 40):
            assert not abuse.stuffing(3, address, second)


def test_d42_a_field_that_no_person_sees_sets_the_answer_aside(client: FlaskClient, made: NewPartner) -> None:
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    assert widget.call(client, "answer", {"ticket": ticket, "score": 5}).get_json() == {"status": "confirmed"}
    filled = {"web-page": ["https://spam.example"], "comment": ["Buy"]}
    said = widget.call(client, "answer", {"ticket": ticket, "score": 5, "answers": filled})
    assert said.get_json() == {"status": "confirmed"}
    assert db.session.scalars(select(Response.status)).all() == ["suspected_bot"]
    assert widget.call(client, "answer", {"ticket": ticket, "score": 5}).status_code == 200
    assert db.session.scalars(select(Response.status)).all() == ["suspected_bot"]


def test_d42_a_flood_of_offers_is_slowed_down(client: FlaskClient, made: NewPartner) -> None:
    assert not any(abuse.too_many_offers(7, HERE) for _ in range(239))
    reasons = [widget.ask(client, made, "c-1").get_json().get("reason") for _ in range(4)]
    assert reasons == [None, "busy", "busy", "busy"]
    assert signs()[widget.ORIGIN, "too_many"] == 3


def test_d43_a_ticket_counts_on_its_origin_and_for_half_an_hour_only(client: FlaskClient, made: NewPartner) -> None:
    other = widget.partner("shop", "https://shop.example")
    assert widget.ask(client, other, "c-9", origin="https://shop.example").get_json()["show"] is True
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    for origin in ("https://shop.example", "null", None):
        stolen = widget.call(client, "answer", {"ticket": ticket, "score": 1}, origin)
        assert stolen.status_code == 403
        assert "Access-Control-Allow-Origin" not in stolen.headers
    altered = ticket[:-1] + ("a" if ticket[-1] != "a" else "b")
    assert widget.call(client, "seen", {"ticket": altered, "what": "shown"}).status_code == 403
    widget.call(client, "seen", {"ticket": ticket, "what": "shown"})
    with clock.at(NOON + 31 * MINUTE):
        assert widget.call(client, "answer", {"ticket": ticket, "score": 1}).status_code == 403
    assert rows(Response) == 0


@pytest.mark.parametrize("score", [6, 0, "4", 4.0, True, None])
def test_a_score_is_an_integer_of_the_scale(client: FlaskClient, made: NewPartner, score: Any) -> None:
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    assert widget.call(client, "answer", {"ticket": ticket, "score": score}).status_code == 422
    assert rows(Response) == 0


def test_further_questions_travel_with_the_offer_and_are_read_strictly(client: FlaskClient, made: NewPartner) -> None:
    with clock.at(NOON - timedelta(hours=1)):
        outreach.load(programme=widget.further(widget.PROGRAMME))
    offer = widget.ask(client, made, "c-1").get_json()
    assert [(q["key"], q["kind"], q["when"]) for q in offer["survey"]["more"]] == [
        ("why", "checkbox", {}),
        ("again", "radio", {"score": [1, 2, 3]}),
        ("who", "input", {"why": ["staff"]}),
        ("comment", "textarea", {}),
    ]
    assert offer["survey"]["more"][0]["options"] == [
        ["speed", "Speed"],
        ["staff", "Staff"],
        ["food", "Food and drink"],
        ["other", "Something else"],
    ]

    def answer(**answers: list[str]) -> int:
        body = {"ticket": offer["ticket"], "score": 4, "answers": answers}
        return widget.call(client, "answer", body).status_code

    assert answer(why=["staff", "speed"], again=["often"], comment=["Quick"]) == 200
    response = db.session.scalars(select(Response)).one()
    assert (response.answers, response.comment) == ({"why": ["staff", "speed"]}, "Quick")  # `again` is for low scores
    assert answer(who=["Ada"]) == 200
    assert answer(why=["price"]) == 422
    assert answer(who=["x" * 501]) == 422
    db.session.refresh(response)
    assert response.answers == {"why": ["staff", "speed"], "who": "Ada"}
    assert response.comment == "Quick"
    assert answer(comment=["x" * 5_001]) == 200
    db.session.refresh(response)
    assert response.comment == "x" * 5_000


@pytest.mark.parametrize("answers", [["why"], {"why": "speed"}, {"why": [1]}, {"why": [["speed"]]}])
def test_answers_are_lists_of_texts_by_question(client: FlaskClient, made: NewPartner, answers: Any) -> None:
    ticket = widget.ask(client, made, "c-1").get_json()["ticket"]
    refused = widget.call(client, "answer", {"ticket": ticket, "score": 4, "answers": answers})
    assert refused.status_code == 422
    assert refused.get_json()["error"].startswith("answers")
    assert rows(Response) == 0


def test_d39_a_page_in_somebody_else_s_frame_asks_nobody(client: FlaskClient, made: NewPartner) -> None:
    for within in (["https://evil.example"], ["https://hotel.example.evil.com"], ["null"], [""], ["a"] * 21, 7):
        refused = widget.ask(client, made, "c-1", within=within)
        assert refused.get_json() == {"show": False, "reason": "refused"}
    assert signs()[widget.ORIGIN, "framed"] == 6
    assert nothing_happened()
    assert widget.ask(client, made, "c-1", within=[widget.ORIGIN, f"{widget.ORIGIN}/start"]).get_json()["show"] is True


def test_bodies_are_small_and_strict(client: FlaskClient, made: NewPartner) -> None:
    headers = {"Origin": widget.ORIGIN}
    large = client.post("/widget/v1/offer", data=b" " * 70_000, content_type="application/json", headers=headers)
    twice = client.post("/widget/v1/offer", data=b'{"key":1,"key":2}', content_type="application/json", headers=headers)
    plain = client.post("/widget/v1/offer", data=b"{}", content_type="text/plain", headers=headers)
    assert (large.status_code, twice.status_code, plain.status_code) == (413, 400, 415)


def test_no_cookie_is_ever_set(client: FlaskClient, made: NewPartner) -> None:
    assert "Set-Cookie" not in widget.ask(client, made, "c-1").headers
    assert "Set-Cookie" not in client.get("/widget.js").headers
