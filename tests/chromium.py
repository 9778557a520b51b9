"""The Chromium of this machine and a real server to point it at, for the conftest of the folders that use them."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask_openapi3 import OpenAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from surveyapp.extensions import db
from tests.conftest import MUST_HAVE_ALL, MakeApp

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)
OpenPage = Callable[..., Page]
_RUNNING: list[Browser] = []


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; skips (fails where CI=true) when the machine has none.

    Every folder that imports this fixture has its own of it, and all of them share the one browser of the run.
    """
    if _RUNNING:
        yield _RUNNING[0]
        return
    path = os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = f"no browser: neither $CHROMIUM nor {', '.join(NAMES)} on the PATH"
        if MUST_HAVE_ALL:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        _RUNNING.append(browser)
        yield browser
        _RUNNING.clear()
        browser.close()


@dataclass(frozen=True)
class Site:
    """A served application; `url` is also its BASE_URL."""

    url: str
    app: OpenAPI


@pytest.fixture
def site(database_url: str, make_app: MakeApp, settings: dict[str, object]) -> Iterator[Site]:
    """The application behind a real server on loopback; its context is pushed for the test itself.

    End your own transaction (`db.session.commit()`) before the browser asks for something.
    """
    server = make_server("127.0.0.1", 0, lambda environ, start_response: [], threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    app = make_app(database_url, **(settings | {"BASE_URL": url}))
    server.app = app
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        with app.app_context():
            yield Site(url, app)
            db.session.remove()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """`open_page(url, **context)`: a page in a context of its own (`viewport`, `locale`, `java_script_enabled` …).

    The test fails when a page logged an error or broke the content security policy, unless `quiet=False`.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(url: str, *, quiet: bool = True, **options: Any) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        if quiet:
            page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
            page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
