"""A survey's life: drafted, changed, undone, published as a version that never changes, archived, brought back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, ProgrammeVersion, Survey, SurveyDraft, SurveyVersion, Trigger
from surveyapp.queries.programme import export
from surveyapp.services import surveys
from surveyapp.services.programme import apply_programme
from surveyapp.services.surveys import Definition
from tests import outreach

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
KEY = "check_in_csat"
WENT_WRONG = {
    "key": "went_wrong",
    "kind": "many",
    "ask": {"en": "What went wrong?"},
    "options": [{"key": "slow", "label": {"en": "Slow"}}, {"key": "rude", "label": {"en": "Rude"}}],
    "when": {"score": {"to": 3}},
}


@pytest.fixture(autouse=True)
def programme(app: OpenAPI) -> None:
    with clock.at(NOW - timedelta(days=1)):
        outreach.load()


def asking(*questions: Any) -> Any:
    """A change of a draft: these follow-ups."""

    def change(definition: Definition) -> Definition:
        return {**definition, "follow_up": list(questions)}

    return change


def versions(key: str = KEY) -> list[tuple[int, Any]]:
    query = select(SurveyVersion).join(Survey).where(Survey.key == key).order_by(SurveyVersion.number)
    return [(row.number, row.definition["follow_up"]) for row in db.session.scalars(query)]


def exported(key: str = KEY) -> Any:
    return next((s for s in yaml.safe_load(export())["surveys"] if s["key"] == key), None)


def test_a_published_draft_is_the_next_version_and_stands_in_the_programme_file() -> None:
    draft = surveys.save_draft(KEY, asking("comment", WENT_WRONG), "lena", 0)
    assert (draft.revision, draft.base_version) == (2, 1)
    assert versions() == [(1, "comment")], "a draft changes nothing that is live"
    version = surveys.publish(KEY, "lena", 2)
    assert version.number == 2
    assert versions() == [(1, "comment"), (2, ["comment", WENT_WRONG])]
    assert exported()["follow_up"] == ["comment", WENT_WRONG]
    assert db.session.scalar(select(func.count()).select_from(SurveyDraft)) == 0
    kept = db.session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.number.desc())).first()
    assert kept is not None
    assert (kept.number, kept.applied_by, kept.content) == (2, "lena", export())
    [told] = db.session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "survey.publish"))
    assert told["changes"] == ["Question “What went wrong?”"]
    assert apply_programme(export(), "test").changed == [], "the file that is exported is what stands"


def test_what_cannot_be_asked_is_kept_as_a_draft_but_not_published() -> None:
    surveys.save_draft(KEY, asking({**WENT_WRONG, "options": []}), "lena")
    with pytest.raises(surveys.SurveyRefused) as refusal:
        surveys.publish(KEY, "lena")
    assert [p.place for p in refusal.value.problems] == ["follow_up[0].options"]
    assert versions() == [(1, "comment")]
    assert db.session.scalar(select(func.count()).select_from(ProgrammeVersion)) == 1


def test_undo_brings_back_what_was_said_step_by_step() -> None:
    with clock.at(NOW):
        surveys.save_draft(KEY, asking(), "lena")
    with clock.at(NOW + timedelta(minutes=1)):
        surveys.save_draft(KEY, asking(WENT_WRONG), "lena")
        before = surveys.undo(KEY, "lena")
        assert before is not None
        assert before.definition["follow_up"] == []
        first = surveys.undo(KEY, "lena")
        assert first is not None
        assert first.definition["follow_up"] == "comment"
        again = surveys.undo(KEY, "lena")
    assert again is not None
    assert (again.definition["follow_up"], again.revision) == ("comment", 5)


def test_what_is_typed_in_one_go_is_one_step_back() -> None:
    for second, about in enumerate(("c", "ch", "che")):
        with clock.at(NOW + timedelta(seconds=second)):
            surveys.save_draft(KEY, lambda d, about=about: {**d, "about": {"en": about}}, "lena", typed=True)  # type: ignore[misc]
    undone = surveys.undo(KEY, "lena")
    assert undone is not None
    assert undone.definition["about"] == {"en": "check-in"}


def test_a_stale_save_is_refused_with_what_stands_now() -> None:
    surveys.save_draft(KEY, asking(), "lena", 0)
    with pytest.raises(surveys.DraftChanged) as change:
        surveys.save_draft(KEY, asking(WENT_WRONG), "omar", 0)
    assert change.value.theirs is not None
    assert change.value.theirs.updated_by == "lena"
    with pytest.raises(surveys.DraftChanged):
        surveys.publish(KEY, "omar", 1)
    assert versions() == [(1, "comment")]


def test_publishing_what_is_live_makes_no_version() -> None:
    surveys.begin_draft(KEY, "lena")
    with pytest.raises(surveys.NothingToPublish):
        surveys.publish(KEY, "lena")
    assert versions() == [(1, "comment")]


def test_a_limit_alone_makes_no_version() -> None:
    surveys.save_draft(KEY, lambda d: {**d, "public": "desk", "quota": 50, "closes": "2027-03-31"}, "lena")
    assert surveys.publish(KEY, "lena").number == 1
    row = db.session.scalars(select(Survey).where(Survey.key == KEY)).one()
    assert (row.public_slug, row.quota, row.closes_at) == ("desk", 50, datetime(2027, 3, 31, 22, 0, tzinfo=UTC))
    assert exported()["public"] == "desk"


def test_a_public_link_belongs_to_one_survey() -> None:
    for key in (KEY, "boarding_csat"):
        surveys.save_draft(key, lambda d: {**d, "public": "desk"}, "lena")
    surveys.publish(KEY, "lena")
    with pytest.raises(surveys.SurveyRefused, match="belongs to the survey"):
        surveys.publish("boarding_csat", "lena")


def test_a_new_survey_is_asked_by_nothing_until_it_is_published() -> None:
    surveys.new_survey("desk_ces", {"metric": "ces2", "follow_up": "comment"}, "lena")
    assert exported("desk_ces") is None
    assert surveys.publish("desk_ces", "lena").number == 1
    assert exported("desk_ces") == {"key": "desk_ces", "metric": "ces2", "follow_up": "comment"}
    for taken in ("desk_ces", KEY, "not a key", "all", ""):
        with pytest.raises(surveys.KeyRefused):
            surveys.new_survey(taken, {"metric": "nps"}, "lena")


def test_an_archived_survey_takes_its_triggers_along_and_brings_them_back() -> None:
    assert surveys.archive(KEY, "lena") == ["after_check_in"]
    assert exported() is None
    assert "after_check_in" not in export()
    outreach.happens("e-1", "c-1", "check_in", clock.now())
    assert outreach.outcomes() == {}
    surveys.restore(KEY, "lena")
    assert exported() is not None
    archived = select(Trigger.archived_at).where(Trigger.key == "after_check_in")
    assert db.session.scalar(archived) is None
    with pytest.raises(surveys.SurveyUnknown):
        surveys.restore(KEY, "lena")


def test_a_survey_that_the_policy_names_is_not_archived() -> None:
    outreach.load(outreach.POLICY + f"  rules: [{{kind: own_gap, survey: {KEY}, gap: 60d}}]\n")
    with pytest.raises(surveys.SurveyInUse, match="There is no survey"):
        surveys.archive(KEY, "lena")
    assert exported() is not None
    assert surveys.archive("boarding_csat", "lena") == ["after_boarding"]


def test_a_file_applied_meanwhile_leaves_the_draft_and_its_base_visible() -> None:
    surveys.save_draft(KEY, asking(WENT_WRONG), "lena")
    apply_programme(outreach.PROGRAMME.replace("about: {en: check-in}", "about: {en: checking in}"), "ops")
    draft = db.session.scalars(select(SurveyDraft)).one()
    assert (draft.base_version, versions()[-1][0]) == (1, 2)
    surveys.publish(KEY, "lena")
    assert [number for number, _ in versions()] == [1, 2, 3]
    assert exported()["about"] == {"en": "check-in"}
