"""From a brand's one colour the eight that its pages use, light and dark, with contrast guaranteed. Draws nothing.

Colours are `#rrggbb`; lightness, chroma and hue are those of OKLCH (Björn Ottosson, 2020); contrast is that of WCAG 2.
"""

import math
import re

DEFAULT = "#0b5c63"
LIGHT_PAGE, LIGHT_CARD = "#f5f4f1", "#ffffff"
DARK_CARD = "#171a1d"
TEXT_CONTRAST = 4.5
DARK_CONTRAST = 8.5
DARK_CHROMA = 0.11
BY_HAND = {  # chosen by eye in the design; every other colour is computed
    "#0b5c63": ("#0b5c63", "#ffffff", "#eaf4f4", "#004d54", "#6ccfc8", "#04292b", "#1a2d2e", "#7fdfd8"),
    "#7b2d3b": ("#7b2d3b", "#ffffff", "#f8eff0", "#6b1e2e", "#f0a3ae", "#3a0b14", "#2f1e21", "#ffb6c0"),
}
NAMES = ("accent", "on", "tint", "press", "accent_dark", "on_dark", "tint_dark", "press_dark")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
Rgb = tuple[float, float, float]


def palette(colour: str) -> dict[str, str]:
    """The eight stored values: `accent`, `on`, `tint`, `press` for light pages, and the same with `_dark`.

    `on` is text on `accent`, `tint` a quiet ground of it, `press` the accent under a pointer. Raises ValueError with a
    sentence when `colour` is not `#rrggbb`.
    """
    if not _HEX.fullmatch(colour):
        raise ValueError("a colour is written #rrggbb, such as #0b5c63")
    return dict(zip(NAMES, BY_HAND.get(colour.lower()) or _computed(colour), strict=True))


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _computed(colour: str) -> tuple[str, ...]:
    light, dark = _light(colour), _dark(colour)
    tints = _mixed(light, LIGHT_CARD, 0.08), _mixed(dark, DARK_CARD, 0.10)
    return light, _on(light), tints[0], _pressed(light), dark, _on(dark), tints[1], _pressed(dark)


def _light(colour: str) -> str:
    lightness, chroma, hue = _oklch(colour)
    found = colour.lower()
    while min(contrast(found, LIGHT_CARD), contrast(found, LIGHT_PAGE)) < TEXT_CONTRAST:
        lightness -= 0.01
        found = _hex(lightness, chroma, hue)
    return found


def _dark(colour: str) -> str:
    lightness, chroma, hue = _oklch(colour)
    chroma = min(chroma, DARK_CHROMA)
    found = _hex(lightness, chroma, hue)
    while contrast(found, DARK_CARD) < DARK_CONTRAST:
        lightness += 0.01
        found = _hex(lightness, chroma, hue)
    return found


def _on(accent: str) -> str:
    """White or a near-black of the accent's hue, whichever is read better on it."""
    _, chroma, hue = _oklch(accent)
    deep = _hex(0.26, min(chroma, 0.06), hue)
    better = max("#ffffff", deep, key=lambda c: contrast(c, accent))
    return better if contrast(better, accent) >= TEXT_CONTRAST else "#000000"


def _pressed(accent: str) -> str:
    """The accent a little away from its text, so that the text keeps its contrast."""
    lightness, chroma, hue = _oklch(accent)
    away = -0.05 if _on(accent) == "#ffffff" else 0.05
    return _hex(lightness + away, chroma, hue)


def _mixed(colour: str, ground: str, share: float) -> str:
    return _written(tuple(share * c + (1 - share) * g for c, g in zip(_rgb(colour), _rgb(ground), strict=True)))


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _written(rgb: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, c)) * 255):02x}" for c in rgb)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(c) for c in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(colour: str) -> tuple[float, float, float]:
    red, green, blue = (_linear(c) for c in _rgb(colour))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The colour as sRGB can show it: chroma is lowered, never hue or lightness, until it fits."""
    lightness = min(1.0, max(0.0, lightness))
    low, high = 0.0, chroma
    if not _fits(_from_oklch(lightness, chroma, hue)):
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if _fits(_from_oklch(lightness, middle, hue)) else (low, middle)
        chroma = low
    return _written(tuple(_gamma(max(0.0, c)) for c in _from_oklch(lightness, chroma, hue)))


def _fits(linear: Rgb) -> bool:
    return all(-0.0005 <= c <= 1.0005 for c in linear)


def _from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
