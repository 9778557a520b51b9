"""The brand's look in the console: computed colours with their contrast; saving changes the look and nothing else."""

import pytest
import yaml
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Brand
from surveyapp.queries.programme import export
from tests import outreach
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import Console

LOOK = "/admin/surveys/-/look"


@pytest.fixture
def editor(app: OpenAPI, client: FlaskClient) -> Console:
    outreach.load()
    return Console(client, "editor")


def test_a_colour_is_shown_with_what_is_computed_and_changes_nothing_yet(editor: Console) -> None:
    text = words(editor.read(f"{LOOK}?colour=%23ffdd00"))
    assert "not saved yet" in text
    assert "The colour itself is read at 1.3:1 on white, below 4.5:1." in text
    assert "below AA" not in text.replace("below AA.", ""), "what is computed is always readable"
    assert "A colour is written #rrggbb" in words(editor.read(f"{LOOK}?colour=red"))
    assert db.session.scalars(select(Brand.colour)).one() is None


def test_a_saved_look_stands_in_the_programme_file_and_on_pages(editor: Console) -> None:
    assert editor.post(LOOK, colour="#7B2D3B", logo="https://cdn.example.org/l.svg").status_code == 303
    said = yaml.safe_load(export())["brand"]
    assert (said["colour"], said["logo"]) == ("#7b2d3b", "https://cdn.example.org/l.svg")
    assert said["name"] == "Oddjob"
    assert "#7b2d3b" in editor.read("/admin/surveys/check_in_csat/preview")
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "brand.look")).all()) == 1
    editor.post(LOOK, colour="", logo="")
    assert "colour" not in yaml.safe_load(export())["brand"]
    assert db.session.scalars(select(Brand.palette)).one() == {}


@pytest.mark.parametrize(
    ("field", "value"), [("colour", "red"), ("colour", "#12345"), ("logo", "javascript:x"), ("logo", "//x.example/l")]
)
def test_what_cannot_be_a_look_is_refused_at_its_field(editor: Console, field: str, value: str) -> None:
    answer = editor.post(LOOK, **{field: value})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert db.session.scalars(select(Brand.colour)).one() is None


def test_a_reader_may_look_but_not_change(app: OpenAPI, client: FlaskClient) -> None:
    reader = Console(client, "analyst")
    assert "Save" not in words(reader.read(LOOK)).split("Look", 3)[-1]
    assert reader.post(LOOK, colour="#123456").status_code == 403
