"""A table that somebody uploads or pastes, and what to tell them of lines that were refused. Stores nothing."""

from collections.abc import Mapping, Sequence

from flask import request

from surveyapp.domain.tables import Line, NotATable

MEGABYTE = 1_000_000
MOST_NAMED = 20


def uploaded_text(megabytes: int) -> str:
    """The text of the file that was sent, or else of the lines that were pasted. Raises NotATable."""
    sent = request.files.get("file")
    raw = sent.read(megabytes * MEGABYTE + 1) if sent else b""
    if len(raw) > megabytes * MEGABYTE:
        raise NotATable(f"The file has more than {megabytes} MB; send it in parts.")
    try:
        text = raw.decode("utf-8-sig") if raw else request.form.get("lines", "")
    except UnicodeDecodeError:
        raise NotATable("The file is not UTF-8 text; save it as CSV UTF-8.") from None
    if not text.strip():
        raise NotATable("Choose a CSV file, or paste its lines.")
    return text


def refused_lines(lines: Sequence[Line], rejected: Mapping[int, Sequence[str]]) -> list[str]:
    """A sentence for each refused line, the first twenty of them. `rejected` is by the place in `lines`."""
    named = list(rejected.items())[:MOST_NAMED]
    sentences = [f"Line {lines[index].number}: {'; '.join(errors)}" for index, errors in named]
    left = len(rejected) - len(named)
    return [*sentences, *([f"… and {left} more lines."] if left else [])]
