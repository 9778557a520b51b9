"""A table of two dimensions with totals: no small cell follows from what is shown."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from surveyapp.domain import grids

Cells = dict[tuple[str, str], int]


def follows(counts: Cells, away: set[grids.Cell]) -> set[grids.Cell]:
    """The hidden cells whose content is fixed by the shown ones: a rank question, answered exactly."""
    whole = {cell: n for cell, n in grids.with_totals(counts).items() if n > 0}
    unknown = sorted(away, key=repr)
    lines = {("row", cell[0]) for cell in whole} | {("column", cell[1]) for cell in whole}
    rows = []
    for kind, name in sorted(lines, key=repr):
        margin = (name, grids.TOTAL) if kind == "row" else (grids.TOTAL, name)
        on_line = [cell for cell in whole if (cell[0] if kind == "row" else cell[1]) == name]
        rows.append([Fraction((cell in on_line) * (-1 if cell == margin else 1)) for cell in unknown])
    reduced = _reduced(rows)
    return {cell for i, cell in enumerate(unknown) if [j for j, _ in _row_of(reduced, i)] == [i]}


def _reduced(rows: list[list[Fraction]]) -> list[list[Fraction]]:
    rows, done, width = [row[:] for row in rows], 0, len(rows[0]) if rows else 0
    for column in range(width):
        pivot = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [value / rows[done][column] for value in rows[done]]
        for i in range(len(rows)):
            if i != done and rows[i][column]:
                rows[i] = [a - rows[i][column] * b for a, b in zip(rows[i], rows[done], strict=True)]
        done += 1
    return rows[:done]


def _row_of(reduced: list[list[Fraction]], column: int) -> list[tuple[int, Fraction]]:
    """The entries of the reduced row that leads with this column: alone there, the column is fixed."""
    for row in reduced:
        entries = [(j, value) for j, value in enumerate(row) if value]
        if entries and entries[0][0] == column:
            return entries
    return []


def test_a_full_grid_hides_nothing() -> None:
    assert grids.hidden({(row, column): 40 for row in "ab" for column in "xy"}) == set()


def test_an_empty_grid_hides_nothing() -> None:
    assert grids.hidden({}) == set()
    assert grids.hidden({("a", "x"): 0}) == set()


def test_one_small_cell_takes_one_of_its_row_one_of_its_column_and_their_crossing() -> None:
    counts = {("a", "x"): 3, ("a", "y"): 40, ("b", "x"): 41, ("b", "y"): 42}
    assert grids.hidden(counts) == set(counts)
    wide = counts | {("c", "x"): 60, ("c", "y"): 61, ("a", "z"): 62, ("b", "z"): 63, ("c", "z"): 64}
    away = grids.hidden(wide)
    assert away == {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}
    assert follows(wide, away) == set()


def test_a_small_total_is_hidden_with_another_total() -> None:
    counts = {("a", "x"): 3, ("b", "x"): 40, ("c", "x"): 50}
    away = grids.hidden(counts)
    assert {("a", "x"), ("a", grids.TOTAL), ("b", "x"), ("b", grids.TOTAL)} <= away
    assert ("c", grids.TOTAL) not in away
    assert (grids.TOTAL, grids.TOTAL) not in away


def test_a_table_of_three_answers_shows_nothing_at_all() -> None:
    counts = {("a", "x"): 2, ("b", "x"): 1}
    assert grids.hidden(counts) == set(grids.with_totals(counts))


sizes = st.one_of(st.integers(0, 6), st.integers(0, 60))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 4), st.lists(sizes, min_size=16, max_size=16))
def test_no_small_cell_follows_from_what_is_shown(rows: int, columns: int, counts: list[int]) -> None:
    grid = {(f"r{i}", f"c{j}"): counts[4 * i + j] for i in range(rows) for j in range(columns)}
    whole = {cell: n for cell, n in grids.with_totals(grid).items() if n > 0}
    away = grids.hidden(grid)
    small = {cell for cell, n in whole.items() if n < 5}
    assert small <= away <= set(whole)
    assert not follows(grid, away) & small
