"""The designer as a form without script: what is typed is kept, every button does one thing, nothing goes live."""

import html
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import LinkHit, Response, Survey, SurveyDraft, Trigger
from surveyapp.services import surveys
from tests import outreach
from tests.services.test_surveys import KEY, WENT_WRONG, asking, versions
from tests.web.admin.living import NOW, live
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import Console

DESIGN = f"/admin/surveys/{KEY}/design"
HOSTILE = "</textarea><script>alert(1)</script>"


@pytest.fixture
def editor(app: OpenAPI, client: FlaskClient) -> Console:
    live()
    return Console(client, "editor")


def draft() -> dict[str, Any]:
    return dict(db.session.scalars(select(SurveyDraft)).one().definition)


def post(editor: Console, do: str, revision: int, **fields: Any) -> Any:
    base = {"metric": "csat5", "about.en": "check-in", "do": do, "revision": str(revision)}
    return editor.post(DESIGN, **(base | {name.replace("__", "."): value for name, value in fields.items()}))


COMMENT = {"questions": "1", "q0.was": "comment", "q0.key": "comment", "q0.kind": "comment"}


def test_a_look_begins_nothing_and_a_save_without_a_change_neither(editor: Console) -> None:
    text = words(editor.read(DESIGN))
    assert "No change yet: the first one begins a draft." in text
    assert "Overall, how satisfied were you with check-in?" in text
    assert post(editor, "save", 0, **COMMENT).status_code == 303
    assert db.session.scalars(select(SurveyDraft)).all() == []


def test_a_question_is_written_button_by_button(editor: Console) -> None:
    answer = post(editor, "add.many", 0, **COMMENT)
    assert answer.location == f"{DESIGN}?open=question#q-question"
    two = COMMENT | {"questions": "2", "q1.was": "question", "q1.key": "question", "q1.kind": "many"}
    two |= {"q1.ask.en": "What  went\nwrong?", "q1.other": "1"}
    two |= {"q1.o0.key": "first", "q1.o0.label.en": "Slow", "q1.o1.key": "second", "q1.o1.label.en": "Rude"}
    post(editor, "when.1.score", 2, **two)
    page = editor.read(f"{DESIGN}?open=question")
    assert "must be one value, a list of values" in words(page), "a condition without a value is told at once"
    post(editor, "up.1", 3, **two, **{"q1.when": "score", "q1.when.score": ["1", "2", "3"]})
    asked = draft()["follow_up"]
    assert [q if isinstance(q, str) else q["key"] for q in asked] == ["question", "comment"]
    assert asked[0]["ask"] == {"en": "What went wrong?"}
    assert asked[0]["when"] == {"score": [1, 2, 3]}
    assert "other" not in asked[0], "chips end with `other` unless they say not"
    assert "only after a score of 1 to 3" in words(editor.read(DESIGN))
    editor.post(f"/admin/surveys/{KEY}/undo")
    assert draft()["follow_up"][0] == "comment"
    assert [number for number, _ in versions()] == [1]


def test_what_a_programme_file_said_stays_said_when_nothing_is_changed(editor: Console) -> None:
    surveys.save_draft(KEY, asking({**WENT_WRONG, "ask_for": {"promoter": {"en": "x"}}}), "lena")
    fields = {"questions": "1", "q0.was": "went_wrong", "q0.key": "went_wrong", "q0.kind": "many", "q0.other": "1"}
    fields |= {"q0.ask.en": "What went wrong?", "q0.when": "score", "q0.when.score": ["1", "2", "3"]}
    fields |= {"q0.o0.key": "slow", "q0.o0.label.en": "Slow", "q0.o1.key": "rude", "q0.o1.label.en": "Rude"}
    post(editor, "save", 2, **fields)
    assert db.session.scalars(select(SurveyDraft)).one().revision == 2
    assert draft()["follow_up"][0]["ask_for"] == {"promoter": {"en": "x"}}


def test_what_cannot_be_is_kept_and_said_at_its_place(editor: Console) -> None:
    post(editor, "save", 0, metric="nonsense", public="Not A Slug!", quota="many", closes="soon", about__en=HOSTILE)
    page = editor.read(DESIGN)
    assert HOSTILE not in page
    text = html.unescape(words(page))
    for sentence in (
        "There is no metric “nonsense”",
        "The public link takes small letters, digits, - and _. “Not A Slug!” does not fit.",
        "Closes after so many answers: a whole number",
        "Closes at the end of: a date",
    ):
        assert sentence in text
    assert draft()["quota"] == "many"
    assert "Choose a metric to see the question." in editor.read(f"/admin/surveys/{KEY}/preview")


def test_a_stale_form_is_shown_beside_what_somebody_else_saved(editor: Console) -> None:
    surveys.save_draft(KEY, lambda d: {**d, "about": {"en": "the desk"}}, "omar")
    answer = post(editor, "save", 0, about__en="my words", **COMMENT)
    assert answer.status_code == 409
    text = words(answer.text)
    assert "omar saved this draft meanwhile" in text
    assert "About, en: theirs the desk, yours my words" in text
    assert 'value="my words"' in answer.text
    assert 'name="revision" value="2"' in answer.text, "saving again is saving over theirs, knowingly"
    assert draft()["about"] == {"en": "the desk"}


def test_a_button_of_something_that_is_gone_and_a_foreign_verb_are_refused(editor: Console) -> None:
    for do in ("up.9", "option.3", "drop.0.7", "when.0.nothing", "add.file", "explode", "move.x.y", "up.-1"):
        assert post(editor, do, 0, **COMMENT).status_code == 409, do
    assert post(editor, "save", 0, questions="9" * 30).status_code == 303
    assert editor.post("/admin/surveys/nope/design", do="save").status_code == 404


def test_a_survey_that_is_far_too_large_is_refused(editor: Console) -> None:
    long = {f"q{n}.o{m}.{part}": "x" * 9000 for n in range(10) for m in range(8) for part in ("key", "label.en", "gap")}
    many = {f"q{n}.kind": "many" for n in range(10)} | {f"q{n}.was": f"k{n}" for n in range(10)}
    answer = post(editor, "save", 0, questions="10", **many, **long)
    assert answer.status_code in (303, 413)
    assert len(str(editor.read(DESIGN))) < 1_000_000


def test_a_reader_sees_it_and_changes_nothing(app: OpenAPI, client: FlaskClient) -> None:
    live()
    reader = Console(client, "analyst")
    page = reader.read(DESIGN)
    assert 'name="do"' not in page
    assert post(reader, "save", 0, **COMMENT).status_code == 403


PREVIEWS = (
    ("", "Overall, how satisfied were you with checking in?"),
    ("?screen=2.1", "What went wrong?"),
    ("?screen=2.5", "Thank you"),
    ("?screen=3", "Thank you"),
    ("?language=fr", 'Globalement, quel est votre niveau de satisfaction concernant <bdi lang="en">checking in</bdi>'),
    ("?channel=email", "Overall, how satisfied were you with checking in?"),
    ("?channel=sms", "checking in"),
    ("?channel=widget", "checking in"),
    ("?channel=nonsense&device=x&screen=%F0%9F%98%80.9&language=xx&scheme=neon", "Overall"),
)


def test_the_draft_is_shown_by_the_true_templates_and_leaves_no_trace(editor: Console) -> None:
    surveys.save_draft(KEY, asking(WENT_WRONG), "lena")
    surveys.save_draft(KEY, lambda d: {**d, "about": {"en": "checking in"}}, "lena")
    hits = len(db.session.scalars(select(LinkHit)).all())
    for query, sentence in PREVIEWS:
        with clock.at(NOW):
            answer = editor.client.get(f"/admin/surveys/{KEY}/preview{query}")
        assert answer.status_code == 200, query
        assert sentence in answer.text, query
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy
        assert ("sandbox" in policy) == ("widget" not in query)
    assert len(db.session.scalars(select(LinkHit)).all()) == hits
    assert len(db.session.scalars(select(Response)).all()) == 1


def test_dark_and_light_are_chosen_by_the_page_and_not_by_the_reader_s_system(editor: Console) -> None:
    for channel in ("page", "email", "sms"):
        address = f"/admin/surveys/{KEY}/preview?channel={channel}"
        dark, light = editor.read(f"{address}&scheme=dark"), editor.read(address)
        assert "prefers-color-scheme" not in dark + light
        assert ("@media all" in dark or 'data-scheme="dark"' in dark) is True, channel
        assert ("@media not all" in light or 'data-scheme="light"' in light) is True, channel


def test_what_the_event_already_says_is_not_published(editor: Console) -> None:
    outreach.load(programme=outreach.PROGRAMME.replace("journeys:", "reporting_attributes: [class]\njourneys:", 1))
    surveys.save_draft(KEY, asking({**WENT_WRONG, "key": "class"}), "lena")
    assert "The event already says &#39;class&#39;" in words(editor.read(DESIGN))
    with pytest.raises(surveys.SurveyRefused, match="already says"):
        surveys.publish(KEY, "lena")


def test_for_how_long_an_answer_counts_as_known_is_typed_and_checked(editor: Console) -> None:
    fields = {"questions": "1", "q0.was": "", "q0.key": "often", "q0.kind": "text", "q0.ask.en": "How often?"}
    post(editor, "save", 0, **fields, **{"q0.again": "90d"})
    assert draft()["follow_up"][0]["ask_again"] == "90d"
    assert 'name="q0.again" value="90d"' in editor.read(f"{DESIGN}?open=often")
    kept = db.session.scalars(select(SurveyDraft)).one().revision
    post(editor, "save", kept, **(fields | {"q0.was": "often", "q0.again": "soon"}))
    assert "ask_again: a duration is a whole number" in words(editor.read(f"{DESIGN}?open=often"))


def test_what_a_channel_of_its_triggers_leaves_out_stands_among_the_checks(editor: Console) -> None:
    trigger = db.session.scalars(select(Trigger).join(Survey, Survey.id == Trigger.survey_id).where(Survey.key == KEY))
    trigger.one().channels = ["sms", "web"]
    db.session.commit()
    fields = {"questions": "1", "q0.was": "", "q0.key": "bags", "q0.kind": "number", "q0.ask.en": "How many bags?"}
    post(editor, "save", 0, **fields)
    text = words(editor.read(DESIGN))
    assert "A text message cannot ask 'bags': the conversation leaves it out." in html.unescape(text)
    assert "The widget cannot ask 'bags': it leaves it out." in html.unescape(text)


def test_another_wording_for_a_group_of_scores_is_typed_kept_and_emptied(editor: Console) -> None:
    fields = {"questions": "1", "q0.was": "", "q0.key": "why", "q0.kind": "text", "q0.ask.en": "Why?", "q0.groups": "1"}
    post(editor, "save", 0, **fields, **{"q0.for.promoter.en": "What went well?", "q0.for.passive.en": " "})
    assert draft()["follow_up"][0]["ask_for"] == {"promoter": {"en": "What went well?"}}
    assert 'value="What went well?"' in editor.read(f"{DESIGN}?open=why")
    kept = db.session.scalars(select(SurveyDraft)).one().revision
    post(editor, "save", kept, **(fields | {"q0.was": "why", "q0.for.promoter.en": ""}))
    assert "ask_for" not in draft()["follow_up"][0]


ABOARD = {"questions": "1", "q0.was": "seat", "q0.key": "seat", "q0.kind": "text", "q0.ask.en": "Was the seat wide?"}


def test_a_condition_on_the_context_is_built_tried_in_the_preview_and_dropped(editor: Console) -> None:
    outreach.load(programme=outreach.PROGRAMME.replace("journeys:", "reporting_attributes: [class]\njourneys:", 1))
    post(editor, "save", 0, **(ABOARD | {"q0.was": ""}))
    assert '<option value="class">' in editor.read(DESIGN), "what is known of customers is offered"
    post(editor, "field.0", 2, **ABOARD, **{"q0.field": "class"})
    assert "must be one value, a list of values" in words(editor.read(f"{DESIGN}?open=seat"))
    on = ABOARD | {"q0.when": "context.class", "q0.verb.context.class": "is"}
    post(editor, "save", 3, **on, **{"q0.more.context.class": "business"})
    post(editor, "save", 4, **on, **{"q0.when.context.class": "business", "q0.more.context.class": "first"})
    assert draft()["follow_up"][0]["when"] == {"context.class": ["business", "first"]}
    assert "only where class is business or first" in words(editor.read(DESIGN))
    page = f"/admin/surveys/{KEY}/preview?screen=2.5"
    assert "Was the seat wide?" in editor.read(page), "the first sample meets the condition"
    assert "Was the seat wide?" not in editor.read(f"{page}&context.class=")
    post(editor, "save", 5, **(on | {"q0.verb.context.class": "not"}), **{"q0.when.context.class": "business"})
    assert draft()["follow_up"][0]["when"] == {"context.class": {"not": ["business"]}}
    assert "Was the seat wide?" in editor.read(page)
    assert "Was the seat wide?" not in editor.read(f"{page}&context.class=business")
    post(editor, "always.0.context.class", 6, **on, **{"q0.when.context.class": "business"})
    assert "when" not in draft()["follow_up"][0]


def test_no_condition_that_came_from_a_file_is_lost_by_saving(editor: Console) -> None:
    when = {"context.delay": {"from": 30}, "context.class": {"not": "basic"}, "felt": ["happy"], "bags": {"to": 2}}
    asked = [
        {"key": "felt", "kind": "emotion"},
        {"key": "bags", "kind": "number", "ask": {"en": "Bags?"}},
        {"key": "seat", "kind": "text", "ask": {"en": "Seat?"}, "when": when},
    ]
    surveys.save_draft(KEY, asking(*asked), "lena")
    page = editor.read(f"{DESIGN}?open=seat")
    assert "where delay is from 30" in words(page)
    fields = {"questions": "3", "q0.was": "felt", "q0.kind": "emotion", "q1.was": "bags", "q1.kind": "number"}
    fields |= {"q1.ask.en": "Bags?", "q2.was": "seat", "q2.kind": "text", "q2.ask.en": "Wide enough?"}
    shown = ["context.class", "felt"]
    assert [name for name in when if f'name="q2.when" value="{name}"' in page] == shown
    fields |= {"q2.when": shown, "q2.verb.context.class": "not", "q2.when.context.class": "basic"}
    post(editor, "save", 2, **fields, **{"q2.when.felt": "happy"})
    assert draft()["follow_up"][2]["when"] == when
    assert draft()["follow_up"][2]["ask"] == {"en": "Wide enough?"}


def test_a_field_that_no_event_can_have_is_kept_and_said(editor: Console) -> None:
    post(editor, "field.0", 0, **(ABOARD | {"q0.was": ""}), **{"q0.field": "fare <class>"})
    text = html.unescape(words(editor.read(f"{DESIGN}?open=seat")))
    assert "names a context field by letters, digits, _ and -" in text
    post(editor, "field.0", 2, **ABOARD, **{"q0.field": " "})
    assert db.session.scalars(select(SurveyDraft)).one().revision == 2
