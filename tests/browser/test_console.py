"""The console in a real browser: narrow and wide, light and dark, without script, by keyboard, by axe."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from surveyapp import clock
from surveyapp.domain.verbatims import Theme
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.domain.webhooks import DeliveryState, Told
from surveyapp.extensions import db
from surveyapp.models import Decision, Invitation, Response, Webhook, WebhookDelivery
from surveyapp.services import indicators, responses, reviews, webhooks
from surveyapp.services.cases import open_case
from surveyapp.services.verbatims import save_theme
from tests import outreach
from tests.chromium import OpenPage, Site
from tests.people import PASSWORD, make_user

AXE = (Path(__file__).parent / "axe.min.js").read_text()
LONG = "Überlängenbezeichnungsfeldwert" * 6


def live() -> None:
    """An ask that is answered, a refusal, and a wait, just now."""
    now = clock.now() - timedelta(hours=1)
    outreach.load()
    with clock.at(now):
        outreach.happens("e-1", "c-1", "check_in", now, properties={"class": "Business", "note": LONG})
        outreach.send()
        invitation = db.session.scalars(select(Invitation)).one()
        given: dict[str, Any] = {"score": 4, "comment": LONG + "<script>alert(1)</script>"}
        responses.record(invitation, **given, status=ResponseStatus.CONFIRMED, channel="email", language="en")
        outreach.happens("e-2", "c-1", "boarding", now)
        outreach.send()
    outreach.happens("e-3", LONG, "baggage", clock.now(), customer={"email": None})
    values = [(clock.now() - timedelta(days=days)).date().isoformat() for days in range(20)]
    indicators.keep_values("wait", [{"day": day, "step": "flight.check_in", "value": 12.5} for day in values])
    told = {"source": "trustpilot", "scale_min": 1, "scale_max": 5, "title": LONG, "text": LONG}
    told |= {"reviewed_at": now.isoformat(), "step": "flight.check_in", "url": "https://x.example/"}
    reviews.import_reviews([told | {"id": f"{n}", "rating": 1 + n % 5} for n in range(6)])
    save_theme(None, Theme(LONG[:120], "", {"any": [LONG[:60]]}))
    open_case("c-1", LONG, "flight.boarding")
    tell()
    db.session.commit()


def tell() -> None:
    """Two endpoints: one with a message in every state, one that was disabled."""
    everything = [event.value for event in Told]
    first, second = (
        webhooks.create_webhook({"url": url, "events": everything, "description": description})[0]
        for url, description in (("https://example.org/" + "hook" * 80, ""), ("https://crm.example.org/", "CRM"))
    )
    open_case("c-1", "Lost bag")
    webhooks.rotate_secret(first.uid)
    for state in DeliveryState:
        message = webhooks.send_test(first.uid)
        told = update(WebhookDelivery).where(WebhookDelivery.uid == message)
        db.session.execute(told.values(state=state, attempts=3, last_error="answered 500: " + "x" * 90))
        db.session.commit()
    gone = update(Webhook).where(Webhook.uid == second.uid)
    db.session.execute(gone.values(disabled_at=clock.now(), disabled_reason="It answered 410: gone for good."))
    db.session.commit()


def sign_in(page: Page, site: Site, email: str) -> None:
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


def addresses() -> list[str]:
    decisions = [f"/admin/decisions/{uid}" for uid in db.session.scalars(select(Decision.uid))]
    answers = [f"/admin/responses/{uid}" for uid in db.session.scalars(select(Response.uid))]
    views = [f"/admin/programme/?view={view}" for view in ("surveys", "journeys", "events")]
    names = ("journeys", "responses", "cases", "decisions", "delivery", "customers", "programme", "access")
    uids = db.session.scalars(select(Webhook.uid).order_by(Webhook.id))
    hooks = ["/admin/access/webhooks/", *(f"/admin/access/webhooks/{uid}" for uid in uids)]
    series = ["/admin/indicators/", "/admin/indicators/wait", "/admin/verbatims/", "/admin/reviews/"]
    lists = [f"/admin/{name}/" for name in names]
    people = ["/admin/customers/c-1", f"/admin/customers/{LONG}"]
    db.session.commit()  # the page of a customer writes that it was opened
    return [
        "/admin/",
        "/admin/?days=28",
        "/admin/journeys/flight",
        *lists,
        *series,
        *views,
        *decisions,
        *answers,
        *people,
        *hooks,
    ]


def complaints_of(page: Page) -> list[str]:
    """What axe finds, as `rule: element`."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(
        "async () => (await axe.run()).violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target))"
    )
    return found


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_every_page_fits_and_axe_finds_nothing(site: Site, open_page: OpenPage, width: int, scheme: str) -> None:
    live()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(page, site, email)
    for address in addresses():
        page.goto(site.url + address)
        assert page.locator("h1").count() == 1, address
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (address, wide) == (address, 0)
        assert (address, complaints_of(page)) == (address, [])
    assert page.evaluate("document.documentElement.dataset.bsTheme") == scheme


@pytest.mark.database("sqlite")
def test_the_empty_console_fits_too(site: Site, open_page: OpenPage) -> None:
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 360, "height": 800})
    sign_in(page, site, email)
    assert page.locator("h1").text_content() == "From nothing to a first honest figure"
    for name in ("", "journeys/", "responses/", "reviews/", "decisions/", "customers/", "programme/"):
        page.goto(f"{site.url}/admin/{name}")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert (
            page.locator(".crumbs li").evaluate_all("all => all.filter(li => li.scrollWidth > li.clientWidth).length")
            == 0
        )
        assert (name, complaints_of(page)) == (name, [])


@pytest.mark.database("sqlite")
def test_pages_read_and_forms_post_without_script(site: Site, open_page: OpenPage) -> None:
    live()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 360, "height": 800}, java_script_enabled=False)
    sign_in(page, site, email)
    page.get_by_role("link", name="Decisions").click()
    page.select_option("select[name=outcome]", "refused")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    page.goto(f"{site.url}/admin/customers/")
    page.fill("#sought", "c-1")
    page.get_by_role("button", name="Find").click()
    expect(page).to_have_url(f"{site.url}/admin/customers/c-1")


@pytest.mark.database("sqlite")
def test_theme_menu_and_keys(site: Site, open_page: OpenPage) -> None:
    live()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 1280, "height": 800}, color_scheme="light")
    sign_in(page, site, email)
    page.get_by_role("button", name="Dark or light").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.keyboard.press("[")
    assert page.evaluate("document.documentElement.dataset.nav") == "rail"
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/admin/decisions/**")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.verdicts, .quiet') !== null")
    page.goto(f"{site.url}/admin/decisions/")
    page.select_option("select[name=outcome]", "asked")
    page.wait_for_url("**outcome=asked**")
    assert page.locator("[data-row]").count() == 1


@pytest.mark.database("sqlite")
def test_three_clicks_lead_from_a_figure_to_its_decision(site: Site, open_page: OpenPage) -> None:
    live()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 1280, "height": 800})
    sign_in(page, site, email)
    page.goto(f"{site.url}/admin/journeys/flight")
    page.locator(".c-fig a").first.click()
    page.locator("[data-row]").first.click()
    page.get_by_role("link", name="Its decision").click()
    assert page.locator("h1").text_content() == "Why was c-1 asked about Check-in?"


@pytest.mark.database("sqlite")
def test_a_page_travels_light(site: Site, open_page: OpenPage) -> None:
    """Cold: what a page without charts loads besides the style sheet of Tabler; warm: nothing but the page."""
    live()
    email = make_user().email
    page = open_page(f"{site.url}/sign-in", viewport={"width": 1280, "height": 800})
    sign_in(page, site, email)
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url) if answer.status == 200 else None)
    page.goto(f"{site.url}/admin/decisions/")
    size = "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)"
    assert page.evaluate(size) < 30_000, "everything but the new page's own files is kept"
    assert all("/vendor/htmx" not in url for url in asked)
