"""The brand's look: one colour and a logo, the colours computed from it with their contrast, a page that wears them."""

from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain.palette import DARK_CARD, DEFAULT, LIGHT_CARD, LIGHT_PAGE, TEXT_CONTRAST, contrast, palette
from surveyapp.extensions import db
from surveyapp.queries.console import surveys as queries
from surveyapp.queries.programme import brand as brand_row
from surveyapp.services import look as services
from surveyapp.services.surveys import NoProgramme
from surveyapp.web.admin import frames, params, shell
from surveyapp.web.admin.surveys import blueprint, may_edit

__all__ = ["blueprint"]
PAIRS = (
    ("Accent on a page", "accent", LIGHT_PAGE, "accent_dark", DARK_CARD),
    ("Accent on a card", "accent", LIGHT_CARD, "accent_dark", DARK_CARD),
    ("Text on the accent", "on", "accent", "on_dark", "accent_dark"),
    ("Text on the accent, pressed", "on", "press", "on_dark", "press_dark"),
)


@dataclass(frozen=True)
class Pair:
    """Two colours as they meet on a page, with their contrast."""

    name: str
    text: str
    ground: str
    ratio: float

    @property
    def good(self) -> bool:
        return self.ratio >= TEXT_CONTRAST


@blueprint.get("/-/look")
def look() -> Response:
    return _page(params.text("colour"), None, {})


@blueprint.post("/-/look")
def change_look() -> Any:
    colour = (request.form.get("colour") or "").strip().lower()[:20] or None
    logo = (request.form.get("logo") or "").strip()[:600] or None
    try:
        changed = services.change_look(colour, logo, current_user.email)
    except services.LookRefused as refusal:
        return _page(colour, logo, {refusal.field: refusal.sentence}, 422)
    except NoProgramme:
        return _page(colour, logo, {"colour": "Apply a programme first: a look belongs to a brand."}, 422)
    flash("Saved. Pages, messages and widgets wear it from now on." if changed else "It looks so already.")
    return redirect(url_for("surveys.look"), 303)


def _page(wanted: str | None, logo: str | None, errors: dict[str, str], status: int = 200) -> Response:
    brand = brand_row()
    colour = wanted if wanted is not None else (brand.colour if brand else None)
    try:
        eight = palette(colour or DEFAULT)
    except ValueError as problem:
        eight = palette(DEFAULT)
        errors = {"colour": f"{str(problem).capitalize()}.", **errors}
    shown = next((row for row in queries.listed(db.session(), shell.now()) if row.archived_at is None), None)
    page = render_template(
        "admin/look.html",
        brand=brand,
        colour=colour or "",
        logo=logo if logo is not None else (brand.logo if brand else None) or "",
        saved=brand is not None and colour == brand.colour,
        default=DEFAULT,
        light=_pairs(eight, False),
        dark=_pairs(eight, True),
        own=contrast(colour, LIGHT_CARD) if colour and "colour" not in errors else None,
        least=TEXT_CONTRAST,
        survey=shown,
        errors=errors,
        may_edit=may_edit(),
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = frames.framing()
    return response


def _pairs(eight: dict[str, str], dark: bool) -> list[Pair]:
    found = []
    for name, *sides in PAIRS:
        text, ground = (eight.get(side, side) for side in (sides[2:] if dark else sides[:2]))
        found.append(Pair(name, text, ground, contrast(text, ground)))
    return found
