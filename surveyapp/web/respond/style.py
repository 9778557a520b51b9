"""The one style block of a page that customers meet, and the policy that allows it by its hash and nothing else."""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from markupsafe import escape

from surveyapp.domain.palette import DEFAULT, palette

FOLDER = Path(__file__).resolve().parents[3] / "templates" / "respond" / "css"
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def colours(stored: Mapping[str, str] | None) -> Mapping[str, str]:
    """The brand's eight colours, or the default ones where what is stored is not eight colours."""
    own = palette(DEFAULT)
    whole = stored and all(_COLOUR.fullmatch(str(stored.get(name, ""))) for name in own)
    return stored if stored and whole else own


def style(parts: tuple[str, ...], eight: Mapping[str, str]) -> str:
    """The rules of a page made of these parts, in the brand's colours, without a space too many."""
    return _style(parts, tuple(sorted(eight.items())))


def content_security_policy(css: str, *, scripted: bool = False) -> str:
    """What a page with this style block may do: show itself and post to us; with `scripted`, by our own file too.

    Its icon travels inside the page.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_hash(css)}'",
            *(("script-src 'self'", "connect-src 'self'") if scripted else ()),
            "form-action 'self'",
            "img-src 'self' data:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


@lru_cache(maxsize=64)
def icon(initial: str, accent: str, on: str) -> str:
    """The brand's square as an address that needs no request."""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
        f"<rect width='32' height='32' rx='7' fill='{accent}'/>"
        f"<text x='16' y='23' font-family='sans-serif' font-size='20' font-weight='700' text-anchor='middle' "
        f"fill='{on}'>{escape(initial)}</text></svg>"
    )
    return "data:image/svg+xml," + quote(drawing, safe="/:=' ")


@lru_cache(maxsize=64)
def _style(parts: tuple[str, ...], eight: tuple[tuple[str, str], ...]) -> str:
    by_name = dict(eight)
    names = ("accent", "on", "tint", "press")
    light = "".join(f"--{name}:{by_name[name]};" for name in names)
    dark = "".join(f"--{name}:{by_name[name + '_dark']};" for name in names)
    own = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return own + "".join(_squeezed(part) for part in ("page", *parts))


@lru_cache(maxsize=16)
def _squeezed(part: str) -> str:
    text = (FOLDER / f"{part}.css").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" ?([{};,>]) ?", r"\1", text)
    return re.sub(r"(?<=[\w\])-]): ", ":", text).replace(";}", "}").strip()


@lru_cache(maxsize=128)
def _hash(css: str) -> str:
    return b64encode(sha256(css.encode()).digest()).decode()
