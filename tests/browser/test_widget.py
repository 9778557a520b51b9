"""The widget on a partner's page of another origin under a strict policy: tapped, typed, narrow, wide, blocked."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select, update
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from surveyapp.extensions import db
from surveyapp.models import Event, LedgerEntry, Message, Suppression, WidgetSign
from surveyapp.models import Response as Answer
from surveyapp.services.keys import NewPartner
from tests import outreach, widget
from tests.chromium import OpenPage, Site

pytestmark = pytest.mark.database("sqlite")

PICTURES = bool(os.environ.get("PICTURES"))  # to look at every form in every state, under --basetemp
AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESKTOP = {"width": 390, "height": 740}, {"width": 1180, "height": 760}
PROGRAMME = (
    widget.further(widget.WEB_ONLY)
    .replace("languages: [en, fr]", "languages: [en, fr, ar]")
    .replace("{key: boarding_csat, metric: csat5", "{key: boarding_csat, metric: nps")
)
STYLE = (
    "body{margin:0;padding:24px 6vw;background:#fbf8f2;color:#2c2620;font:17px/1.6 Georgia,serif}"
    "@media (prefers-color-scheme:dark){body{background:#15120e;color:#ece5d9}}"
    "#kept{display:block;min-height:260px}#far{height:3000px}"
)


@dataclass
class Partner:
    """The partner's site: pages by path, on a port of its own."""

    url: str
    site: Site
    made: NewPartner
    pages: dict[str, str] = field(default_factory=dict)
    policy: str = ""

    def element(self, step: str = "check_in", customer: str | None = "c-1", more: str = "") -> str:
        known = f'customer="{customer}" signature="{widget.sign(self.made, customer)}"' if customer else ""
        return f'<survey-widget journey="flight" step="{step}" {known} {more}></survey-widget>'

    def page(self, body: str, *, lang: str = "en", script: str = "", path: str = "/") -> str:
        """The address of a page with the widget's script on it."""
        self.pages["/own.js"] = script
        self.pages[path] = (
            f"<!doctype html><html lang={lang}><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>Your stay is booked</title><link rel=stylesheet href=/own.css><link rel=icon href=data:,>"
            f'<script src="{self.site.url}/widget.js" data-key="{self.made.publishable}" async></script>'
            f"<script src=/own.js defer></script><main><h1>Your stay is booked</h1>"
            f"<p>We look forward to seeing you.</p>{body}</main></html>"
        )
        return self.url + path

    def __call__(self, environ: Any, start: Any) -> Any:
        path = Request(environ).path
        kind = {".css": "text/css", ".js": "text/javascript"}.get(path[path.rfind(".") :], "text/html")
        text = STYLE if path == "/own.css" else self.pages.get(path)
        answer = Response(text or "", 200 if text is not None else 404, mimetype=kind)
        answer.headers["Content-Security-Policy"] = self.policy
        return answer(environ, start)


@contextmanager
def serving(answer: Any) -> Iterator[tuple[str, Any]]:
    """A site of its own on another port: its address, and its server."""
    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hotel(site: Site) -> Iterator[Partner]:
    outreach.load(programme=PROGRAMME)
    with serving(lambda environ, start: []) as (url, server):
        made = widget.partner("hotel", url)
        db.session.remove()
        partner = Partner(url, site, made)
        partner.policy = (
            f"default-src 'self'; script-src 'self' {site.url}; connect-src {site.url}; style-src 'self'; "
            "img-src data:; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'"
        )
        server.app = partner
        yield partner


def read(query: Any) -> list[Any]:
    """What is stored now; no transaction of the test's own stays open."""
    db.session.rollback()
    found = [row[0] if len(row) == 1 else tuple(row) for row in db.session.execute(query)]
    db.session.rollback()
    return found


WRITING = "<label>Name <input id=name></label>"


def answers() -> list[tuple[int | None, str | None]]:
    return read(select(Answer.score, Answer.comment).order_by(Answer.id))


def ledger() -> list[str]:
    return read(select(LedgerEntry.state).order_by(LedgerEntry.id))


def panel(page: Page) -> Any:
    return page.get_by_role("region", name=re.compile("^(One question|A few questions) from Oddjob$"))


def shown(page: Page, act: Any) -> None:
    """Do something, and wait until the question stands there and we know that it was seen."""
    with page.expect_response("**/widget/v1/seen"):
        act()
    expect(panel(page)).to_be_visible()


def visit(open_page: OpenPage, address: str, **options: Any) -> Page:
    """A page on which the question was shown."""
    page = open_page("about:blank", **options)
    shown(page, lambda: page.goto(address))
    return page


def silent(page: Page) -> None:
    """Nothing is shown, also not later."""
    page.wait_for_timeout(300)
    expect(panel(page)).to_have_count(0)


def violations(page: Page) -> list[str]:
    found = page.evaluate(f"axe.run({{runOnly: {RULES}}})")
    return [f"{v['id']}: {n['target']} {n.get('failureSummary', '')}" for v in found["violations"] for n in v["nodes"]]


def shifts(page: Page) -> float:
    """How much the page has moved since it was loaded."""
    return float(
        page.evaluate(
            "new Promise(d => { let s = 0;"
            "new PerformanceObserver(l => l.getEntries().forEach(e => s += e.hadRecentInput ? 0 : e.value))"
            ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => d(s), 100)})"
        )
    )


def test_d41_a_visit_on_a_phone_from_the_first_byte_to_thank_you(open_page: OpenPage, hotel: Partner) -> None:
    page = open_page("about:blank", viewport=PHONE)
    sizes: dict[str, int] = {}
    page.on("response", lambda r: sizes.update({r.url.partition("?")[0]: int(r.headers.get("content-length", 0))}))
    shown(page, lambda: page.goto(hotel.page(hotel.element("boarding"))))
    scripts = {url: n for url, n in sizes.items() if url.startswith(hotel.site.url) and url.endswith(".js")}
    assert len(scripts) == 2
    assert scripts[f"{hotel.site.url}/widget.js"] <= 1536
    assert sum(scripts.values()) <= 5120
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert shifts(page) == 0

    # D41: messages between windows change nothing
    page.evaluate("for (const d of [{score: 0}, {type: 'answer', score: 0}, 'close']) postMessage(d, '*')")
    with page.expect_response("**/answer"):
        page.get_by_role("button", name="7", exact=True).click()
    assert answers() == [(7, None)]
    expect(page.get_by_text("Saved: 7.")).to_be_visible()
    page.get_by_label("What is the main reason for your score?").fill("Quick")
    with page.expect_response("**/answer"):
        page.get_by_role("button", name="6", exact=True).click()
    expect(page.get_by_label("What is the main reason for your score?")).to_have_value("Quick")
    with page.expect_response("**/answer"):
        page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Thank you. That was all.")
    assert answers() == [(6, "Quick")]
    assert ledger() == ["sent"]
    page.get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)
    assert page.context.cookies() == []
    assert shifts(page) == 0


def test_by_keyboard_with_further_questions_and_the_focus_comes_back(open_page: OpenPage, hotel: Partner) -> None:
    page = visit(open_page, hotel.page(hotel.element() + "<button id=mine>Rooms</button>"), viewport=DESKTOP)
    page.locator("#mine").focus()
    for _ in range(3):  # past the close button to the second label
        page.keyboard.press("Tab")
    with page.expect_response("**/answer"):
        page.keyboard.press("Enter")
    assert answers() == [(4, None)]
    expect(page.get_by_text("Saved: Satisfied.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^4\sSatisfied$"))).to_be_focused()
    page.get_by_role("checkbox", name="Staff").focus()
    page.keyboard.press("Space")
    page.get_by_label("What is the main reason for your score?").fill("Quick")
    expect(page.get_by_role("radio")).to_have_count(0)  # that question is for low scores
    with page.expect_response("**/answer"):
        page.get_by_role("button", name="Send").click()
    with page.expect_response("**/answer"):  # who helped you? is asked of those who chose the staff
        page.get_by_label("Who helped you?").fill("Ada")
        page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Thank you. That was all.")
    stored = read(select(Answer.score, Answer.comment, Answer.answers, Answer.status))
    assert stored == [(4, "Quick", {"why": ["staff"], "who": "Ada"}, "confirmed")]
    page.locator("section .q1").focus()
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "mine"


def test_the_page_hears_what_happens_and_a_route_change_asks(open_page: OpenPage, hotel: Partner) -> None:
    page = open_page(hotel.page("<div id=view></div>"), viewport=DESKTOP)
    page.wait_for_function("() => window.surveyapp")
    page.evaluate(
        "window.told = []; for (const w of ['shown', 'answered', 'dismissed', 'refused'])"
        " surveyapp.on(w, (o) => told.push([w, o.score ?? o.reason ?? null])); 0"
    )
    signed = {"journey": "flight", "step": "check_in", "customer": "c-1", "signature": widget.sign(hotel.made, "c-1")}
    ask = "o => surveyapp.ask(o)"
    assert page.evaluate(ask, signed | {"signature": "0" * 64}) == {"shown": False, "reason": "refused"}
    assert page.evaluate(ask, signed) == {"shown": True}
    assert page.evaluate(ask, signed) == {"shown": False, "reason": "open"}
    with page.expect_response("**/seen"):
        page.evaluate("surveyapp.close()")
    expect(panel(page)).to_have_count(0)
    assert read(select(Message.reason)) == ["dismissed"]
    assert page.evaluate(ask, signed) == {"shown": False, "reason": "already_asked"}
    page.evaluate("o => surveyapp.identify(o.customer, o.signature)", signed)
    assert page.evaluate("surveyapp.ask({journey: 'flight', step: 'boarding'})") == {"shown": False, "reason": "gap"}
    page.evaluate("o => surveyapp.identify(o.customer, o.signature)", {"customer": "c-2"})

    def navigate() -> None:
        page.evaluate(
            """([step, customer, signature]) => { history.pushState({}, '', '/booked');
            const e = document.createElement('survey-widget');
            Object.entries({journey: 'flight', step, customer, signature}).forEach(([k, v]) => e.setAttribute(k, v));
            document.getElementById('view').replaceChildren(e); }""",
            ["check_in", "c-2", widget.sign(hotel.made, "c-2")],
        )

    shown(page, navigate)
    with page.expect_response("**/answer"):
        page.get_by_role("button", name="Neither satisfied nor dissatisfied").click()
    expect(page.get_by_text("Saved: Neither satisfied nor dissatisfied.")).to_be_visible()
    page.evaluate("document.getElementById('view').replaceChildren()")
    expect(panel(page)).to_have_count(0)
    assert page.evaluate("told") == [
        ["refused", "refused"],
        ["shown", None],
        ["refused", "open"],
        ["dismissed", None],
        ["refused", "already_asked"],
        ["refused", "gap"],
        ["shown", None],
        ["answered", 3],
    ]


def test_a_second_tab_and_the_next_visit_are_silent(open_page: OpenPage, hotel: Partner) -> None:
    for number, element in enumerate((hotel.element(), hotel.element(customer=None))):
        first = visit(open_page, hotel.page(element), viewport=DESKTOP)
        second = first.context.new_page()
        second.goto(hotel.url)
        silent(second)
        with first.expect_response("**/seen"):
            first.get_by_role("button", name="Close").click()
        first.reload()
        silent(first)
        assert ledger() == ["sent"] * (number + 1)


def test_it_steps_aside_while_somebody_writes(open_page: OpenPage, hotel: Partner) -> None:
    page = open_page("about:blank", viewport=PHONE)
    page.add_init_script("document.addEventListener('readystatechange', () => document.querySelector('#name').focus())")
    page.goto(hotel.page(hotel.element() + WRITING))
    silent(page)
    assert read(select(func.count()).select_from(Event)) == [0]
    shown(page, lambda: page.locator("#name").blur())
    page.locator("#name").focus()
    expect(panel(page)).to_be_hidden()
    page.locator("#name").blur()
    expect(panel(page)).to_be_visible()


def test_who_leaves_a_field_by_keyboard_comes_to_it(open_page: OpenPage, hotel: Partner) -> None:
    page = visit(open_page, hotel.page(hotel.element() + WRITING), viewport=DESKTOP)
    page.locator("#name").focus()
    expect(panel(page)).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.locator("#name").press("A")
    expect(panel(page)).to_be_hidden()


def test_who_begins_to_write_while_the_question_is_fetched_is_left_alone(open_page: OpenPage, hotel: Partner) -> None:
    page = open_page("about:blank", viewport=PHONE)
    page.add_init_script(
        "const real = window.fetch; window.fetch = async (...what) => { const answer = await real(...what);"
        "if (String(what[0]).includes('offer')) document.querySelector('#name').focus(); return answer; }"
    )
    page.goto(hotel.page(hotel.element() + WRITING))
    expect(page.locator("section")).to_have_count(1)
    expect(panel(page)).to_be_hidden()
    assert ledger() == ["reserved"]
    shown(page, lambda: page.locator("#name").blur())


def test_what_comes_into_sight_after_a_minute_is_offered_anew(open_page: OpenPage, hotel: Partner) -> None:
    body = f"<div id=far></div>{hotel.element('boarding', more='form=inline')}<p id=after>The page goes on.</p>"
    page = open_page("about:blank", viewport=DESKTOP)
    page.clock.install()
    with page.expect_response("**/panel.js*"):
        page.goto(hotel.page(body))
    expect(page.locator("section")).to_have_count(1)
    assert ledger() == ["reserved"]
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    db.session.execute(update(Message).values(lease_until=long_ago))
    db.session.commit()
    page.clock.fast_forward(120_000)
    with page.expect_response("**/seen"):
        page.locator("section").scroll_into_view_if_needed()
    assert ledger() == ["released", "sent"]
    with page.expect_response("**/answer"):
        page.get_by_role("button", name="8", exact=True).click()
    assert answers() == [(8, None)]


def test_d44_a_blocked_network_or_storage_leaves_the_page_alone(open_page: OpenPage, hotel: Partner) -> None:
    address = hotel.page(hotel.element(customer=None))
    for blocked in ("**/widget.js", "**/widget/v1/**", "**/panel.js*"):
        page = open_page("about:blank", quiet=False, viewport=DESKTOP)
        broken: list[str] = []
        page.on("pageerror", lambda problem, broken=broken: broken.append(str(problem)))
        page.route(blocked, lambda route: route.abort())
        page.goto(address)
        silent(page)
        expect(page.get_by_role("heading", name="Your stay is booked")).to_be_visible()
        assert broken == []
        assert shifts(page) == 0
    page = open_page("about:blank", viewport=PHONE)
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked') }})")
    shown(page, lambda: page.goto(address))


def test_d39_nobody_else_s_page_or_frame_shows_it(open_page: OpenPage, hotel: Partner) -> None:
    """Framed pages of the partner and of ours, a page without an origin, and one that copied the partner's key."""
    address = hotel.page(hotel.element())
    copied = hotel.pages["/"].replace("<link rel=stylesheet href=/own.css>", "").replace('"', "&quot;")
    frames = {
        "/framed": f"<iframe src={address}></iframe>",
        "/sandboxed": f"<iframe sandbox=allow-scripts src={address}></iframe>",
        "/copied": hotel.pages["/"],
        "/inside": f'<iframe srcdoc="{copied}"></iframe>',
        "/ours": f"<iframe src={hotel.site.url}/l/none></iframe><iframe src={hotel.site.url}/partner/preview></iframe>",
    }

    @Request.application
    def evil(request: Request) -> Response:
        return Response(frames.get(request.path, ""), mimetype="text/html")

    with serving(evil) as (url, _):
        page = open_page("about:blank", quiet=False, viewport=DESKTOP)
        with page.expect_response("**/widget/v1/offer"):
            page.goto(url + "/framed")
        for path in ("/sandboxed", "/copied", "/inside"):
            with page.expect_event("requestfailed", lambda request: request.url.endswith("/offer")):
                page.goto(url + path)
        refused: list[str] = []
        page.on("console", lambda told: refused.append(told.text))
        page.goto(url + "/ours")
        page.wait_for_timeout(300)
        assert all(not frame.locator("section").count() for frame in page.frames)
        page.goto("about:blank")
    assert len([text for text in refused if "frame-ancestors" in text]) == 2
    assert read(select(func.count()).select_from(Event)) == [0]
    assert sorted(set(read(select(WidgetSign.what)))) == ["asked", "framed", "loaded", "wrong_origin"]
    assert read(select(WidgetSign.origin).where(WidgetSign.what == "wrong_origin")) == [url]


def test_a_listed_frame_of_the_partner_s_own_shows_it(open_page: OpenPage, hotel: Partner) -> None:
    hotel.page(hotel.element(), path="/inner")
    hotel.policy = ""
    hotel.pages["/outer"] = (
        "<!doctype html><title>Outer</title><link rel=icon href=data:,>"
        "<iframe src=/inner width=600 height=500></iframe>"
    )
    page = open_page("about:blank", viewport=DESKTOP)
    with page.expect_response("**/seen"):
        page.goto(hotel.url + "/outer")
    with page.expect_response("**/answer"):
        page.frame_locator("iframe").get_by_role("button", name="Neither satisfied nor dissatisfied").click()
    assert answers() == [(3, None)]


NARROW = {"width": 320, "height": 640}


@pytest.mark.parametrize(
    ("name", "step", "lang", "more", "sizes"),
    [
        ("popover", "boarding", "en", "", [DESKTOP, PHONE]),
        ("rows", "check_in", "fr", "", [PHONE, DESKTOP]),
        ("rtl", "boarding", "ar", "", [DESKTOP, NARROW]),
        ("inline", "boarding", "en", 'form="inline" id="kept"', [DESKTOP, NARROW]),
        ("tab", "boarding", "en", 'form="tab"', [DESKTOP, PHONE]),
    ],
)
def test_every_form_is_clean_in_every_state(
    open_page: OpenPage, hotel: Partner, tmp_path: Path, name: str, step: str, lang: str, more: str, sizes: Any
) -> None:
    page = open_page("about:blank", bypass_csp=True, viewport=sizes[0])
    with page.expect_response("**/seen"):
        page.goto(hotel.page(hotel.element(step, more=more), lang=lang))
    if name == "tab":
        tab = page.get_by_role("button", name="Your opinion")
        expect(tab).to_have_attribute("aria-expanded", "false")
        tab.click()
        expect(tab).to_have_attribute("aria-expanded", "true")
    region = page.locator("section")
    expect(region).to_be_visible()
    assert shifts(page) == 0
    page.evaluate(AXE)

    def looked_at(state: str) -> None:
        for size in sizes:
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                if PICTURES:
                    page.screenshot(path=tmp_path / f"{name}-{state}-{size['width']}-{scheme}.png")
            box = region.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"]
            if name == "rtl" and size is DESKTOP:
                assert box["x"] == 20
        assert violations(page) == []

    looked_at("ask")
    with page.expect_response("**/answer"):
        page.locator("section button:not(.x)").nth(1).click()
    expect(page.locator("section textarea")).to_be_visible()
    looked_at("why")
    page.locator("section .acts button").nth(1).click()
    looked_at("thanks")
    assert len(answers()) == 1


def test_the_way_out_is_one_tap_away(open_page: OpenPage, hotel: Partner) -> None:
    page = visit(open_page, hotel.page(hotel.element()), viewport=DESKTOP)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Don’t ask me again").click()
    opened.value.get_by_role("button").first.click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Done")
    assert "opted_out" in read(select(Suppression.reason))
