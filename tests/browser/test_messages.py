"""The e-mail and the local mailbox in a real browser: sizes, themes, both directions, links, and axe."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Brand
from surveyapp.queries import mailbox as queries
from surveyapp.services import digest, mailbox, rollups, verbatims
from surveyapp.services.messages import compose
from tests.builders import make_brand, make_response, make_survey
from tests.chromium import OpenPage, Site
from tests.messages import make_message
from tests.people import make_user

pytestmark = pytest.mark.database("sqlite")

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
IN_A_READER = ["landmark-one-main", "region"]  # a message stands inside its reader's own landmarks
TUESDAY = datetime(2026, 11, 10, 9, tzinfo=UTC)
KINDS: dict[str, dict[str, Any]] = {
    "nps": {"postal_address": "1 Runway Road, Paris", "privacy_url": "https://oddjob.example/privacy"},
    "nps in Arabic": {"language": "ar", "about": {"ar": "إنجاز إجراءات السفر"}},
    "csat in French": {"metric": "csat5", "language": "fr", "name": "Grand Hotel", "palette": {"accent": "#7b2d3b"}},
    "ces in German": {"metric": "ces2", "language": "de", "about": {"de": "Check-in"}},
}


@pytest.fixture
def sent(site: Site) -> dict[str, int]:
    """One message of each kind lies in the mailbox, and a text with its reply; their numbers."""
    numbers = {}
    for name, of in (*KINDS.items(), ("text", {"channel": "sms"})):
        message, brand = make_message(**of)
        assert isinstance(brand, Brand)
        mailbox.store(compose(message, site.app.config, brand))
        numbers[name] = queries.latest_number(db.session)
        db.session.rollback()
    mailbox.receive("+33612345678", "surveyapp", "9")
    return numbers


def digest_sent() -> int:
    """A week's digest with a long word and a figure lies in the mailbox; its number."""
    with clock.at(TUESDAY):
        if db.session.get(Brand, 1) is None:
            make_brand()
        version = make_survey()
        day = TUESDAY.date() - timedelta(days=4)
        said = make_response(version, 2, comment="Überlängenbezeichnungsfeldwert" * 6, reporting_day=day)
        rollups.count_many(db.session, [said, *(make_response(version, 5, reporting_day=day) for _ in range(6))])
        verbatims.keep(db.session, {said.id: said.comment})
        db.session.commit()
        digest.choose(make_user("analyst").id, True)
        assert digest.send_due() == 1
    return queries.latest_number(db.session)


def faults(page: Page, *without: str) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate(
        "([tags, off]) => axe.run(document, {runOnly: {type: 'tag', values: tags},"
        " rules: Object.fromEntries(off.map(id => [id, {enabled: false}]))})",
        [RULES, list(without)],
    )
    return [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_email_fits_its_reader(site: Site, sent: dict[str, int], open_page: OpenPage, scheme: str) -> None:
    page = open_page("about:blank", color_scheme=scheme, bypass_csp=True, quiet=False)
    for name, number in (*sent.items(), ("digest", digest_sent())):
        if name == "text":
            continue
        page.goto(f"{site.url}/dev/mailbox/{number}/body")
        for width in (600, 360, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            cells = page.locator(".n a").evaluate_all(
                "all => all.map(a => { const b = a.getBoundingClientRect(); return [b.width, b.height, b.top] })"
            )
            assert all(cell[0] >= 24 and cell[1] >= 44 for cell in cells), (name, width)
            if name.startswith("nps"):
                assert len(cells) == 11
                assert len({cell[2] for cell in cells}) == 1, "the eleven stand on one line"
        assert faults(page, *IN_A_READER) == [], name


def test_arabic_reads_from_the_right(site: Site, sent: dict[str, int], open_page: OpenPage) -> None:
    page = open_page(f"{site.url}/dev/mailbox/{sent['nps in Arabic']}/body", viewport={"width": 360, "height": 900})
    lefts = page.locator(".n a").evaluate_all("all => all.map(a => a.getBoundingClientRect().left)")
    assert lefts == sorted(lefts, reverse=True)
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).textAlign") == "right"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_mailbox_is_usable_at_every_width(
    site: Site, sent: dict[str, int], open_page: OpenPage, width: int, scheme: str
) -> None:
    nps, text = sent["nps"], sent["text"]
    paths = ["", f"/{nps}", f"/{nps}?view=text", f"/{nps}?view=headers", f"/{text}", "?to=nobody"]
    page = open_page("about:blank", viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in paths:
        page.goto(f"{site.url}/dev/mailbox{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert faults(page) == [], path


def test_an_empty_mailbox_says_what_to_do(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.url}/dev/mailbox", viewport={"width": 360, "height": 800})
    expect(page.get_by_text("No message yet.")).to_be_visible()
    assert faults(page) == []


def test_a_score_in_the_mail_opens_its_page_in_a_tab_of_its_own(
    site: Site, sent: dict[str, int], open_page: OpenPage
) -> None:
    page = open_page(f"{site.url}/dev/mailbox/{sent['nps']}", quiet=False)
    nine = page.frame_locator("iframe").get_by_role("link", name="9", exact=True)
    with page.expect_popup() as popup:
        nine.click()
    assert popup.value.url.startswith(f"{site.url}/s/")
    assert popup.value.url.endswith("?score=9")
    assert popup.value.evaluate("window.opener") is None


def test_nothing_in_a_mail_runs(site: Site, open_page: OpenPage) -> None:
    message, brand = make_message()
    outgoing = compose(message, site.app.config, brand)
    assert outgoing.html is not None
    bad = '<script>document.title = "ran"</script><img src=x onerror="document.title = \'ran\'">'
    spoilt = outgoing.html.replace("<h1", f"{bad}<h1")
    mailbox.store(type(outgoing)(outgoing.uid, outgoing.channel, "a@b.org", "x", "s", "t", spoilt))
    page = open_page(f"{site.url}/dev/mailbox/1/body", quiet=False)
    assert page.title() == "One question about check-in"


def test_a_reply_is_typed_on_the_phone(site: Site, sent: dict[str, int], open_page: OpenPage) -> None:
    page = open_page(f"{site.url}/dev/mailbox/{sent['text']}", viewport={"width": 360, "height": 800})
    page.get_by_label("Reply as the customer").fill("10, super")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/dev/mailbox/*#end")
    assert page.locator(".talk li.out p").all_inner_texts() == ["9", "10, super"]


def test_a_new_message_is_announced(site: Site, sent: dict[str, int], open_page: OpenPage) -> None:
    page = open_page(f"{site.url}/dev/mailbox")
    message, brand = make_message()
    mailbox.store(compose(message, site.app.config, brand))
    page.get_by_role("link", name="1 new message. Show it").click()
    assert page.locator(".list li").count() == len(sent) + 2
