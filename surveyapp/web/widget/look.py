"""The look of a question on a partner's page: its form, and its colours as one rule of CSS. Reads no database.

Every colour is computed here, where its contrast is, and none of them is text that somebody typed.
"""

from collections.abc import Mapping
from typing import Any

from surveyapp.domain.palette import palette
from surveyapp.web.respond.style import colours

LIGHT = "color-scheme:light;--card:#fff;--ink:#15181c;--soft:#575d66;--line:#e4e3de;--rule:#cfd2d6;--edge:#868c95;"
DARK = "color-scheme:dark;--card:#1b1e22;--ink:#f2f3f4;--soft:#a8aeb7;--line:#2c3035;--rule:#41464d;--edge:#7d848e;"


def look(
    settings: Mapping[str, Any], brand_colours: Mapping[str, str] | None, theme: str | None = None
) -> dict[str, str]:
    """`form` and `css`. A `theme` of the page's own (light or dark) goes before what the partner set."""
    eight = palette(str(settings["colour"])) if settings.get("colour") else colours(brand_colours)
    light = LIGHT + _own(eight["accent"], eight["on"], eight["tint"])
    dark = DARK + _own(eight["accent_dark"], eight["on_dark"], eight["tint_dark"])
    css = {
        "light": f":host{{{light}}}",
        "dark": f":host{{{dark}}}",
        "auto": f":host{{{light}}}@media (prefers-color-scheme:dark){{:host{{{dark}}}}}",
    }
    mode = theme if theme in ("light", "dark") else settings.get("mode", "auto")
    return {"form": settings.get("form", "popover"), "css": css.get(mode, css["auto"])}


def _own(accent: str, on: str, tint: str) -> str:
    """The three colours of the brand, which the page may set itself."""
    return f"--accent:var(--survey-accent,{accent});--on:var(--survey-on,{on});--tint:var(--survey-tint,{tint})"
