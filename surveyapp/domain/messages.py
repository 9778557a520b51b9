"""What may stand in a message: values made harmless for subjects, headers and plain text. Nothing is rendered here."""

import unicodedata

HEADER_LIMIT = 998
_LINE_BREAKS = "\r\n\v\f\t\x1c\x1d\x1e\x85\u2028\u2029"
_TO_SPACE = str.maketrans(dict.fromkeys(_LINE_BREAKS, " "))
# Embeddings, overrides and isolates: one of them left open would turn round everything that follows.
_DIRECTION_SWITCHES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class UnsafeHeader(ValueError):
    """A header would have carried a line break, a NUL, or more than a mail server takes."""


def one_line(value: str, limit: int = 200) -> str:
    """`value` as one line of at most `limit` characters: no control character, direction switch or lone surrogate."""
    kept = (
        c
        for c in value.translate(_TO_SPACE)
        if c not in _DIRECTION_SWITCHES and unicodedata.category(c) not in ("Cc", "Cs")
    )
    line = " ".join(word for word in "".join(kept).split(" ") if word)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def header(name: str, value: str) -> str:
    """`value` unchanged when it may stand in a header. Raises UnsafeHeader naming the header, never its value."""
    if len(value) > HEADER_LIMIT:
        raise UnsafeHeader(f"{name}: longer than {HEADER_LIMIT} characters")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in value):
        raise UnsafeHeader(f"{name}: a control character or line break")
    return value
