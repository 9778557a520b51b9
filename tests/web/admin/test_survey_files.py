"""Surveys out and in as files: what leaves comes back the same; what cannot be read is a sentence, never an error."""

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp.extensions import db
from surveyapp.models import SurveyDraft
from surveyapp.services import surveys
from tests.domain.test_survey_import import BOMB, LSS, SURVEYJS
from tests.services.test_surveys import KEY, WENT_WRONG, asking, exported
from tests.web.admin.living import live
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import Console

IMPORT = "/admin/surveys/-/import"


@pytest.fixture
def editor(app: OpenAPI, client: FlaskClient) -> Console:
    live()
    return Console(client, "editor")


def draft(key: str) -> Any:
    return db.session.scalars(select(SurveyDraft.definition).where(SurveyDraft.key == key)).one()


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_what_is_exported_is_imported_the_same(editor: Console, kind: str) -> None:
    surveys.save_draft(KEY, asking("comment", WENT_WRONG), "lena")
    surveys.publish(KEY, "lena")
    text = editor.read(f"/admin/surveys/{KEY}/survey.{kind}")
    answer = editor.post(IMPORT, file=(io.BytesIO(text.encode()), f"x.{kind}"))
    assert answer.location == f"/admin/surveys/{KEY}_2/design"
    surveys.publish(f"{KEY}_2", "lena")
    assert exported(f"{KEY}_2") == {**exported(), "key": f"{KEY}_2"}


def test_other_tools_surveys_become_drafts_with_a_report(editor: Console) -> None:
    for text, key, sentence in (
        (LSS, "desk", "a grid of questions cannot be asked here"),
        (json.dumps(SURVEYJS), "after_the_visit", "3 things to look at"),
    ):
        answer = editor.post(IMPORT, text=text)
        assert answer.status_code == 200
        assert f"Imported as {key}" in words(answer.text)
        assert sentence in words(answer.text)
        assert editor.post(f"/admin/surveys/{key}/publish", revision="1").status_code == 303
        assert exported(key) is not None


NO_SURVEYS = (
    b"", b"   ", b"<", b"{", b"[1,2]", b"[]", b"{}", b"3", b"- a", b"metric", b"a: [", b"\xff\xfe\x00", b"&a",
    b"[" * 100_000, b'{"a":NaN}', b'{"pages":[{"elements":3}]}', b"surveys: [{metric: nps}, {metric: nps}]",
    b"metric: {a: b}", BOMB.encode(), b"a: &x [*x]",
)  # fmt: skip


def test_a_file_that_is_none_is_refused_in_words(editor: Console) -> None:
    for content in NO_SURVEYS:
        answer = editor.post(IMPORT, file=(io.BytesIO(content), "x"))
        assert answer.status_code == 422, (content[:40], answer.status_code)
        assert 'role="alert"' in answer.text
    assert db.session.scalars(select(SurveyDraft)).all() == []


def test_too_much_and_a_key_that_cannot_be_are_refused(editor: Console) -> None:
    assert editor.post(IMPORT, text="a" * (1024 * 1024 + 1)).status_code == 413
    assert editor.post(IMPORT, text="metric: nps", key="no key!").status_code == 422
    answer = editor.post(IMPORT, text="metric: nps\nfollow_up: [{key: 3, options: x, when: y}]\nabout: 7\n", key="odd")
    assert answer.status_code == 303, "whatever it says it is kept as a draft"
    assert draft("odd")["metric"] == "nps"
    editor.read("/admin/surveys/odd/design")
    editor.read("/admin/surveys/odd")
    editor.read("/admin/surveys/odd/preview")
