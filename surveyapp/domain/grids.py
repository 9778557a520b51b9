"""What a table of two dimensions must hide so that no small cell can be worked out from its totals.

It looks at counts only, rows and columns alike, and never at a score. One dimension alone is for `gates.hidden`.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from surveyapp.domain.gates import PRIVATE

Name = TypeVar("Name", bound=Hashable)
TOTAL = None
"""The name of the row and of the column that hold the totals."""

Cell = tuple[Hashable, Hashable]
Line = tuple[str, Hashable]


def with_totals(counts: Mapping[tuple[Name, Name], int]) -> dict[Cell, int]:
    """The cells, the total of each row under (row, TOTAL), of each column under (TOTAL, column), and of all."""
    found: dict[Cell, int] = {}
    for (row, column), n in counts.items():
        for cell in ((row, column), (row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            found[cell] = found.get(cell, 0) + n
    return found


def hidden(counts: Mapping[tuple[Name, Name], int], floor: int = PRIVATE) -> set[Cell]:
    """The cells and totals to hide. Empty cells hide nothing and stay empty.

    Afterwards no cell of 1 … floor − 1 answers follows from what is shown: every line (cells = total) that
    holds one hides another, no line's hidden cells hold less than `floor` together while its total is shown, and
    no hidden small cell is the only way between two parts of the table, which would make it a difference of sums.
    """
    whole = {cell: n for cell, n in with_totals(counts).items() if n > 0}
    away = {cell for cell, n in whole.items() if n < floor}
    while True:
        more = _thin_line(whole, away, floor) or _way(whole, away, floor)
        if more is None:
            return away
        away.add(more)


def _lines(whole: Mapping[Cell, int]) -> dict[Line, list[Cell]]:
    found: dict[Line, list[Cell]] = {}
    for cell in whole:
        found.setdefault(("row", cell[0]), []).append(cell)
        found.setdefault(("column", cell[1]), []).append(cell)
    return found


def _margin(line: Line) -> Cell:
    return (line[1], TOTAL) if line[0] == "row" else (TOTAL, line[1])


def _thin_line(whole: Mapping[Cell, int], away: set[Cell], floor: int) -> Cell | None:
    """The next cell to hide in a line whose hidden cells hold too few answers together, or None."""
    for line, cells in _lines(whole).items():
        gone = [cell for cell in cells if cell in away]
        if not gone or _margin(line) in away or sum(whole[cell] for cell in gone) >= floor:
            continue
        rest = [cell for cell in cells if cell not in away and cell != _margin(line)]
        return min(rest, key=lambda cell: _size(whole, cell)) if rest else _margin(line)
    return None


def _way(whole: Mapping[Cell, int], away: set[Cell], floor: int) -> Cell | None:
    """The next cell to hide beside a small one that follows from the rest, or None."""
    shown = sorted((cell for cell in whole if cell not in away), key=lambda cell: _size(whole, cell))
    for cell in sorted(away, key=lambda cell: _size(whole, cell)):
        if whole[cell] >= floor:
            continue
        part = _parts(away - {cell})
        ends = {part.get(line, line) for line in _ends(cell)}
        if len(ends) == 2 and shown:
            closing = (other for other in shown if {part.get(line, line) for line in _ends(other)} == ends)
            near = (other for other in shown if other[0] == cell[0] or other[1] == cell[1])
            return next(closing, None) or next(near, None) or shown[0]
    return None


def _ends(cell: Cell) -> tuple[Line, Line]:
    """The row and the column that a cell joins."""
    return ("row", cell[0]), ("column", cell[1])


def _parts(away: set[Cell]) -> dict[Line, Line]:
    """For every line with a hidden cell, one line that stands for all that hidden cells connect it with."""
    beside: dict[Line, list[Line]] = {}
    for cell in away:
        row, column = _ends(cell)
        beside.setdefault(row, []).append(column)
        beside.setdefault(column, []).append(row)
    part: dict[Line, Line] = {}
    for start in beside:
        todo = [] if start in part else [start]
        while todo:
            line = todo.pop()
            if line not in part:
                part[line] = start
                todo.extend(beside[line])
    return part


def _size(whole: Mapping[Cell, int], cell: Cell) -> tuple[bool, bool, int, str]:
    """Inner cells before totals, the total of all last, small before large, then by name."""
    return cell == (TOTAL, TOTAL), TOTAL in cell, whole[cell], repr(cell)
