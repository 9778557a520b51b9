"""Records answers: one per invitation whatever the channel, with its frozen context, its history and its roll-up cell.

Reads no request and sends nothing. Whether a visit looks like a robot's is for `services/clicks` to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.public_links import PublicLink, read_public
from surveyapp.domain.questions import Definition, Problem, read_comment
from surveyapp.domain.scores import on_scale
from surveyapp.domain.vocabulary import Channel, ResponseStatus
from surveyapp.models import (
    Brand,
    Customer,
    Invitation,
    LedgerEntry,
    Message,
    Response,
    ResponseChange,
    SurveyVersion,
)
from surveyapp.models.base import table_of
from surveyapp.services import cases, clicks, first_answers, quotas, rollups, test_answers, verbatims, webhooks
from surveyapp.services.answer_forms import CLOSING, Before, Form, Given, read_form
from surveyapp.services.clicks import Claim
from surveyapp.services.first_answers import FirstAnswer
from surveyapp.services.holding import Held, locked, read_since
from surveyapp.services.inserts import insert_new
from surveyapp.services.together import Together
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
_PROVISIONAL = ResponseStatus.PROVISIONAL
_RANK = {ResponseStatus.SUSPECTED_BOT: 0, ResponseStatus.PROVISIONAL: 1, ResponseStatus.CONFIRMED: 2}


class InvitationUnknown(Exception):
    """No invitation has this id."""


class InvitationClosed(Exception):
    """The question can no longer be answered; `until` is the last moment it could, where that may be told."""

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__("the question has closed")
        self.until = until


class AnswerWindowClosed(Exception):
    """The answer stands and can no longer be changed; `until` is the last moment it could."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the answer can no longer be changed")
        self.until = until


class AnswerRefused(Exception):
    """Something in the answer does not fit; nothing was stored. `problems` name the fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(f"{p.field}: {p.kind}" for p in problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer as it now stands (none of a trial), and the page with the next questions, if there is one."""

    response: Response | FirstAnswer | None
    next_page: int | None


def record(
    invitation: Invitation,
    *,
    score: int | None = None,
    comment: str | None = None,
    answers: Mapping[str, Any] | None = None,
    status: ResponseStatus,
    channel: str,
    language: str | None = None,
    trapped: bool = False,
) -> Response:
    """The invitation's one answer, made or changed by what was given. Safe to repeat.

    Of a comment the first 5,000 characters are kept. An answer that weighs less than the stored one (provisional after
    confirmed) changes nothing, unless only a machine could have given it (`trapped`). Raises AnswerRefused (no score
    yet, a score off the scale), InvitationClosed, AnswerWindowClosed.
    """
    with transaction() as session:
        held = locked(session, invitation_id=_id_of(invitation))
        if held is None:
            raise InvitationUnknown
        words = None if comment is None else read_comment(comment)[0]
        given = Given(ResponseStatus(status), channel, language, score, words, answers, trapped=trapped)
        recording = _Recording(session, held)
        kept = recording.keep(given)
        recording.together.send()
        if isinstance(kept, Response):
            return kept
        return session.scalars(select(Response).where(Response.uid == kept.uid)).one()


def record_form(
    uid: str, form: Form, *, page: int, status: ResponseStatus, language: str | None, claim: Claim | None = None
) -> Recorded:
    """The answer that a posted page gives, read strictly. `uid` is an invitation's or a public link's id.

    The answer's channel is the one the invitation was sent by; a null language is the invitation's. `skip` keeps
    the score and drops the rest. With a `claim` the post is weighed by what came over the link and may count for less
    than `status`. Raises InvitationUnknown, InvitationClosed, AnswerWindowClosed, AnswerRefused.
    """
    with transaction() as session:
        held = locked(session, uid=uid)
        if held is None:
            link = read_public(uid)
            if link is None:
                raise InvitationUnknown
            if link.test:
                return _tried(session, uid, link, form, page, language)
            held = _invited_by_public_link(session, uid, link, language)
        recording = _Recording(session, held, claim.evidence_since if claim else None)
        before = recording.before()
        given, problems = read_form(before, form, page, Given(status, held.channel, language))
        if problems:
            recording.refuse_when_closed()
            raise AnswerRefused(problems)
        response = _weighed(recording, given, claim) if claim else recording.keep(given)
        recording.together.send()
        if "skip" in form or page == CLOSING:
            return Recorded(response, None)
        return Recorded(response, before.next_page(page, response.score, response.answers))


def _tried(session: AnySession, uid: str, link: PublicLink, form: Form, page: int, language: str | None) -> Recorded:
    """A trial of a survey goes on to its next page and counts nowhere."""
    done = test_answers.record(session, uid, link, form, page, language)
    if done is None:
        raise InvitationClosed(link.open_until)
    if done[1]:
        raise AnswerRefused(done[1])
    return Recorded(None, done[0])


def _weighed(recording: "_Recording", given: Given, claim: Claim) -> Response | FirstAnswer:
    """The answer after a post over a link, which counts as what came over that link lets it count."""
    uid = recording.held.uid
    weighed = clicks.weigh(recording.session, uid, claim, recording.evidence, recording.now)
    if weighed.settled and recording.response is not None:
        return recording.response
    old = recording.response
    same = (given.not_applicable and old is not None and old.score is None) or given.score in (None, old and old.score)
    known_already = old is not None and old.status == ResponseStatus.CONFIRMED and same
    response = recording.keep(replace(given, status=weighed.verdict.status, lowers=weighed.own))
    if known_already and weighed.verdict.status is ResponseStatus.CONFIRMED and claim.gesture is None:
        return response  # a further page of a person's answer tells nothing new
    clicks.conclude(recording.together, uid, claim, weighed.verdict, given.score, recording.now)
    return response


class _Recording:
    """One invitation, held by its lock, and its answer."""

    def __init__(self, session: AnySession, held: Held, evidence_since: datetime | None = None) -> None:
        self.session, self.held = session, held
        self.together = Together(session)
        since = read_since(session, held, evidence_since)
        self.response, self.now, self.evidence = since.response, since.now, since.evidence
        self.definition: Definition = held.definition
        own = since.attributes if since.response is None else None  # an answer's context may be older than this one
        self.named = rollups.Named(held.survey, held.version, held.partner or "", own)

    def before(self) -> Before:
        """What is known before this post."""
        old = self.response
        context = self.held.context if old is None else old.context
        said = (old.score, old.answers) if old else (None, {})
        where = f"{self.held.survey}/{self.held.version}"
        return Before(self.definition, old is not None, *said, context, where, self.held.language)

    def keep(self, given: Given) -> Response | FirstAnswer:
        """The answer after `given`."""
        if given.score is not None and not on_scale(self.definition.metric, given.score):
            raise AnswerRefused([Problem("score", "choose")])
        if self.response is None:
            self.refuse_when_closed()
            if self.held.full_at is not None:
                raise InvitationClosed(self.held.full_at)
            if given.score is None and not given.not_applicable:
                raise AnswerRefused([Problem("score", "choose")])
            first = self._first(given)
            cases.note_wish(self.session, first, self.definition, self.now)
            return first
        kept = self._change(self.response, given)
        cases.note_wish(self.session, kept, self.definition, self.now, given.cleared)
        return kept

    def refuse_when_closed(self) -> None:
        """Raise InvitationClosed when the question is over for this person."""
        held = self.held
        if held.erased_at is not None or held.archived_at is not None:
            raise InvitationClosed
        ends = [moment for moment in (held.open_until, held.closes_at) if moment is not None]
        if ends and min(ends) <= self.now:
            raise InvitationClosed(min(ends))

    def _first(self, given: Given) -> FirstAnswer:
        answer = first_answers.frozen(self.held, self.definition, given, self.now)
        first_answers.keep(answer, self.together)
        rollups.count(self.session, answer, 1, self.named)
        if answer.comment:
            self.together.send()
            number = self.session.scalars(select(Response.id).where(Response.uid == answer.uid)).one()
            verbatims.keep(self.session, {number: answer.comment})
        self._note_answered(given.status)
        self._tell(answer.uid, given.status)
        return answer

    def _change(self, response: Response, given: Given) -> Response:
        before = ResponseStatus(response.status)
        doubted = given.trapped or (given.lowers and before is _PROVISIONAL)
        sets_aside = doubted and given.status is ResponseStatus.SUSPECTED_BOT
        if _RANK[given.status] < _RANK[before] and not sets_aside:
            return response
        robots = before is ResponseStatus.SUSPECTED_BOT is not given.status  # its words are not this person's
        comment, answers = (None, {}) if robots else (response.comment, response.answers)
        changes: dict[str, Any] = {
            "score": response.score if given.score is None and not given.not_applicable else given.score,
            "comment": comment if given.comment is None else given.comment,
            "answers": {**{key: v for key, v in answers.items() if key not in given.cleared}, **(given.answers or {})},
            "status": given.status,
        }
        if all(getattr(response, name) == value for name, value in changes.items()):
            return response
        self.refuse_when_closed()
        self._refuse_when_settled(response)
        kept = {name: getattr(response, name) for name in (*changes, "channel")}
        self.session.add(ResponseChange(response_id=response.id, at=self.now, **kept))
        changes |= {"channel": given.channel, "language": given.language or response.language}
        if before is not ResponseStatus.CONFIRMED:
            changes["answered_at"] = self.now
        counted = ("score", "status", "channel", "language")
        if any(getattr(response, name) != changes[name] for name in counted):
            with rollups.moving(self.session, response, self.named):
                _set(response, changes, self.now)
        else:
            _set(response, changes, self.now)
        if kept["comment"] != response.comment:
            verbatims.keep(self.session, {response.id: response.comment})
        if before is not given.status:
            self._note_answered(given.status)
        self._tell(response.uid, given.status)
        return response

    def _tell(self, uid: str, status: ResponseStatus) -> None:
        """Let endpoints know of an answer that counts, whenever it changes. Where there are none it costs nothing."""
        if self.held.listened_to and status is ResponseStatus.CONFIRMED:
            self.together.send()
            webhooks.tell_confirmed(self.session, uid)

    def _refuse_when_settled(self, response: Response) -> None:
        if response.status != ResponseStatus.CONFIRMED:
            return
        until = edit_until(response.answered_at, int(current_app.config["RESPONSE_EDIT_HOURS"]))
        if until <= self.now:
            raise AnswerWindowClosed(until)

    def _note_answered(self, status: ResponseStatus) -> None:
        if status is not ResponseStatus.CONFIRMED:
            return
        if self.held.quota is not None and self.held.full_at is None:
            self.together.send()
            self.session.flush()
            quotas.note_confirmed(self.session, self.held.survey_id, self.held.quota, self.now)
        if self.held.answered_at is None:
            note_answered(self.together, self.held.id, self.now)


def note_answered(together: Together, invitation_id: int, now: datetime) -> None:
    """Let the reminder and the contact rules see the answer. Only a confirmed one says that a person answered."""
    values = {"invitation": invitation_id, "now": now}
    together.add(_ANSWERED, values)
    together.add(_LEDGER_ANSWERED, values)


_INVITATION, _MESSAGE, _LEDGER = table_of(Invitation), table_of(Message), table_of(LedgerEntry)
_NOW = bindparam("now", type_=_INVITATION.c.answered_at.type)
_ANSWERED = update(_INVITATION).where(_INVITATION.c.id == bindparam("invitation")).values(answered_at=_NOW)
_SENT = select(_MESSAGE.c.id).where(_MESSAGE.c.invitation_id == bindparam("invitation"))
_LEDGER_ANSWERED = (
    update(_LEDGER).where(_LEDGER.c.message_id.in_(_SENT), _LEDGER.c.answered_at.is_(None)).values(answered_at=_NOW)
)


def edit_until(answered_at: datetime, hours: int) -> datetime:
    """The last moment at which an answer may be changed."""
    return answered_at + timedelta(hours=hours)


def _set(response: Response, changes: Mapping[str, Any], now: datetime) -> None:
    for name, value in changes.items():
        setattr(response, name, value)
    response.updated_at = now


def _id_of(invitation: Invitation) -> int:
    """The row's id without reading the row: its attributes may have expired with the caller's transaction."""
    identity: tuple[int, ...] = invitation.__mapper__.identity_key_from_instance(invitation)[1]
    return identity[0]


def _invited_by_public_link(session: AnySession, uid: str, link: PublicLink, language: str | None) -> Held:
    """The invitation that the first answer over a public link makes, with a customer nobody knows."""
    if not session.scalar(select(exists().where(SurveyVersion.id == link.survey_version_id))):
        raise InvitationUnknown
    now = clock.database_now(session)
    if link.open_until <= now:
        raise InvitationClosed(link.open_until)
    stranger = Customer(anonymous_id=uid, consent={}, attributes={}, created_at=now)
    session.add(stranger)
    session.flush()
    values = {
        "uid": uid,
        "customer_id": stranger.id,
        "survey_version_id": link.survey_version_id,
        "channel": str(Channel.WEB),
        "language": language or session.scalar(select(Brand.language).limit(1)) or "en",
        "created_at": now,
        "open_until": link.open_until,
    }
    if not insert_new(session, Invitation, [values], ["uid"]):  # a second tap was faster
        session.delete(stranger)
        session.flush()
    held = locked(session, uid=uid)
    if held is None:
        raise InvitationUnknown
    return held
