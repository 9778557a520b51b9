"""How long a text message is for the network that carries it: encoding, units, parts. Nothing is sent or priced here.

GSM 03.38 (3GPP TS 23.038): 160 septets in one part, 153 in each of several; a character of the extension table
costs two and is never split. Any other character turns the whole text into UCS-2: 70 units, or 67 in each part;
a surrogate pair is never split either.
"""

from collections.abc import Iterable
from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")
LONGEST = 1600


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs. `units` are septets (GSM-7) or UTF-16 units (UCS-2); `characters` are UTF-16 units."""

    encoding: str
    characters: int
    units: int
    parts: int

    @property
    def too_long(self) -> bool:
        return self.characters > LONGEST


def count(text: str) -> Segments:
    """The segments of the final text, after every value has been filled in."""
    characters = sum(_utf16(c) for c in text)
    if all(c in BASIC or c in EXTENSION for c in text):
        costs = [2 if c in EXTENSION else 1 for c in text]
        return Segments("GSM-7", characters, sum(costs), _parts(costs, 160, 153))
    costs = [_utf16(c) for c in text]
    return Segments("UCS-2", characters, characters, _parts(costs, 70, 67))


def _utf16(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _parts(costs: Iterable[int], single: int, several: int) -> int:
    costs = list(costs)
    if sum(costs) <= single:
        return 1
    parts, used = 1, 0
    for cost in costs:
        if used + cost > several:
            parts, used = parts + 1, 0
        used += cost
    return parts
