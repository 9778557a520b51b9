"""The metrics' pages in a real browser: charts drawn under the strict policy, narrow and wide, both themes, by axe."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer
from surveyapp.services import rollups
from tests.browser.test_console import complaints_of, live, sign_in
from tests.builders import make_reporting_attribute, make_response, make_survey
from tests.chromium import OpenPage, Site
from tests.people import make_user

PAGES = (
    "",
    "csat5",
    "csat5/breakdown?by=channel",
    "csat5/breakdown?by=context.class&over=channel",
    "csat5/breakdown?by=context.class&over=hour",
    "csat5/choices",
    "csat5/choices?over=context.class",
    "csat5/compare?by=context.class",
    "csat5/changes",
    "csat5/funnel",
    "nps/drivers",
    "pmf",
)


def answered() -> None:
    """Some weeks of answers in three classes and two channels, and people who also answered the relational question."""
    live()
    make_reporting_attribute("class", 1)
    options = [{"key": key, "label": {"en": key}} for key in ("heard", "past")]
    source: Any = {"key": "source", "kind": "many", "ask": {"en": "What shaped it?"}, "options": options}
    csat, nps = make_survey("metrics_csat", "csat5", follow_up=[source]), make_survey("metrics_nps", "nps")
    made = []
    for number in range(150):
        who = Customer(external_id=f"m-{number}", consent={}, attributes={}, created_at=clock.now())
        db.session.add(who)
        db.session.flush()
        at = clock.now() - timedelta(days=number % 45 + 2)
        when = {"answered_at": at, "event_at": at, "updated_at": at, "reporting_day": at.date(), "customer_id": who.id}
        context = {"class": ("Business", "Economy", "First")[number % 3 if number % 50 else 2]}
        channel = ("email", "sms")[number % 2]
        said = {"reporting_hour": 8 + number % 9, "answers": {"source": [("heard", "past")[number % 4 // 2]]}}
        made.append(make_response(csat, 1 + number % 5, context=context, channel=channel, **when, **said))
        now = clock.now() - timedelta(days=1)
        when |= {"answered_at": now, "event_at": now, "reporting_day": now.date()}
        made.append(make_response(nps, number % 11, journey=None, step=None, **when))
    rollups.count_many(db.session, made)
    db.session.commit()


@pytest.mark.database("sqlite")
def test_charts_are_drawn_and_axe_finds_nothing(site: Site, open_page: OpenPage) -> None:
    answered()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 320, "height": 800}, color_scheme="light")
    sign_in(page, site, email)
    drawn = look_at(page, site, PAGES)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1280, "height": 900})
    drawn += look_at(page, site, ("csat5?days=91&context.class=Business", *PAGES[3:4]))
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert drawn >= 6
    page.goto(f"{site.url}/admin/metrics/csat5")
    page.locator(".reach dl").wait_for()
    assert not page.locator(".astable").first.evaluate("table => table.open")


def look_at(page: Page, site: Site, addresses: Sequence[str]) -> int:
    """How many charts these pages drew; each fits its window and pleases axe."""
    drawn = 0
    for address in addresses:
        page.goto(f"{site.url}/admin/metrics/{address}")
        boxes = page.locator("[data-chart]").count()
        if boxes:
            page.locator("[data-chart] svg").nth(boxes - 1).wait_for()
        drawn += boxes
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (address, wide) == (address, 0)
        assert (address, complaints_of(page)) == (address, [])
    return drawn


@pytest.mark.database("sqlite")
def test_without_script_the_tables_stand_open_and_the_filter_works(site: Site, open_page: OpenPage) -> None:
    answered()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 360, "height": 800}, java_script_enabled=False)
    sign_in(page, site, email)
    page.goto(f"{site.url}/admin/metrics/csat5")
    expect(page.locator(".astable table").first).to_be_visible()
    expect(page.locator("[data-chart]").first).to_be_hidden()
    expect(page.get_by_role("link", name="Coverage and response rate")).to_be_visible()
    page.get_by_text("Filters").first.click()
    page.select_option("select[name=channel]", "sms")
    page.get_by_role("button", name="Filter").click()
    assert "channel=sms" in page.url
    expect(page.get_by_text("Channel: SMS")).to_be_visible()
