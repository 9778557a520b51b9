"""Keeps what is answered over a test link, beside every answer that counts, and clears it. Moves no figure."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.public_links import PublicLink
from surveyapp.domain.questions import Definition, DefinitionProblems, Problem, parse_definition
from surveyapp.domain.survey_conditions import sample_context
from surveyapp.domain.vocabulary import Channel, ResponseStatus
from surveyapp.models import Survey, SurveyDraft, SurveyVersion, TestAnswer
from surveyapp.services import audit
from surveyapp.services.answer_forms import CLOSING, Before, Form, Given, read_form
from surveyapp.services.inserts import insert_new
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]


def record(
    session: AnySession, uid: str, link: PublicLink, form: Form, page: int, language: str | None
) -> tuple[int | None, list[Problem]] | None:
    """The page to go on to, or what is wrong with the form; None where there is no such survey or no time left.

    Within the caller's transaction.
    """
    now = clock.database_now(session)
    tried = _tried(session, link)
    if tried is None or link.open_until <= now:
        return None
    row = session.scalars(select(TestAnswer).where(TestAnswer.uid == uid).with_for_update()).one_or_none()
    said = (row.score, row.answers) if row else (None, {})
    before = Before(tried.definition, row is not None, *said, tried.context, tried.where, language)
    given, problems = read_form(before, form, page, Given(ResponseStatus.CONFIRMED, Channel.WEB, language))
    if not problems and row is None and given.score is None and not given.not_applicable:
        problems = [Problem("score", "choose")]
    if problems:
        return None, problems
    if row is None:
        of = {"survey_version_id": link.survey_version_id, "survey_draft_id": link.draft_id}
        values: dict[str, Any] = {"uid": uid, **of, "answers": {}, "answered_at": now}
        insert_new(session, TestAnswer, [values], ["uid"])
        row = session.scalars(select(TestAnswer).where(TestAnswer.uid == uid).with_for_update()).one()
    _keep(row, given)
    row.answered_at = now
    if "skip" in form or page == CLOSING:
        return None, []
    return replace(before, score=row.score, answers=row.answers).next_page(page, row.score, row.answers), []


@dataclass(frozen=True, slots=True)
class _Tried:
    definition: Definition
    context: dict[str, object]
    where: str


def _tried(session: AnySession, link: PublicLink) -> _Tried | None:
    """What the link asks: a version, or a draft as it stands; None where it is gone or cannot be asked."""
    if link.draft_id is None:
        version = session.get(SurveyVersion, link.survey_version_id)
        said, where = (version.definition, f"{version.survey.key}/{version.number}") if version else (None, "")
    else:
        draft = session.get(SurveyDraft, link.draft_id)
        said, where = (draft.definition, f"{draft.key}/draft") if draft else (None, "")
    try:
        return None if said is None else _Tried(parse_definition(said), sample_context(said), where)
    except DefinitionProblems:
        return None


def _keep(row: TestAnswer, given: Given) -> None:
    if given.score is not None or given.not_applicable:
        row.score = given.score
    row.comment = row.comment if given.comment is None else given.comment
    kept = {key: value for key, value in row.answers.items() if key not in given.cleared}
    row.answers = {**kept, **(given.answers or {})}
    row.language = given.language or row.language


def clear(key: str) -> int:
    """Every test answer of the survey is gone; how many there were."""
    with transaction() as session:
        versions = select(SurveyVersion.id).join(Survey, Survey.id == SurveyVersion.survey_id).where(Survey.key == key)
        drafts = select(SurveyDraft.id).where(SurveyDraft.key == key)
        of_it = TestAnswer.survey_version_id.in_(versions) | TestAnswer.survey_draft_id.in_(drafts)
        query = delete(TestAnswer).where(of_it).returning(TestAnswer.id)
        gone = len(list(session.scalars(query.execution_options(synchronize_session=False))))
        audit.note(session, "survey.tests_cleared", key, {"answers": gone})
        return gone
