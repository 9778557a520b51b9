"""How a text is filled in and in which language it is read. The texts are data (`catalog/wording`)."""

import re
from collections.abc import Mapping, Sequence

_SLOT = re.compile(r"\{([a-z_]+)\}")
_PLAIN = str.maketrans(
    {"\u202f": " ", "\u00a0": " ", "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "..."}
)


def fill(text: str, values: Mapping[str, object]) -> str:
    """`text` with each `{slot}` replaced by its value, literally and once; an unknown slot stays as it is.

    A value is never read as a text, so braces in a brand's or a customer's name are only characters.
    """
    return _SLOT.sub(lambda slot: str(values[slot[1]]) if slot[1] in values else slot[0], text)


def slots(text: str) -> frozenset[str]:
    """The names of the slots in a text."""
    return frozenset(_SLOT.findall(text))


def in_language(texts: Mapping[str, str], language: str, own: str) -> str:
    """The text in `language`, else in the brand's own language, else the first one there is, else nothing."""
    return texts.get(read_in(texts, language, own), "")


def read_in(texts: Mapping[str, str], language: str, own: str) -> str:
    """The language that `in_language` finds its text in; `language` itself where there is no text at all."""
    return next((code for code in (language, own) if texts.get(code)), next(iter(texts), language))


def choose_language(wanted: Sequence[str | None], offered: Sequence[str], own: str) -> str:
    """The first wanted language that is offered, as it is or by its first part (`fr-CA`: `fr`), else the own one."""
    known = {code.lower(): code for code in offered}
    for tag in wanted:
        if tag:
            tag = tag.replace("_", "-").lower()
            found = known.get(tag) or known.get(tag.split("-")[0])
            if found:
                return found
    return own


def as_text_message(text: str) -> str:
    """`text` with typewriter spaces, quotes and dashes: others would make a text message twice as long."""
    return text.translate(_PLAIN)
