"""The contact policy in a real browser: by keyboard, without script, narrow and wide, by axe."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import PolicyDraft, PolicyVersion, Survey
from surveyapp.services import policy as services
from tests import outreach
from tests.browser.test_console import complaints_of, sign_in
from tests.chromium import OpenPage, Site
from tests.people import make_user

POLICY = """policy:
  gap: {1: 7d, 2: 30d, 3: 30d}
  caps: [{max: 2, per: 30d}]
  rules:
    - {kind: cap, journey: flight, max: 1, per: journey}
    - {kind: weekend, enabled: false}
"""
LONG = "Überlängenbezeichnungsfeldwert" * 4


def prepared() -> str:
    """A programme with its policy, an ask and a refusal an hour ago; the e-mail of an admin."""
    now = clock.now() - timedelta(hours=1)
    with clock.at(now):
        outreach.load(POLICY)
        outreach.happens("e-1", "c-1", "check_in", now)
        outreach.send()
        outreach.happens("e-2", "c-1", "boarding", now)
        outreach.send()
    email = make_user().email
    db.session.commit()
    return email


def sideways(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_every_page_of_the_policy_fits_and_axe_finds_nothing(
    site: Site, open_page: OpenPage, width: int, scheme: str
) -> None:
    email = prepared()
    group = LONG[:80]
    db.session.execute(update(Survey).values(group=group))
    db.session.commit()
    definition = {
        "gap": {"1": "7d", "2": "21d"},
        "caps": [{"max": 0, "per": "30d", "group": group}],
        "rules": [{"kind": "grace", "for": "14d", "where": {LONG: "<script>alert(1)</script>"}}],
    }
    services.save_draft(definition, f"{LONG}@example.org")
    db.session.commit()
    page = open_page(f"{site.url}/sign-in", viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(page, site, email)
    why = "/admin/customers/c-1/why"
    pages = ("", "?customer=c-1", "?scope=rules.0", "draft", "file", "versions/1")
    for address in [*(f"/admin/policy/{name}" for name in pages), why, f"{why}?trigger=after_boarding"]:
        page.goto(site.url + address)
        assert page.locator("h1").count() == 1, address
        assert (address, sideways(page)) == (address, 0)
        assert (address, complaints_of(page)) == (address, [])
    page.goto(f"{site.url}/admin/policy/")
    page.locator("details.tk summary.tok").first.click()
    assert complaints_of(page) == []
    page.locator(".addrule summary").click()
    assert (complaints_of(page), sideways(page)) == ([], 0)


@pytest.mark.database("sqlite")
def test_a_number_is_changed_compared_and_activated_by_keyboard(site: Site, open_page: OpenPage) -> None:
    email = prepared()
    page = open_page(f"{site.url}/sign-in", viewport={"width": 1280, "height": 900})
    sign_in(page, site, email)
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/admin/policy/")
    page.locator("[id='r-caps.0'] summary.tok").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("3")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "2, change"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.value == '2'")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/policy/#r-caps.0")
    page.wait_for_function("document.activeElement.id == 'r-caps.0'")
    assert page.locator("[id='r-caps.0'] .was").text_content() == "was 2 in v1"
    assert "at most 3, was at most 2" in (page.locator(".diff").text_content() or "")
    assert db.session.scalars(select(PolicyVersion.number)).all() == [1]
    db.session.rollback()
    page.get_by_role("link", name="Compare").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/policy/draft")
    page.get_by_role("button", name="Activate v2").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/policy/")
    assert page.locator(".flash").text_content() == "Version 2 holds from now on."
    db.session.rollback()
    assert db.session.scalars(select(PolicyVersion.number).order_by(PolicyVersion.number)).all() == [1, 2]


@pytest.mark.database("sqlite")
def test_everything_works_without_script(site: Site, open_page: OpenPage) -> None:
    email = prepared()
    page = open_page(
        f"{site.url}/sign-in", viewport={"width": 360, "height": 800}, java_script_enabled=False, quiet=False
    )
    sign_in(page, site, email)
    page.goto(f"{site.url}/admin/policy/")
    page.locator("[id='r-gap'] summary.tok").nth(1).click()
    page.locator("[id='r-gap'] details[open] input[name=n]").fill("0")
    page.locator("[id='r-gap'] details[open] button").click()
    assert "leave 7 days" in (page.locator("[id='r-gap']").text_content() or "").replace(", change", "")
    assert page.get_by_role("alert").locator("li").first.text_content() is not None
    page.locator("[id='r-gap'] details[open] input[name=n]").fill("21")
    page.locator("[id='r-gap'] details[open] button").click()
    page.wait_for_url("**/admin/policy/#r-gap")
    page.get_by_role("switch", name="Rule on: Nothing on Saturday and Sunday").click()
    page.wait_for_url("**#r-rules.1")
    page.locator(".addrule summary").click()
    page.select_option(".addform select[name=kind]", "grace")
    page.get_by_role("button", name="Add to the draft").first.click()
    page.wait_for_url("**#r-rules.2")
    page.locator("[id='r-rules.2'] a.tok").click()
    page.locator("[id='r-rules.2'] select[name=channel]").select_option("sms")
    page.locator("[id='r-rules.2'] details[open] button").click()
    db.session.rollback()
    saved = db.session.scalars(select(PolicyDraft)).one().definition
    assert saved["gap"]["2"] == "21d"
    assert saved["rules"][1:] == [{"kind": "weekend"}, {"kind": "grace", "for": "14d", "channel": "sms"}]


@pytest.mark.database("sqlite")
def test_the_strip_opens_at_today_on_a_phone_and_keeps_its_lane_names(site: Site, open_page: OpenPage) -> None:
    email = prepared()
    page = open_page(f"{site.url}/sign-in", viewport={"width": 360, "height": 800})
    sign_in(page, site, email)
    page.goto(f"{site.url}/admin/policy/?customer=c-1")
    assert page.evaluate("document.querySelector('.stripwrap').scrollLeft > 0")
    box = page.locator(".stripwrap").bounding_box()
    line = page.locator("line.today").bounding_box()
    names = page.locator(".striplab").bounding_box()
    assert box is not None
    assert line is not None
    assert names is not None
    assert names["x"] == pytest.approx(box["x"], abs=1)
    assert names["x"] + names["width"] < line["x"] < box["x"] + box["width"]
    assert "Asked on" in (page.locator(".stripsvg").get_attribute("aria-label") or "")
