"""Where a text that is too long may end: after a whole character as a reader sees it. Counts code points."""

import unicodedata

REACH = 64
"""How far back the beginning of a character is looked for; a longer one is no character of any language."""
JOINER = "\u200d"
_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def first_of(text: str, most: int) -> str:
    """The text, or as much of it as fits into `most` code points without splitting a character."""
    if len(text) <= most:
        return text
    for end in range(most, max(0, most - REACH), -1):
        if not _joined(text, end):
            return text[:end]
    return text[:most]


def _joined(text: str, at: int) -> bool:
    """Whether the code point at this place belongs to the character before it (UAX 29, as far as texts need it)."""
    here, before = text[at], text[at - 1]
    if _flag(here) and _flag(before):
        start = max(0, at - REACH)
        rest = text[start:at].rstrip(_FLAGS)
        return (at - start - len(rest)) % 2 == 1
    return (
        before == JOINER
        or here == JOINER
        or unicodedata.category(here).startswith("M")
        or "\U0001f3fb" <= here <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= here <= "\U000e007f"  # tags, as in the flag of Wales
        or "\u1160" <= here <= "\u11ff"  # the later parts of a Hangul syllable
    )


def _flag(letter: str) -> bool:
    """Whether it is half of a country's flag."""
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
