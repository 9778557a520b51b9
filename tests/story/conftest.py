"""Whole journeys; some of them through a browser."""

from tests.chromium import chromium, open_page, site

__all__ = ["chromium", "open_page", "site"]
