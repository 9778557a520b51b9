"""One click in the message is the answer, in a real browser: a person's gesture confirms it, a scanner's script not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.tokens import mint
from surveyapp.extensions import db
from surveyapp.models import Invitation, Message, Response, Visit
from tests.builders import MOMENT, make_brand, make_customer, make_invitation, make_step, make_survey
from tests.chromium import OpenPage, Site

pytestmark = pytest.mark.database("sqlite")

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KEYS = ["a-secret-for-tests-only"]
CHIPS = {
    "key": "reason",
    "kind": "many",
    "ask": {"en": "What is the main reason for your score?", "fr": "Quelle est la raison principale de votre note ?"},
    "options": [{"key": key, "label": {"en": key.title()}} for key in ("crew", "food", "seat", "price")],
}
SHIFTS = """new Promise(done => { let sum = 0
new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value })
.observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 300) })"""
GESTURES: dict[str, Callable[[Page], Any]] = {
    "pointermove": lambda page: page.mouse.move(200, 300),
    "keydown": lambda page: page.keyboard.press("Tab"),
    "wheel": lambda page: page.mouse.wheel(0, 200),
    "touch": lambda page: page.touchscreen.tap(180, 120),
}


@dataclass(frozen=True)
class Links:
    nps: str
    csat: str
    plain: str


@pytest.fixture
def links(site: Site) -> Links:
    make_brand(languages=["en", "fr", "ar"])
    step, person = make_step(), make_customer()
    soon = clock.now() + timedelta(days=14)
    surveys = [
        make_survey("nps", "nps", follow_up=[CHIPS, "comment"]),
        make_survey(about={"en": "check-in", "fr": "l'enregistrement"}, follow_up="comment"),
        make_survey("plain", "nps"),
    ]
    paths = []
    for survey in surveys:
        asked = make_invitation(survey, person, step, open_until=soon)
        handed_over(asked.id, clock.now() - timedelta(minutes=5))
        paths.append(f"{site.url}/s/{mint('answer', asked.uid, KEYS)}")
    db.session.remove()
    return Links(*paths)


def handed_over(invitation: int, at: Any) -> None:
    common = {"channel": "email", "kind": "first", "tier": 2, "priority": 0, "due_at": MOMENT, "state": "sent"}
    asked = db.session.get_one(Invitation, invitation)
    db.session.add(
        Message(
            uid=f"m-{invitation}",
            idem_key=f"k-{invitation}",
            invitation_id=invitation,
            customer_id=asked.customer_id,
            trigger_id=asked.trigger_id,
            survey_id=asked.trigger.survey_id,
            created_at=MOMENT,
            sent_at=at,
            **common,
        )  # fmt: skip
    )
    db.session.commit()


def stored() -> list[tuple[int | None, str | None, str]]:
    db.session.rollback()
    found = [(r.score, r.comment, str(r.status)) for r in db.session.scalars(select(Response))]
    db.session.rollback()
    return found


def eventually(page: Page, wanted: list[tuple[int | None, str | None, str]]) -> None:
    for _ in range(60):
        if stored() == wanted:
            return
        page.wait_for_timeout(50)
    assert stored() == wanted


def complaints(page: Page) -> list[str]:
    page.evaluate(AXE + "; null")
    result = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]
    return found + ([f"scrolls sideways by {wide}"] if wide else [])


@pytest.mark.parametrize("gesture", GESTURES)
def test_one_click_in_the_message_and_any_gesture_is_enough(open_page: OpenPage, links: Links, gesture: str) -> None:
    size = {"width": 360, "height": 640}
    page = open_page(links.nps + "?score=9", viewport=size, has_touch=True)
    saved = page.get_by_text("Saved: 9.").locator("visible=true").last
    saved.wait_for()
    assert page.get_by_role("status").inner_text() == "Saved: 9."
    assert page.get_by_role("heading", level=1).inner_text() == "What is the main reason for your score?"
    assert stored() == [(9, None, "provisional")]
    GESTURES[gesture](page)
    eventually(page, [(9, None, "confirmed")])
    assert page.context.cookies() == []


def test_a_scanner_that_runs_scripts_without_a_gesture_stays_provisional(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?score=9")
    eventually(page, [(9, None, "provisional")])
    page.evaluate(
        """() => { for (const [type, kind] of [['pointermove', PointerEvent], ['keydown', KeyboardEvent],
        ['touchstart', Event], ['scroll', Event], ['wheel', WheelEvent], ['pointerdown', PointerEvent]])
        { window.dispatchEvent(new kind(type)); document.body.dispatchEvent(new kind(type, {bubbles: true})) } }"""
    )
    page.wait_for_timeout(400)
    assert stored() == [(9, None, "provisional")]


def test_a_scanner_that_runs_scripts_on_delivery_is_set_aside(open_page: OpenPage, links: Links) -> None:
    db.session.execute(Message.__table__.update().values(delivered_at=clock.now()))
    db.session.commit()
    page = open_page(links.nps + "?score=9")
    eventually(page, [(9, None, "suspected_bot")])
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/done")
    assert [status for *_, status in stored()] == ["suspected_bot"]
    assert db.session.scalars(select(Visit.reasons)).all() == [["too_soon"]]
    db.session.rollback()


def test_a_page_that_nobody_sees_posts_nothing(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.plain)
    page.add_init_script("Object.defineProperty(document, 'visibilityState', {get: () => window.seen || 'hidden'})")
    page.goto(links.nps + "?score=9")
    page.wait_for_timeout(300)
    assert stored() == []
    page.evaluate("window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    eventually(page, [(9, None, "provisional")])


def test_words_and_a_change_go_with_the_same_form_without_a_second_page(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?score=9", viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    page.on("response", lambda got: asked.append(f"{got.request.method} {got.status} {got.url[-12:]}"))
    page.get_by_role("radio", name="8").check()
    page.get_by_role("checkbox", name="Crew").check()
    page.get_by_label("In your own words").fill("Kind people")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/done")
    assert page.get_by_role("heading", level=1).inner_text() == "Thank you. That was all."
    eventually(page, [(8, "Kind people", "confirmed")])
    assert [one for one in asked if one.startswith("GET")] == [asked[-1]]  # the thanks, and nothing before


def test_going_back_shows_what_is_stored_and_posts_nothing(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?score=9")
    page.get_by_text("Saved: 9.").locator("visible=true").last.wait_for()
    page.get_by_role("radio", name="4").check()
    page.get_by_role("button", name="Skip and finish").click()
    page.wait_for_url("**/done")
    page.go_back()
    page.wait_for_url("**/2")
    page.mouse.move(50, 60)
    page.wait_for_timeout(300)
    assert page.locator("input[name=score]:checked").get_attribute("value") == "4"
    eventually(page, [(4, None, "confirmed")])


def test_a_reload_before_any_gesture_can_still_be_confirmed_by_one(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?score=9")
    page.wait_for_url("**/2")
    page.reload()
    assert stored() == [(9, None, "provisional")]
    page.keyboard.press("ArrowDown")
    eventually(page, [(9, None, "confirmed")])


def test_by_keyboard_alone_with_script(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?score=9", viewport={"width": 360, "height": 740})
    page.get_by_text("Saved: 9.").locator("visible=true").last.wait_for()
    page.locator("input[name=score]:checked").locator("visible=true").focus()
    page.keyboard.press("ArrowRight")
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/done")
    eventually(page, [(10, "By keyboard", "confirmed")])


def test_a_labelled_scale_and_a_survey_without_further_questions(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.csat + "?score=5")
    page.get_by_text("Saved: Very satisfied.").locator("visible=true").last.wait_for()
    page.mouse.move(30, 40)
    eventually(page, [(5, None, "confirmed")])
    page.goto(links.plain + "?score=3")
    page.get_by_text("Saved: 3.").locator("visible=true").last.wait_for()
    assert page.get_by_role("button", name="Skip and finish").count() == 0
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/done")
    eventually(page, [(5, None, "confirmed"), (3, None, "confirmed")])


@pytest.mark.parametrize("width", [320, 1280])
def test_without_script_one_button_does_it(open_page: OpenPage, links: Links, width: int) -> None:
    page = open_page(links.nps + "?score=9", viewport={"width": width, "height": 740}, java_script_enabled=False)
    assert page.get_by_text("Saved: 9.").locator("visible=true").count() == 0
    assert stored() == []
    page.get_by_role("button", name="Send my answer: 9").click()
    page.wait_for_url("**/2")
    assert stored() == [(9, None, "confirmed")]


def test_where_the_script_does_not_arrive_the_form_still_works(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.plain, quiet=False)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(links.nps + "?score=9")
    assert page.get_by_text("Saved: 9.").locator("visible=true").count() == 0
    page.get_by_role("button", name="Skip and finish").click()
    page.wait_for_url("**/done")
    assert stored() == [(9, None, "confirmed")]


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (360, "light"), (1280, "light")])
def test_the_page_is_clean_steady_and_in_every_direction(
    open_page: OpenPage, links: Links, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 740}
    page = open_page(links.plain, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    found = {}
    opened = ("nps", "?score=9"), ("nps", "?lang=ar&score=3"), ("csat", "?score=2&lang=fr"), ("plain", "?score=0")
    for address in (getattr(links, name) + query for name, query in opened):
        page.goto(address)
        page.wait_for_timeout(200)
        found[address] = (complaints(page), page.evaluate(SHIFTS))
    assert found == dict.fromkeys(found, ([], 0))
