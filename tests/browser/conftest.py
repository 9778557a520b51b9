"""Browser tests: fixtures `site`, `open_page`, `chromium`."""

from tests.chromium import chromium, open_page, site

__all__ = ["chromium", "open_page", "site"]
