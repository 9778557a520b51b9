"""Surveys as they are designed: a draft is written, published as the next version, archived and brought back.

No published version ever changes. Whatever is published or archived leaves a programme file that can be applied.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.programme import plain as written
from surveyapp.domain.programme.fields import KEY
from surveyapp.domain.programme.fields import RESERVED as RESERVED_KEYS
from surveyapp.domain.programme.survey_draft import Refusal, read_draft
from surveyapp.domain.survey_difference import differences
from surveyapp.domain.survey_editing import named
from surveyapp.models import Brand, Survey, SurveyDraft, SurveyVersion, Trigger
from surveyapp.queries.programme import export
from surveyapp.queries.survey_review import review_of
from surveyapp.queries.surveys import draft_of, live_definition, survey_named
from surveyapp.services import audit, quotas
from surveyapp.services.programme import add_programme_version, assign, check
from surveyapp.services.programme_file import ProgrammeRefused
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
Definition = dict[str, Any]
UNDO = 40
SAME_STROKE = timedelta(seconds=3)
MOST_BYTES = 256 * 1024


class NoProgramme(Exception):
    """There is no brand yet to ask in the name of."""


class SurveyUnknown(Exception):
    """There is no survey, and no draft of one, with this key."""


class KeyRefused(Exception):
    """A survey cannot have this key; the message says why."""


class DraftChanged(Exception):
    """The draft was saved by somebody else since it was read. `theirs` is what now stands, None when it is gone."""

    def __init__(self, theirs: SurveyDraft | None) -> None:
        super().__init__("the draft was saved meanwhile")
        self.theirs = theirs


class NothingToPublish(Exception):
    """The draft says what is live already."""


class SurveyRefused(Exception):
    """The survey cannot be published as it is. `problems` say where and why."""

    def __init__(self, problems: list[Refusal]) -> None:
        super().__init__("; ".join(p.sentence for p in problems))
        self.problems = problems


class SurveyInUse(Exception):
    """Something else of the programme names the survey, so that it cannot go; the message says what."""


def begin_draft(key: str, actor: str) -> SurveyDraft:
    """The survey's draft: the one there is, or one that says what is live. Raises SurveyUnknown."""
    with transaction() as session:
        in_line(session)
        found = draft_of(session, key)
        if found is not None:
            return found
        live = live_definition(session, key)
        if live is None:
            raise SurveyUnknown
        return _new_draft(session, key, live[1], live[0], actor)


def new_survey(key: str, definition: Mapping[str, Any], actor: str) -> SurveyDraft:
    """The draft of a survey that did not exist. Raises KeyRefused when the key is taken or cannot be one."""
    with transaction() as session:
        in_line(session)
        if not KEY.fullmatch(key) or key.lower() in RESERVED_KEYS:
            raise KeyRefused("A survey's key has letters a-z, digits, _ and -, at most 80, and is no reserved word.")
        if draft_of(session, key) is not None or survey_named(session, key) is not None:
            raise KeyRefused(f"There is a survey {key!r} already; choose another key.")
        return _new_draft(session, key, definition, 0, actor)


def _new_draft(
    session: scoped_session[Session], key: str, definition: Mapping[str, Any], base: int, actor: str
) -> SurveyDraft:
    now = clock.database_now(session)
    draft = SurveyDraft(key=key, definition=dict(definition), past=[], base_version=base, revision=1)
    draft.updated_at, draft.updated_by = now, actor[:254]
    session.add(draft)
    session.flush()
    audit.note(session, "survey.draft", key, {"from_version": base})
    return draft


def save_draft(
    key: str,
    change: Callable[[Definition], Definition],
    actor: str,
    revision: int | None = None,
    *,
    typed: bool = False,
) -> SurveyDraft:
    """The draft after a change; `undo` brings back what it said before. The same again changes nothing.

    Begins a draft where there is none; what is `typed` in one go is one step back. `revision` is the one that was read
    (0: there was none). Raises SurveyUnknown, DraftChanged, KeyRefused for one that is far too large.
    """
    with transaction() as session:
        in_line(session)
        draft = draft_of(session, key)
        live = live_definition(session, key) if draft is None else None
        if draft is None and live is None:
            raise SurveyUnknown
        if revision is not None and revision != (draft.revision if draft else 0):
            raise DraftChanged(draft)
        before = draft.definition if draft else (live[1] if live else {})
        after = change(before)
        if len(str(after)) > MOST_BYTES:
            raise KeyRefused("A survey of this size cannot be kept: its texts are far too long.")
        if draft is None and live is not None and after != before:
            draft = _new_draft(session, key, live[1], live[0], actor)
        if draft is not None and after != before:
            _write(session, draft, after, actor, typed)
        return draft or SurveyDraft(key=key, definition=before, past=[], base_version=0, revision=0)


def _write(session: AnySession, draft: SurveyDraft, after: Definition, actor: str, typed: bool) -> None:
    """Keep what was said before, once for what is typed in one go."""
    now = clock.database_now(session)
    same_hand = draft.updated_by == actor[:254] and now - draft.updated_at < SAME_STROKE
    goes_on = typed and draft.past and draft.past[-1]["typed"] and same_hand
    if not goes_on:
        draft.past = [*draft.past, {"definition": draft.definition, "typed": typed}][-UNDO:]
    draft.definition, draft.revision = after, draft.revision + 1
    draft.updated_at, draft.updated_by = now, actor[:254]


def undo(key: str, actor: str) -> SurveyDraft | None:
    """The draft as it was one change ago; unchanged where nothing can be undone, None where there is no draft."""
    with transaction() as session:
        in_line(session)
        draft = draft_of(session, key)
        if draft is not None and draft.past:
            draft.definition, draft.past = draft.past[-1]["definition"], draft.past[:-1]
            draft.revision += 1
            draft.updated_at, draft.updated_by = clock.database_now(session), actor[:254]
        return draft


def discard_draft(key: str) -> None:
    """Throw the draft away. Without one nothing happens."""
    with transaction() as session:
        in_line(session)
        draft = draft_of(session, key)
        if draft is not None:
            session.delete(draft)
            audit.note(session, "survey.discard", key, {"revision": draft.revision})


def publish(key: str, actor: str, revision: int | None = None) -> SurveyVersion:
    """Freeze the draft as the survey's next version, which every later ask carries; it is a draft no more.

    What was sent keeps its version. Raises SurveyUnknown, DraftChanged, SurveyRefused, NothingToPublish.
    """
    with transaction() as session:
        brand = in_line(session)
        draft = draft_of(session, key)
        if draft is None:
            raise SurveyUnknown
        if revision is not None and revision != draft.revision:
            raise DraftChanged(draft)
        now = clock.database_now(session)
        before = live_definition(session, key)
        definition = named(draft.definition, brand.language)
        refused = [finding for finding in review_of(session, key, definition) if finding.refuses]
        if refused:
            raise SurveyRefused([Refusal(finding.place, finding.sentence) for finding in refused])
        version = _put(session, key, definition, brand, now)
        told = [change.what for change in differences(before[1] if before else {}, definition, brand.language)]
        session.delete(draft)
        session.flush()
        kept = keep_programme(session, actor, now)
        detail = {"version": version.number, "digest": version.digest, "programme": kept, "changes": told[:50]}
        audit.note(session, "survey.publish", key, detail)
        return version


def _put(
    session: scoped_session[Session], key: str, definition: Mapping[str, Any], brand: Brand, now: datetime
) -> SurveyVersion:
    """Make the survey say this. A changed limit alone makes no new version."""
    said = {"key": key, **definition}
    spec, refusals = read_draft(said, brand.language, brand.languages, brand.timezone)
    if spec is None:
        raise SurveyRefused(refusals)
    if spec.public:
        _take_slug(session, key, spec.public)
    row = survey_named(session, key)
    fresh = row is None
    row = row or Survey(key=key)
    values: dict[str, Any] = {"metric": spec.metric, "group": spec.group, "public_slug": spec.public}
    values |= {"quota": spec.quota, "closes_at": spec.closes, "archived_at": None}
    different = assign(row, values)
    if fresh:
        session.add(row)
        session.flush()
    quotas.weigh(session, row, now)
    asked: dict[str, Any] = written.survey_definition(spec)
    digest = written.survey_digest(asked)
    query = select(SurveyVersion).where(SurveyVersion.survey_id == row.id).order_by(SurveyVersion.number.desc())
    newest = session.scalars(query.limit(1)).one_or_none()
    if newest is not None and newest.digest == digest:
        if not different:
            raise NothingToPublish
        return newest
    number = newest.number + 1 if newest else 1
    version = SurveyVersion(survey_id=row.id, number=number, definition=asked, digest=digest, published_at=now)
    session.add(version)
    return version


def _take_slug(session: AnySession, key: str, slug: str) -> None:
    """An archived survey gives its public link up; a living one keeps it. Raises SurveyRefused."""
    holder = session.scalars(select(Survey).where(Survey.public_slug == slug, Survey.key != key)).one_or_none()
    if holder is None:
        return
    if holder.archived_at is None:
        raise SurveyRefused([Refusal("public", f"The public link {slug!r} belongs to the survey {holder.key!r}.")])
    holder.public_slug = None
    session.flush()


def archive(key: str, actor: str) -> list[str]:
    """The survey asks nobody any more: its links close, what is due is not sent. Its answers stay.

    Returns the keys of the triggers that stopped with it. Raises SurveyUnknown, SurveyInUse.
    """
    with transaction() as session:
        in_line(session)
        row = survey_named(session, key)
        if row is None or row.archived_at is not None:
            raise SurveyUnknown
        now = clock.database_now(session)
        using = list(session.scalars(select(Trigger).where(Trigger.survey_id == row.id, Trigger.archived_at.is_(None))))
        row.archived_at = now
        for trigger in using:
            trigger.archived_at = now
        stopped = sorted(trigger.key for trigger in using)
        session.flush()
        try:
            kept = keep_programme(session, actor, now)
        except SurveyRefused as refusal:
            raise SurveyInUse(refusal.problems[0].sentence) from refusal
        detail = {"triggers": stopped, "programme": kept, "public": row.public_slug}
        audit.note(session, "survey.archive", key, detail)
        return stopped


def restore(key: str, actor: str) -> None:
    """The survey asks again, with the triggers that were archived with it. Raises SurveyUnknown, SurveyRefused."""
    with transaction() as session:
        in_line(session)
        row = survey_named(session, key)
        if row is None or row.archived_at is None:
            raise SurveyUnknown
        session.execute(
            update(Trigger)
            .where(Trigger.survey_id == row.id, Trigger.archived_at == row.archived_at)
            .values(archived_at=None)
        )
        row.archived_at = None
        session.flush()
        kept = keep_programme(session, actor, clock.database_now(session))
        audit.note(session, "survey.restore", key, {"programme": kept})


def keep_programme(session: scoped_session[Session], actor: str, now: datetime) -> int:
    """Keep the file that says what now stands; its number. Raises SurveyRefused where it could not be applied."""
    content = export()
    try:
        check(content)
    except ProgrammeRefused as refusal:
        raise SurveyRefused([Refusal(p.path, p.sentence) for p in refusal.problems]) from refusal
    return add_programme_version(session, content, actor, now)


def in_line(session: AnySession) -> Brand:
    """One change of the programme follows the other. Raises NoProgramme."""
    lock = select(Brand).where(Brand.id == 1).with_for_update().execution_options(populate_existing=True)
    brand = session.scalars(lock).one_or_none()
    if brand is None:
        raise NoProgramme
    return brand
