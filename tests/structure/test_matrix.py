"""Every row of the fault matrix about links, provider hooks and dispatch has tests that carry its number."""

import re

from config import ROOT

LINKS = range(29, 39)
HOOKS = range(45, 55)
DISPATCH = range(55, 65)


def test_every_row_of_classes_c_e_and_f_has_tests_by_its_number() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    numbered = {int(number) for number in re.findall(r"def test_[cef]?(\d\d)_", text)}
    assert [row for row in (*LINKS, *HOOKS, *DISPATCH) if row not in numbered] == []
