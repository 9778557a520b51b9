"""The designer in a real browser: it saves by itself, questions move by drag and by key, the preview follows."""

import json
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import SurveyDraft
from surveyapp.services import surveys
from tests import outreach
from tests.browser.test_console import complaints_of, sign_in
from tests.browser.test_policy import sideways
from tests.chromium import OpenPage, Site
from tests.people import make_user
from tests.services.test_surveys import KEY, WENT_WRONG, asking

DESIGN = f"/admin/surveys/{KEY}/design"
LONG = "Überlängenbezeichnungsfeldwert" * 3


def prepared() -> str:
    """A programme in three languages and its draft with long texts; the e-mail of an admin."""
    with clock.at(clock.now() - timedelta(hours=1)):
        outreach.load(programme=outreach.PROGRAMME.replace("[en, fr]", "[en, fr, ar]"))
        surveys.save_draft(KEY, lambda d: {**d, "public": "desk"}, "lena")
        surveys.publish(KEY, "lena")
        surveys.save_draft(KEY, asking("comment", {**WENT_WRONG, "ask": {"en": LONG, "ar": "ما الذي حدث؟"}}), LONG)
    email = make_user().email
    db.session.commit()
    return email


def order(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("#qs > li", "all => all.map(one => one.id)")
    return found


def waits_for(page: Page, what: str) -> None:
    page.wait_for_function(f"() => {what}")


@pytest.mark.database("sqlite")
def test_a_survey_is_designed_by_mouse_and_by_keyboard(site: Site, open_page: OpenPage) -> None:
    email = prepared()
    page = open_page(f"{site.url}/sign-in", viewport={"width": 1280, "height": 1000})
    sign_in(page, site, email)
    page.goto(site.url + DESIGN)
    frame = page.frame_locator("iframe")
    page.fill("#about-en", "the desk")
    waits_for(page, "document.querySelector('[data-live=wording]').textContent.includes('the desk')")
    frame.get_by_role("heading", name="Overall, how satisfied were you with the desk?").wait_for()
    page.click("button[value='add.one']")
    page.wait_for_selector("#q-question details[open]")
    assert page.evaluate("document.activeElement.id") == "q-question"
    page.fill("[id='q2.ask-en']", "Who helped you?")
    waits_for(page, "document.querySelector('#q-question summary').textContent.includes('Who helped you?')")
    page.click("button[value='when.2.score']")
    page.check("[id='q2.when.score-5']")
    waits_for(page, "document.querySelector('#q-question .onlyif').textContent.includes('a score of 5')")
    page.focus("#q-question")
    page.keyboard.press("Alt+ArrowUp")
    waits_for(page, "document.querySelectorAll('#qs > li')[1].id === 'q-question'")
    assert page.evaluate("document.activeElement.id") == "q-question"
    page.wait_for_selector("#design:not([aria-busy])")
    page.locator("#qs").evaluate("list => list.scrollIntoView({block: 'start', behavior: 'instant'})")
    grip, below = page.locator("#q-question [data-grip]").bounding_box(), page.locator("#q-comment").bounding_box()
    assert grip
    assert below
    page.mouse.move(grip["x"] + 6, grip["y"] + 16)
    page.mouse.down()
    page.mouse.move(below["x"] + 60, below["y"] + 4, steps=4)
    page.mouse.up()
    waits_for(page, "document.querySelector('#qs > li').id === 'q-question'")
    assert order(page) == ["q-question", "q-comment", "q-went_wrong"]
    page.wait_for_selector("#design:not([aria-busy])")
    page.click("nav[aria-label=Language] a:has-text('ar')")
    waits_for(page, "document.querySelector('#pane iframe').src.includes('language=ar')")
    frame.locator("html[dir=rtl]").wait_for()
    page.click("nav[aria-label=Channel] a:has-text('Widget')")
    frame.get_by_role("heading", name="Thank you, all is done").wait_for()
    page.locator("#metric").focus()
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    page.wait_for_load_state()
    waits_for(page, "document.querySelectorAll('#qs > li')[1].id === 'q-question'")
    db.session.rollback()
    saved = db.session.scalars(select(SurveyDraft)).one()
    asked = [q if isinstance(q, str) else q["key"] for q in saved.definition["follow_up"]]
    assert asked == ["comment", "question", "went_wrong"]
    assert json.dumps(saved.definition["about"]) == '{"en": "the desk"}'


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_the_pages_of_surveys_fit_and_axe_finds_nothing(
    site: Site, open_page: OpenPage, width: int, scheme: str
) -> None:
    email = prepared()
    page = open_page(f"{site.url}/sign-in", viewport={"width": width, "height": 900}, color_scheme=scheme)
    sign_in(page, site, email)
    names = ("", KEY, f"{KEY}/changes", f"{KEY}/archive", "-/new", "-/import", "-/look?colour=%23ffdd00")
    pages = [f"/admin/surveys/{name}" for name in names]
    for address in (*pages, f"{DESIGN}?open=went_wrong&language=ar&screen=2.1"):
        page.goto(site.url + address)
        assert page.locator("h1").count() == 1, address
        assert (address, sideways(page)) == (address, 0)
        assert (address, complaints_of(page)) == (address, [])


@pytest.mark.database("sqlite")
def test_the_designer_works_without_script(site: Site, open_page: OpenPage) -> None:
    email = prepared()
    page = open_page(
        f"{site.url}/sign-in", viewport={"width": 360, "height": 800}, java_script_enabled=False, quiet=False
    )
    sign_in(page, site, email)
    page.goto(site.url + DESIGN)
    page.fill("#about-en", "the desk")
    page.click("button[value='down.0']")
    page.wait_for_url("**#q-comment")
    page.click("button[value='add.text']")
    page.wait_for_url("**#q-question")
    page.fill("[id='q2.ask-en']", "Who?")
    page.click("button[value=save]")
    page.click("#undo button")
    page.click("nav[aria-label='Light or dark'] a >> nth=1")
    page.wait_for_url("**scheme=dark")
    db.session.rollback()
    saved = db.session.scalars(select(SurveyDraft)).one().definition
    assert saved["about"] == {"en": "the desk"}
    assert [q if isinstance(q, str) else q["key"] for q in saved["follow_up"]] == ["went_wrong", "comment", "question"]
