"""The customer's pages in a real browser: without script, by keyboard, narrow and wide, light and dark, by axe."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.domain.scores import METRICS
from surveyapp.domain.tokens import mint
from surveyapp.extensions import db
from surveyapp.models import Response, ResponseChange, Suppression
from surveyapp.services.responses import record
from tests.builders import MOMENT, make_brand, make_customer, make_invitation, make_step, make_survey
from tests.chromium import OpenPage, Site
from tests.questions import EVERY_KIND, THANKS

pytestmark = pytest.mark.database("sqlite")

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KEYS = ["a-secret-for-tests-only"]
LATE = {"delay_minutes": 45}
CHIPS = {
    "key": "reason",
    "kind": "many",
    "ask": {"en": "What is the main reason for your score?", "fr": "Quelle est la raison principale de votre note ?"},
    "options": [{"key": key, "label": {"en": key.title()}} for key in ("crew", "food", "seat", "price")],
}


@dataclass(frozen=True)
class Links:
    nps: str
    csat: str
    answered: str
    expired: str
    opt_out: str
    preferences: str
    kinds: str
    thanks: str
    scales: tuple[str, ...]


@pytest.fixture
def links(site: Site) -> Links:
    make_brand(languages=["en", "fr", "ar"], contact="https://oddjob.example/contact")
    step, person = make_step(), make_customer(phone="+33612345678")
    soon = clock.now() + timedelta(days=14)
    nps = make_survey("nps", "nps", follow_up=[CHIPS, "comment"])
    csat = make_survey(about={"en": "check-in", "fr": "l'enregistrement"}, follow_up="comment")
    asked = [make_invitation(v, person, step, open_until=soon) for v in (nps, csat, nps)]
    expired = make_invitation(nps, person, step, open_until=MOMENT)
    uids = [one.uid for one in (*asked, expired)]
    record(asked[2], score=9, status="confirmed", channel="email")
    kinds = make_survey("kinds", "nps", follow_up=EVERY_KIND)
    thanks = make_survey("thanked", "csat5", about={"en": "check-in"}, follow_up=[], thanks=THANKS)
    further = [make_invitation(v, person, step, open_until=soon, properties=LATE) for v in (kinds, thanks)]
    record(further[1], score=5, status="confirmed", channel="email")
    others = [metric for metric in METRICS if metric not in ("nps", "tnps", "csat5")]
    surveys = [make_survey(f"s_{metric}", metric, about={"en": "check-in"}, follow_up=[]) for metric in others]
    further += [make_invitation(survey, person, step, open_until=soon) for survey in surveys]
    more = [f"{site.url}/s/{mint('answer', one.uid, KEYS)}" for one in further]
    db.session.remove()
    paths = [f"{site.url}/s/{mint('answer', uid, KEYS)}" for uid in uids]
    out, choose = (f"{site.url}/{p[0]}/{mint(p[1], uids[0], KEYS)}" for p in (("u", "opt_out"), ("p", "preferences")))
    return Links(*paths, out, choose, kinds=more[0], thanks=more[1], scales=tuple(more[2:]))


def stored() -> list[tuple[int | None, str | None]]:
    db.session.rollback()
    return [(r.score, r.comment) for r in db.session.scalars(select(Response).order_by(Response.id.desc()).limit(1))]


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_tap_chip_words_and_done_without_script(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps, viewport={"width": 320, "height": 740}, java_script_enabled=False)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.get_by_role("button", name="7", exact=True).click()
    page.wait_for_url("**/2")
    page.get_by_role("checkbox", name="Crew").check()
    page.get_by_role("radio", name="8").check()
    page.get_by_label("In your own words").fill("Kind people")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/done")
    assert page.get_by_role("heading", level=1).inner_text() == "Thank you. That was all."
    assert stored() == [(8, "Kind people")]
    assert len(requests) == 4  # two posts, two pages: nothing else is ever fetched
    assert page.context.cookies() == []


def test_from_the_message_to_the_answer_by_keyboard_alone(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?score=9", viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page.get_by_role("button", name="Send my answer: 9").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/2")
    page.locator("input[name=score]:checked").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/done")
    assert stored() == [(10, "By keyboard")]


def test_a_labelled_answer_can_be_changed_on_the_second_page(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.csat, viewport={"width": 360, "height": 740}, java_script_enabled=False)
    tops = [page.get_by_role("button", name=label).bounding_box() for label in ("Very satisfied", "Very dissatisfied")]
    assert tops[0] is not None
    assert tops[1] is not None
    assert tops[0]["y"] < tops[1]["y"]
    page.get_by_role("button", name="Very satisfied").click()
    page.wait_for_url("**/2")
    page.get_by_text("Saved: Very satisfied.").click()
    page.get_by_role("radio", name="4 Satisfied").check()
    page.get_by_role("button", name="Skip and finish").click()
    page.wait_for_url("**/done")
    assert stored() == [(4, None)]


def test_the_bar_is_one_line_of_equal_cells_large_enough_to_hit(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps)
    for width in (320, 360, 390, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        boxes = [button.bounding_box() for button in page.locator(".scale button").all()]
        assert len({round(box["y"]) for box in boxes if box}) == 1
        assert min(box["width"] for box in boxes if box) >= 24
        assert min(box["height"] for box in boxes if box) >= 44
        assert [box["x"] for box in boxes if box] == sorted(box["x"] for box in boxes if box)
        assert overflow(page) == 0


def test_arabic_runs_from_the_right_with_the_same_digits(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps + "?lang=ar", viewport={"width": 360, "height": 740})
    zero, ten = (page.locator(".scale button").nth(n).bounding_box() for n in (0, 10))
    assert zero is not None
    assert ten is not None
    assert zero["x"] > ten["x"]
    assert page.locator(".scale button").nth(10).inner_text() == "10"
    page.locator(".scale button").nth(10).click()
    page.wait_for_url("**/2?lang=ar")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert stored() == [(10, None)]


def test_focus_is_shown_in_ink_around_every_value(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.nps, viewport={"width": 360, "height": 740})
    for _ in range(4):
        page.keyboard.press("Tab")
    style = page.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement); return [s.outlineWidth, s.outlineColor] })()"
    )
    assert style == ["3px", "rgb(21, 24, 28)"]


def test_the_way_out_is_one_press(open_page: OpenPage, links: Links) -> None:
    page = open_page(links.opt_out, java_script_enabled=False)
    page.get_by_role("button", name="Don’t ask me again").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Done. We won’t ask you again."
    db.session.rollback()
    assert {s.channel for s in db.session.scalars(select(Suppression))} <= {"all"}


@pytest.mark.parametrize("script", [True, False])
def test_every_kind_is_answered_by_keyboard_alone(open_page: OpenPage, links: Links, script: bool) -> None:
    """Where script runs no page is left; where it does not, plain forms do the same."""
    page = open_page(links.kinds, viewport={"width": 360, "height": 740}, java_script_enabled=script)
    if script:
        page.evaluate("window.here = true")
    press = page.keyboard.press
    page.get_by_role("button", name="3", exact=True).focus()
    press("Enter")
    page.wait_for_url("**/2")
    page.get_by_role("heading", name="What went wrong?").wait_for()
    page.locator("input[name=score]:checked").focus()
    for keys in (
        ["Tab", "Tab", "Tab", "Space", "Tab"],  # the third reason of four
        ["Tab", "Space"],  # one
        ["Tab", "Tab", "Space", "Tab"],  # the second of many
        ["Tab", "ArrowDown"],  # emotion: from the first to the second
        ["Tab", "2", "Tab"],  # a number, then the date
    ):
        for key in keys:
            press(key)
    page.get_by_label("Since when?").fill("2026-03-01")
    page.get_by_label("Which seat?").focus()
    page.keyboard.type("12A")
    press("Tab")
    page.keyboard.type("Slow")
    press("Tab")
    press("Space")
    press("Tab")
    press("Enter")
    page.wait_for_url("**/3")
    page.get_by_role("textbox").fill("Read")
    press("Enter")
    page.wait_for_url("**/done")
    page.get_by_role("heading", name="Thank you").wait_for()
    assert stored() == [(3, "Slow")]
    answers = db.session.scalar(select(Response.answers).order_by(Response.id.desc()).limit(1))
    assert answers == {
        "reason": ["long_wait"], "channel": "app", "used": ["wifi"], "felt": "happy", "bags": 2, "since": "2026-03-01",
        "seat": "12A", "call": "yes", "call_text": "standard/consent/1 en", "wait": "Read",
    }  # fmt: skip
    if script:
        assert page.evaluate("[window.here, document.activeElement.tagName]") == [True, "MAIN"]


def test_a_tap_that_the_network_loses_is_left_to_the_browser_and_nothing_is_counted_twice(
    open_page: OpenPage, links: Links
) -> None:
    page = open_page(links.nps, quiet=False, viewport={"width": 360, "height": 740})
    lost: list[str] = []

    def once(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/s/*", once)
    page.get_by_role("button", name="6", exact=True).click()
    page.wait_for_url("**/2")
    assert len(lost) == 1
    assert stored() == [(6, None)]
    assert db.session.scalar(select(func.count(ResponseChange.id))) == 0


@pytest.mark.parametrize(
    ("width", "look"),
    [(320, {"color_scheme": "light"}), (360, {"color_scheme": "dark"}), (1280, {"forced_colors": "active"})],
)
def test_every_page_is_clean_and_fits(open_page: OpenPage, links: Links, width: int, look: dict[str, str]) -> None:
    everywhere = [links.nps, links.csat, links.kinds + "/2", links.thanks + "/done", links.preferences]
    narrow = [
        links.nps + "?score=9",
        links.nps + "?lang=fr",
        links.nps + "?lang=ar&score=3",
        links.csat + "?lang=ar",
        links.answered + "/2",
        links.answered + "/done",
        links.kinds + "/2?lang=fr",
        links.kinds + "/2?lang=ar",
        links.thanks + "/done?lang=ar",
        links.opt_out,
        links.preferences + "?lang=ar&saved=1",
        *links.scales,
    ]
    addresses = everywhere + (narrow if width == 320 else [])
    page = open_page(links.kinds, viewport={"width": width, "height": 740}, reduced_motion="reduce", **look)
    page.get_by_role("button", name="3", exact=True).click()
    page.wait_for_url("**/2")
    found = {}
    for address in addresses:
        page.goto(address)
        found[address] = _complaints(page)
    assert found == dict.fromkeys(addresses, [])
    for address in (links.kinds + "/2", links.nps, links.preferences):
        page.goto(address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow(page) == 0
    said = page.locator(".what").first.bounding_box()
    assert said, "words keep the line where the button beside them would leave them a letter's width"
    assert said["width"] > width / 2


@pytest.mark.parametrize("width", [320, 1280])
def test_pages_that_say_no_are_clean_too(open_page: OpenPage, site: Site, links: Links, width: int) -> None:
    page = open_page(links.expired, quiet=False, viewport={"width": width, "height": 740}, reduced_motion="reduce")
    assert _complaints(page) == []
    page.goto(f"{site.url}/s/nonsense")
    assert _complaints(page) == []
    page.goto(links.kinds)
    page.get_by_role("button", name="3", exact=True).click()
    page.wait_for_url("**/2")
    page.locator("#bags").fill("99")
    page.get_by_role("button", name="Send").click()
    page.locator(".err").first.wait_for()
    assert page.title().startswith("Error:")
    assert page.locator("#bags").input_value() == "99"
    assert _complaints(page) == []


def _complaints(page: Page) -> list[str]:
    page.evaluate(AXE + "; null")
    result = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES)
    wide = [f"scrolls sideways by {overflow(page)}"] if overflow(page) else []
    return wide + [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]


def test_a_long_word_on_a_button_takes_a_line_of_its_own_before_it_is_cut(open_page: OpenPage, site: Site) -> None:
    make_brand(languages=["de"], language="de")
    survey = make_survey("nps", "nps", follow_up="comment")
    asked = make_invitation(survey, make_customer(), make_step(), open_until=clock.now() + timedelta(days=14))
    db.session.remove()
    page = open_page(f"{site.url}/s/{mint('answer', asked.uid, KEYS)}", viewport={"width": 320, "height": 800})
    page.get_by_role("button", name="9", exact=True).click()
    skip = page.get_by_role("button", name="Überspringen und beenden")
    skip.evaluate("button => { button.textContent = 'Weiterlesenundbeenden'; }")
    send = page.get_by_role("button", name="Senden").bounding_box()
    long = page.get_by_role("button", name="Weiterlesenundbeenden").bounding_box()
    assert send
    assert long
    assert long["y"] >= send["y"] + send["height"]
    assert long["height"] == send["height"], "one line"
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    assert overflow(page) == 0
