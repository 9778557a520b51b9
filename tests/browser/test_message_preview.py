"""The preview of a trigger's messages in a real browser: narrow and wide, by axe."""

import pytest

from surveyapp.extensions import db
from tests import outreach
from tests.browser.test_console import complaints_of, sign_in
from tests.chromium import OpenPage, Site
from tests.people import make_user


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("width", [360, 1280])
def test_the_preview_fits_and_axe_finds_nothing(site: Site, open_page: OpenPage, width: int) -> None:
    outreach.load()
    email = make_user().email
    db.session.commit()
    page = open_page(f"{site.url}/sign-in", viewport={"width": width, "height": 900})
    sign_in(page, site, email)
    page.goto(f"{site.url}/admin/messages/after_check_in?language=fr")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert [frame.bounding_box()["width"] for frame in page.locator("iframe").all()] == [600, 360]
    for frame in ("desk", "hand"):
        assert page.frame_locator(f"iframe.{frame}").locator("a[href*='score=']").count() == 5
    assert complaints_of(page) == []
