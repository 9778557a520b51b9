"""Every row of the fault matrix, and every known failure of other tools, has tests that carry its number."""

import re

from config import ROOT

ROWS = range(1, 81)
ELSEWHERE = {71: "nothing was released yet whose rows a migration could meet"}
CONTACT_POLICY = (*range(1, 10), *range(19, 26), 27, 28)  # of the thirty known failures, those about whom to ask


def numbers(letters: str) -> set[int]:
    """The numbers that follow these letters in the names of tests: `test_f61_d01_eight_…`."""
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = re.findall(r"def test_((?:[a-i]?\d\d_)+)", text)
    return {int(number) for name in names for number in re.findall(rf"(?<![a-z]){letters}(\d\d)_", name)}


def test_every_row_of_the_matrix_has_tests_by_its_number() -> None:
    found = numbers("[abcefghi]?") | {row for row in numbers("d") if 39 <= row <= 44}
    assert [row for row in ROWS if row not in found and row not in ELSEWHERE] == []


def test_every_known_failure_of_a_contact_policy_has_tests_by_its_number() -> None:
    found = numbers("d")
    assert [row for row in CONTACT_POLICY if row not in found] == []
