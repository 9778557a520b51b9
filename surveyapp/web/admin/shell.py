"""What every console page shares: navigation, the brand's name and clock, asset addresses. Answers no request."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, g, request, url_for
from flask_login import current_user

from surveyapp import clock
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import console as console_queries
from surveyapp.web.admin import formats

EVERYONE = frozenset(Role) - {Role.PARTNER}
ADMINS = frozenset({Role.ADMIN})
PARTNERS = frozenset({Role.PARTNER})
YEAR = 31_536_000


@dataclass(frozen=True)
class Place:
    """One line of the menu: shown when its page exists and the reader's role may enter. `go` is its key after G.

    Where `settings` are named, one of them must have that value.
    """

    group: str
    label: str
    endpoint: str
    icon: str
    roles: frozenset[str] = EVERYONE
    go: str = ""
    settings: tuple[tuple[str, object], ...] = ()


LOCAL = (("EMAIL_BACKEND", "mailbox"), ("SMS_BACKEND", "phone"))
DEMONSTRATION = (("DEMO", True),)
PLACES = (
    Place("", "Home", "home.index", "home", go="h"),
    Place("Understand", "Journeys", "journeys.index", "route", go="j"),
    Place("Understand", "Metrics", "dashboard.index", "chart-dots", go="m"),
    Place("Understand", "Responses", "responses.index", "message-2", go="r"),
    Place("Understand", "Verbatims", "verbatims.index", "message-question"),
    Place("Understand", "Reviews", "reviews.index", "message"),
    Place("Understand", "Indicators", "indicators.index", "activity"),
    Place("Act", "Cases", "cases.index", "lifebuoy", go="c"),
    Place("Act", "Actions", "actions.index", "checklist"),
    Place("Ask", "Surveys", "surveys.index", "forms", go="s"),
    Place("Ask", "Contact policy", "policy.index", "shield-check", go="p"),
    Place("Ask", "Decisions", "decisions.index", "git-branch", go="d"),
    Place("Ask", "Delivery", "delivery.index", "send"),
    Place("People", "Customers", "customers.index", "users"),
    Place("Set up", "Programme", "programme.index", "file-code"),
    Place("Set up", "Access", "accounts.index", "key", ADMINS),
    Place("Set up", "Webhooks", "webhooks.index", "plug-connected", ADMINS),
    Place("", "Your widgets", "partner.index", "chart-dots", PARTNERS),
    Place("", "Health", "partner.health", "activity", PARTNERS),
    Place("Set up", "Install", "partner.install", "file-code", PARTNERS),
    Place("Set up", "Look and keys", "partner.settings", "key", PARTNERS),
    Place("On this machine", "Mailbox", "dev.mailbox", "mailbox", settings=LOCAL),
    Place("On this machine", "Try it", "try_it.index", "player-play", settings=DEMONSTRATION),
)
SIGN_OUT = "auth.sign_out"
FIND = "home.find"
CASES = "cases.index"
ACCOUNT = (("Your account", "auth.account", "user"),)


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    icon: str
    here: bool
    exact: bool
    go: str = ""
    count: int = 0


@dataclass(frozen=True)
class Group:
    name: str
    links: list[Link]


class Console:
    """What templates ask the shell for; each answer is made at most once a request."""

    def navigation(self) -> list[Group]:
        """The menu of this reader, group by group; empty groups are left out."""
        role = getattr(current_user, "role", None)
        groups: dict[str, list[Link]] = {}
        for place in PLACES:
            if role in place.roles and _exists(place.endpoint) and _set_so(place.settings):
                url = url_for(place.endpoint)
                exact = request.endpoint == place.endpoint
                here = exact or (request.blueprint == place.endpoint.split(".")[0] not in ("dev", "partner"))
                count = open_cases() if place.endpoint == CASES else 0
                link = Link(place.label, url, place.icon, here, exact, place.go, count)
                groups.setdefault(place.group, []).append(link)
        return [Group(name, links) for name, links in groups.items()]

    def account_links(self) -> Iterator[Link]:
        for label, endpoint, icon in ACCOUNT:
            if _exists(endpoint):
                yield Link(label, url_for(endpoint), icon, False, False)

    def sign_out_url(self) -> str | None:
        return url_for(SIGN_OUT) if _exists(SIGN_OUT) else None

    def find_url(self) -> str | None:
        staff = getattr(current_user, "role", None) in EVERYONE
        return url_for(FIND) if staff and _exists(FIND) else None

    def brand_name(self) -> str:
        return brand_name()


def _set_so(settings: tuple[tuple[str, object], ...]) -> bool:
    return not settings or any(current_app.config[name] == value for name, value in settings)


def _exists(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


def _brand() -> console_queries.BrandFacts | None:
    if not hasattr(g, "console_brand"):
        g.console_brand = console_queries.brand_facts(db.session())
    brand: console_queries.BrandFacts | None = g.console_brand
    return brand


def brand_name() -> str:
    """The brand's name, or ours before there is one."""
    brand = _brand()
    return brand.name if brand else "surveyapp"


def open_cases() -> int:
    """How many cases wait for somebody."""
    brand = _brand()
    return brand.open_cases if brand else 0


def zone() -> str:
    """The time zone pages are written in: the brand's, or UTC before there is one."""
    brand = _brand()
    return brand.timezone if brand else "UTC"


def language() -> str:
    """The language in which the programme's own texts are shown: the brand's first."""
    brand = _brand()
    return brand.language if brand else "en"


def languages() -> tuple[str, ...]:
    """The brand's languages, its own first."""
    brand = _brand()
    if brand is None:
        return ("en",)
    return (brand.language, *(other for other in brand.languages if other != brand.language))


def now() -> datetime:
    """One instant for the whole page."""
    if not hasattr(g, "console_now"):
        g.console_now = clock.now()
    moment: datetime = g.console_now
    return moment


def today() -> date:
    """The day on the brand's clock."""
    return formats.local(now(), zone()).date()


@dataclass(frozen=True)
class Month:
    name: str
    entries: list[Any]


def by_month(entries: Iterable[Any]) -> list[Month]:
    """The entries, which have an `at`, under the months of the brand's clock, in the order given."""
    months: list[Month] = []
    for entry in entries:
        name = formats.month_words(formats.local(entry.at, zone()).date())
        if not months or months[-1].name != name:
            months.append(Month(name, []))
        months[-1].entries.append(entry)
    return months


@dataclass(frozen=True)
class JourneyRows:
    journey: Any
    rows: list[Any]


def by_journey(rows: Iterable[dict[str, Any]]) -> list[JourneyRows]:
    """The rows under their journeys, in the order given."""
    groups: list[JourneyRows] = []
    for row in rows:
        if not groups or groups[-1].journey != row["journey"]:
            groups.append(JourneyRows(row["journey"], []))
        groups[-1].rows.append(row)
    return groups


@lru_cache(maxsize=256)
def _digest(path: str, changed: float) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


def asset(filename: str) -> str:
    """The address of a static file, with a mark of its content so that browsers may keep it for a year."""
    path = Path(current_app.static_folder or "") / filename
    return url_for("static", filename=filename, v=_digest(str(path), path.stat().st_mtime))


def _keep_assets(response: Response) -> Response:
    if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def _context() -> dict[str, Any]:
    return {"console": Console(), "asset": asset}


def install(blueprint: Blueprint) -> None:
    """Give every template the shell, and the filters of `formats`."""
    blueprint.app_context_processor(_context)
    blueprint.after_app_request(_keep_assets)
    for name, function in formats.FILTERS.items():
        blueprint.add_app_template_filter(function, name)
    blueprint.add_app_template_global(asset, "asset")
    blueprint.add_app_template_filter(lambda moment: formats.moment_words(moment, now(), zone()), "moment")
    blueprint.add_app_template_filter(lambda moment: formats.ago(moment, now(), zone()), "ago")
    blueprint.add_app_template_filter(lambda text: formats.told(text, now(), zone()), "told")
    blueprint.add_app_template_filter(lambda day: formats.day_words(day, today()), "day")
    blueprint.add_app_template_filter(lambda text: formats.in_language(text, language()), "words")
    blueprint.add_app_template_filter(lambda moment: f"{formats.local(moment, zone()):%H:%M}", "clock")
    blueprint.add_app_template_filter(lambda moment: formats.local(moment, zone()), "here")
    blueprint.add_app_template_filter(by_month, "groupby_month")
    blueprint.add_app_template_filter(by_journey, "groupby_journey")
