"""A CSV file with a header line, read cell by cell. What the columns mean is for their subject to say."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MORE_CELLS = "more cells than the header names"
"""The field that a line with too many cells carries; no subject knows it, so the line is refused."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


class NotATable(Exception):
    """The text is no CSV with our columns; the message says what to put right."""


@dataclass(frozen=True, slots=True)
class Line:
    """The cells by their columns, an empty one None. `number` is that of the line in the file, from 1."""

    number: int
    cells: dict[str, object]


def read_table(
    text: str, needed: Sequence[str], others: Sequence[str], most: int, more: Callable[[str], bool] = lambda name: False
) -> list[Line]:
    """The lines below the header, in file order, empty ones left out. Comma, semicolon or tab separates.

    The header names every column of `needed`, and may name `others` and those that `more` takes. Raises NotATable.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        header = [_name(cell, {*needed, *others}) for cell in next(rows, [])]
        wrong = [name for name in header if name not in {*needed, *others} and not more(name)]
        if wrong or len(set(header)) < len(header) or not set(needed) <= set(header):
            names = ", ".join(needed[:-1]) + " and " + needed[-1]
            raise NotATable(f"The first line must name the columns {names}, and may name {', '.join(others)}.")
        found: list[Line] = []
        number = rows.line_num + 1
        for cells in rows:
            if any(cell.strip() for cell in cells):
                if len(found) >= most:
                    raise NotATable(f"The file has more than {most:,} lines; send it in parts.")
                found.append(Line(number, _line(header, cells)))
            number = rows.line_num + 1
    except csv.Error as problem:
        raise NotATable(f"The file is no CSV: {problem}.") from None
    if not found:
        raise NotATable("The file has a header but no line with values.")
    return found


def read_number(text: object) -> object:
    """The number that a cell is, whole where it is written so, with a point; anything else as it was."""
    if not isinstance(text, str) or not text.isascii() or "_" in text:
        return text
    try:
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    except ValueError:
        return text


def _name(cell: str, known: set[str]) -> str:
    name = cell.strip()
    return name.lower() if name.lower() in known else name


def _line(header: Sequence[str], cells: Sequence[str]) -> dict[str, object]:
    line: dict[str, object] = {name: cell.strip() or None for name, cell in zip(header, cells, strict=False)}
    return line | {MORE_CELLS: True} if len(cells) > len(header) else line
