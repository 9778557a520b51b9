"""The console's door, in a real browser, on a narrow and on a wide screen."""

import pytest

from surveyapp.services import accounts
from tests.chromium import OpenPage, Site


@pytest.mark.parametrize("width", [360, 1280])
def test_a_person_chooses_a_password_and_is_let_in(site: Site, open_page: OpenPage, width: int) -> None:
    token = accounts.create_user("ada@example.org", "admin")
    page = open_page(f"{site.url}/set-password/{token}", viewport={"width": width, "height": 800})
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (page.locator("h1").count(), overflow) == (1, 0)
    for field in page.locator("input[type=password]").all():
        field.fill("a long and unlikely sentence")
    page.get_by_role("button", name="Set password").click()
    page.wait_for_url("**/sign-in")
    page.locator("input[name=email]").fill("ada@example.org")
    page.locator("input[type=password]").fill("a long and unlikely sentence")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")
    assert page.locator("h1").count() == 1
