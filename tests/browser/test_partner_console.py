"""The partners' console in a browser: it fits, axe finds nothing, and the preview shows the widget without a call."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Event, Partner
from surveyapp.services import partners
from tests import outreach, widget
from tests.chromium import OpenPage, Site
from tests.people import PASSWORD, make_user

pytestmark = pytest.mark.database("sqlite")

AXE = (Path(__file__).parent / "axe.min.js").read_text()


def enter(site: Site, open_page: OpenPage, role: str) -> Page:
    outreach.load(programme=widget.WEB_ONLY)
    widget.partner()
    number = db.session.scalars(select(Partner.id)).one()
    for origin, what in (
        (widget.ORIGIN, "asked"),
        ("https://www.hotel.example", "wrong_origin"),
        ("null", "no_survey"),
    ):
        db.session.commit()
        partners.note_sign(number, origin, what, clock.now())
    email = make_user(role, partner_id=number if role == "partner" else None).email
    db.session.remove()
    page = open_page(f"{site.url}/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/partner/" if role == "partner" else "**/admin/")
    return page


def checked(page: Page, address: str, folder: Path, looks: list[tuple[int, str]]) -> None:
    """The page fits at every width, and axe finds nothing in it."""
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        if os.environ.get("PICTURES"):
            page.screenshot(
                path=folder / f"{address.rpartition('/')[2] or 'index'}-{width}-{scheme}.png", full_page=True
            )
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (address, width)
        page.evaluate(AXE)
        found = page.evaluate(
            "async () => (await axe.run()).violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target))"
        )
        assert found == [], (address, width, scheme)


def test_every_page_of_a_partner_fits_and_the_preview_shows_the_widget_and_stores_nothing(
    site: Site, open_page: OpenPage, tmp_path: Path
) -> None:
    page = enter(site, open_page, "partner")
    for name in ("", "install", "health", "settings"):
        checked(page, f"{site.url}/partner/{name}", tmp_path, [(320, "light"), (1280, "dark")])
    page.goto(f"{site.url}/partner/preview?form=inline")
    expect(page.get_by_role("region")).to_be_visible()
    page.get_by_role("button", name="9", exact=True).click()
    expect(page.get_by_text("Saved: 9.")).to_be_visible()
    assert db.session.scalar(select(func.count()).select_from(Event)) == 0
    db.session.rollback()


def test_the_administrator_s_page_about_a_partner_fits(site: Site, open_page: OpenPage, tmp_path: Path) -> None:
    page = enter(site, open_page, "admin")
    checked(page, f"{site.url}/admin/access/partners/hotel", tmp_path, [(320, "dark"), (1280, "light")])
