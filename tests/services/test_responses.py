"""Answers: one per invitation, with their frozen context, their history and their cell."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.domain.public_links import public_uid
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import Customer, Invitation, LedgerEntry, Message, MetricCell, Response, ResponseChange, Verbatim
from surveyapp.services.rebuilding import rebuild
from surveyapp.services.responses import (
    AnswerRefused,
    AnswerWindowClosed,
    InvitationClosed,
    InvitationUnknown,
    record,
    record_form,
)
from tests.builders import MOMENT, make_brand, make_customer, make_invitation, make_step, make_survey
from tests.cells import ANSWERS, scores_of

CONFIRMED, PROVISIONAL, SUSPECT = ResponseStatus.CONFIRMED, ResponseStatus.PROVISIONAL, ResponseStatus.SUSPECTED_BOT
NEXT_DAY = MOMENT + timedelta(days=1)


@pytest.fixture
def invitation(app):
    make_brand()
    customer = make_customer(attributes={"customer_type": "Returning", "class": "Economy"})
    version = make_survey(follow_up="comment")
    return make_invitation(
        version, customer, make_step(), inclusion=0.5, properties={"class": "Business", "delay_minutes": 12},
        open_until=MOMENT + timedelta(days=14), language="fr",
    )  # fmt: skip


def answer(invitation, score=None, status=CONFIRMED, channel="email", at=NEXT_DAY, **rest):
    with clock.at(at):
        return record(invitation, score=score, status=status, channel=channel, **rest)


def post(invitation, at=NEXT_DAY, page=1, **form):
    with clock.at(at):
        return record_form(
            invitation.uid, {k: [v] for k, v in form.items()}, page=page, status=CONFIRMED, language="en"
        )


def history(session):
    return [(c.score, c.comment, c.status) for c in session.scalars(select(ResponseChange).order_by(ResponseChange.id))]


def counted(session):
    cells = session.scalars(select(MetricCell).execution_options(populate_existing=True))
    return sorted((score, cell.status, n) for cell in cells for score, n in scores_of(cell).items())


def test_an_answer_freezes_the_context_it_was_given_in(invitation, session):
    kept = answer(invitation, 4)
    invitation.customer.attributes = {"customer_type": "Changed"}
    session.commit()
    response = session.scalar(select(Response))
    assert response.id == kept.id
    assert (response.score, response.metric, response.layout, response.status) == (4, "csat5", "vertical", "confirmed")
    assert (response.channel, response.language) == ("email", "fr")
    assert (response.journey, response.step, response.phase) == ("flight", "flight.check_in", "before")
    assert response.instance == "AF123"
    assert response.event == invitation.event.event_id
    assert response.trigger == invitation.trigger.key
    assert response.decision == invitation.decision.uid
    assert response.inclusion == 0.5
    assert response.survey_version_id == invitation.survey_version_id
    assert response.context == {"customer_type": "Returning", "class": "Business", "delay_minutes": 12}
    assert (response.event_at, response.answered_at) == (MOMENT, NEXT_DAY)
    assert response.reporting_day == date(2026, 11, 2)
    assert counted(session) == [(4, "confirmed", 1)]


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [
        ("Pacific/Auckland", date(2026, 11, 2), 22),
        ("Pacific/Kiritimati", date(2026, 11, 2), 23),
        ("Asia/Kolkata", date(2026, 11, 2), 14),
        ("Mars/Olympus", date(2026, 11, 2), 10),
        (None, date(2026, 11, 2), 10),
    ],
)
def test_the_reporting_day_and_hour_are_those_of_the_place_else_of_the_brand(app, session, zone, day, hour):
    make_brand(timezone="Europe/Paris")
    invitation = make_invitation(make_survey(), step=make_step(), timezone=zone)
    kept = answer(invitation, 5)
    assert (kept.reporting_day, kept.reporting_hour) == (day, hour)


def test_the_reporting_day_of_a_late_evening_elsewhere_is_the_next(app, session):
    make_brand()
    invitation = make_invitation(make_survey(), step=make_step(), timezone="Pacific/Kiritimati")
    invitation.event.occurred_at = MOMENT + timedelta(hours=2)
    session.commit()
    assert answer(invitation, 5).reporting_day == date(2026, 11, 3)


def test_the_attributes_are_those_of_the_moment_of_the_event(invitation, session):
    invitation.event.attributes = {"customer_type": "First-time"}
    session.commit()
    assert answer(invitation, 4).context == {"customer_type": "First-time", "class": "Business", "delay_minutes": 12}


def test_an_answer_marks_the_invitation_and_its_contacts_as_answered(invitation, session):
    message = Message(
        uid="m-1", idem_key="t:e:email:first", invitation_id=invitation.id, customer_id=invitation.customer_id,
        trigger_id=invitation.trigger_id, survey_id=invitation.trigger.survey_id, channel="email", kind="first", tier=2,
        priority=0, due_at=MOMENT, state="sent", created_at=MOMENT,
    )  # fmt: skip
    session.add(message)
    session.flush()
    session.add(
        LedgerEntry(
            message_id=message.id, subject_key="c:1", channel="email", at=MOMENT, state="sent", kind="first", tier=2
        )
    )
    session.commit()
    answer(invitation, 4, PROVISIONAL)
    assert session.scalar(select(LedgerEntry.answered_at)) is None
    answer(invitation, 4)
    assert session.scalar(select(LedgerEntry.answered_at)) == NEXT_DAY
    assert session.scalar(select(Invitation.answered_at)) == NEXT_DAY


def test_the_last_answer_inside_the_window_wins_and_the_earlier_ones_are_kept(invitation, session):
    first = answer(invitation, 2)
    second = answer(invitation, 5, channel="sms", at=NEXT_DAY + timedelta(hours=23))
    assert first.id == second.id
    response = session.scalar(select(Response))
    assert (response.score, response.channel, response.answered_at) == (5, "sms", NEXT_DAY)
    assert history(session) == [(2, None, "confirmed")]
    assert counted(session) == [(5, "confirmed", 1)]
    assert rebuild(check=True).differences == []


def test_a_comment_joins_the_same_answer(invitation, session):
    answer(invitation, 2)
    answer(invitation, comment="Long\r\nqueue\x00")
    response = session.scalar(select(Response))
    assert (response.score, response.comment) == (2, "Long\nqueue")
    assert history(session) == [(2, None, "confirmed")]


def test_the_same_answer_again_changes_nothing_even_when_all_is_over(invitation, session):
    answer(invitation, 4, comment="Fine")
    before = session.scalar(select(Response.updated_at))
    answer(invitation, 4, comment="Fine", at=MOMENT + timedelta(days=60))
    assert session.scalar(select(Response.updated_at)) == before
    assert history(session) == []


def test_after_the_window_the_answer_stands(invitation, session):
    answer(invitation, 4)
    with pytest.raises(AnswerWindowClosed) as closed:
        answer(invitation, 1, at=NEXT_DAY + timedelta(hours=24))
    assert closed.value.until == NEXT_DAY + timedelta(hours=24)
    assert session.scalar(select(Response.score)) == 4
    assert history(session) == []


def test_an_expired_invitation_takes_no_answer(invitation, session):
    with pytest.raises(InvitationClosed) as closed:
        answer(invitation, 4, at=MOMENT + timedelta(days=14))
    assert closed.value.until == MOMENT + timedelta(days=14)
    assert session.scalar(select(func.count(Response.id))) == 0
    assert counted(session) == []


def test_a_closed_or_archived_survey_and_an_erased_person_take_no_answer(invitation, session):
    invitation.survey_version.survey.closes_at = MOMENT
    session.commit()
    with pytest.raises(InvitationClosed):
        answer(invitation, 4)
    invitation.survey_version.survey.closes_at, invitation.survey_version.survey.archived_at = None, MOMENT
    session.commit()
    with pytest.raises(InvitationClosed):
        answer(invitation, 4)
    invitation.survey_version.survey.archived_at, invitation.customer.erased_at = None, MOMENT
    session.commit()
    with pytest.raises(InvitationClosed) as closed:
        answer(invitation, 4)
    assert closed.value.until is None
    assert session.scalar(select(func.count(Response.id))) == 0


def test_a_provisional_answer_is_confirmed_and_never_replaces_a_confirmed_one(invitation, session):
    answer(invitation, 4, PROVISIONAL)
    assert counted(session) == [(4, "provisional", 1)]
    answer(invitation, 4, at=NEXT_DAY + timedelta(hours=30))
    answer(invitation, 1, PROVISIONAL, at=NEXT_DAY + timedelta(hours=31))
    response = session.scalar(select(Response))
    assert (response.score, response.status) == (4, "confirmed")
    assert response.answered_at == NEXT_DAY + timedelta(hours=30)
    assert counted(session) == [(4, "confirmed", 1)]


def test_a_suspected_robot_does_not_use_up_the_invitation(invitation, session):
    answer(invitation, 1, SUSPECT)
    assert session.scalar(select(Invitation.answered_at)) is None
    answer(invitation, 5, at=NEXT_DAY + timedelta(days=2))
    assert counted(session) == [(5, "confirmed", 1)]
    answer(invitation, 1, SUSPECT, at=NEXT_DAY + timedelta(days=2))
    assert counted(session) == [(5, "confirmed", 1)]
    assert rebuild(check=True).differences == []


@pytest.mark.parametrize("score", [0, 6, -1, 4.0, True, "4"])
def test_a_score_off_the_scale_is_refused(invitation, session, score):
    with pytest.raises(AnswerRefused, match="score: choose"):
        answer(invitation, score)
    assert session.scalar(select(func.count(Response.id))) == 0


def test_words_without_a_score_are_no_answer(invitation):
    with pytest.raises(AnswerRefused, match="score: choose"):
        answer(invitation, comment="Hello")


def test_of_a_comment_too_long_the_first_characters_are_kept(invitation, session):
    answer(invitation, 3)
    answer(invitation, comment=" " + "x" * 4_998 + "e\u0301\u0302" + "y" * 12)
    assert session.scalar(select(Response.comment)) == "x" * 4_998
    assert session.scalar(select(Verbatim.words)) == "x" * 64
    answer(invitation, comment="é" * 5_000)
    assert session.scalar(select(Response.comment)) == "é" * 5_000


def test_a_posted_page_is_read_strictly(invitation, session):
    for wrong in ("9.5", "11", "true", "٣", "", "0"):
        with pytest.raises(AnswerRefused):
            post(invitation, score=wrong)
    with pytest.raises(AnswerRefused), clock.at(NEXT_DAY):
        record_form(invitation.uid, {"score": ["3", "4"]}, page=1, status=CONFIRMED, language="en")
    assert session.scalar(select(func.count(Response.id))) == 0
    assert post(invitation, score="3").next_page == 2
    assert post(invitation, page=2, comment="Good").next_page is None
    response = session.scalar(select(Response))
    assert (response.score, response.comment, response.channel, response.language) == (3, "Good", "email", "en")


def test_skipping_keeps_a_changed_score_and_drops_the_words(invitation, session):
    post(invitation, score="3")
    assert post(invitation, page=2, score="4", comment="never mind", skip="1").next_page is None
    response = session.scalar(select(Response))
    assert (response.score, response.comment) == (4, None)


def test_an_empty_box_leaves_earlier_words_alone(invitation, session):
    post(invitation, score="3")
    post(invitation, page=2, comment="Good")
    post(invitation, page=2, score="4", comment="")
    response = session.scalar(select(Response))
    assert (response.score, response.comment) == (4, "Good")


def test_further_questions_are_kept_and_lead_to_their_own_page(app, session):
    make_brand()
    reason = {"key": "reason", "kind": "many", "ask": {"en": "Why?"},
              "options": [{"key": k, "label": {"en": k}} for k in ("crew", "price")]}  # fmt: skip
    which = {"key": "which", "kind": "text", "ask": {"en": "Which?"}, "when": {"reason": "price"}}
    invitation = make_invitation(make_survey(metric="nps", key="nps", follow_up=[reason, "comment", which]))
    post(invitation, score="9")
    assert post(invitation, page=2, reason="price", comment="Dear").next_page == 3
    assert post(invitation, page=3, which="The bag").next_page is None
    response = session.scalar(select(Response))
    assert response.answers == {"reason": ["price"], "which": "The bag"}
    assert response.comment == "Dear"
    with pytest.raises(AnswerRefused, match="reason: choose"):
        post(invitation, page=2, reason="drop table")


def test_an_unknown_invitation_takes_no_answer(app):
    with pytest.raises(InvitationUnknown):
        record_form("nobody", {"score": ["3"]}, page=1, status=CONFIRMED, language="en")


def test_an_answer_over_a_public_link_makes_its_own_invitation_and_a_customer_nobody_knows(app, session):
    make_brand()
    version = make_survey(metric="nps", key="nps", follow_up="comment")
    uid = public_uid(version.id, MOMENT, "n" * 16)
    for form in ({"score": ["9"]}, {"comment": ["Hi"]}):
        with clock.at(MOMENT + timedelta(minutes=5)):
            record_form(uid, form, page=2 if "comment" in form else 1, status=CONFIRMED, language="fr")
    response = session.scalar(select(Response))
    assert (response.score, response.comment, response.channel, response.source) == (9, "Hi", "web", "public")
    assert (response.step, response.event, response.decision) == (None, None, None)
    assert response.event_at == MOMENT + timedelta(minutes=5)
    customer = session.scalar(select(Customer))
    assert (customer.external_id, customer.email, customer.anonymous_id) == (None, None, uid)
    assert session.scalar(select(func.count(Invitation.id))) == 1


def test_a_public_link_lapses(app, session):
    make_brand()
    uid = public_uid(make_survey().id, MOMENT, "n" * 16)
    with pytest.raises(InvitationClosed), clock.at(MOMENT + timedelta(minutes=30)):
        record_form(uid, {"score": ["4"]}, page=1, status=CONFIRMED, language="en")
    with pytest.raises(InvitationUnknown), clock.at(MOMENT):
        record_form(public_uid(999, MOMENT, "n" * 16), {"score": ["4"]}, page=1, status=CONFIRMED, language="en")
    assert session.scalar(select(func.count(Customer.id))) == 0


@pytest.mark.parametrize("public", [False, True])
def test_c33_twenty_answers_at_once_leave_one_and_the_cells_agree(app, session, public):
    make_brand()
    version = make_survey(metric="nps", key="nps")
    uid = public_uid(version.id, clock.now(), "n" * 16) if public else make_invitation(version).uid
    session.remove()
    failures = []

    def one(score):
        with app.app_context():
            try:
                record_form(uid, {"score": [str(score % 11)]}, page=1, status=CONFIRMED, language="en")
            except Exception as failure:
                failures.append(failure)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one, args=(score,)) for score in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert session.scalar(select(func.count(Response.id))) == 1
    assert session.scalar(select(func.count(Invitation.id))) == 1
    assert session.scalar(select(ANSWERS)) == 1
    assert session.scalar(select(func.count(Customer.id))) == 1
    assert rebuild(check=True).differences == []
