"""The widget's two scripts as they travel: comments stripped, packed, marked by their content."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "static" / "widget"
_BLOCKS = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n", re.DOTALL | re.MULTILINE)
_LINES = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_MARGINS = re.compile(r"^[ \t]+|[ \t]+$|\n(?=\s*\n)", re.MULTILINE)
_LITERAL = re.compile(r"""(`[^`]*`|"(?:\\.|[^"\\\n])*"|/\^[^/\n]+/)""")
_SIGN = r"[=+\-<>{}()\[\],:;?&|!*]"


@dataclass(frozen=True)
class Script:
    """A script in the form it is sent. `mark` changes with its content."""

    plain: bytes
    packed: bytes
    mark: str


def stripped(text: str) -> str:
    """The script without comments, blanks and line ends that mean nothing.

    Literals stay as they are, but templates (the styles) lose their line ends. What follows a `}` keeps a line of its
    own, as a statement may end there.
    """
    parts = _LITERAL.split(_MARGINS.sub("", _LINES.sub("", _BLOCKS.sub("", text))).strip())
    return "".join(_closer(part) if even else _on_one_line(part) for part, even in zip(parts, cycle((True, False))))


def _closer(code: str) -> str:
    code = re.sub(r"/\*.*?\*/", "", code)
    code = re.sub(rf" *({_SIGN}) *", r"\1", code)
    code = re.sub(r"(?<=[{;,(\[=?:&|>])\n|\n(?=[}\])?:&.])", "", code)
    return code.replace(";}", "}")


def _on_one_line(literal: str) -> str:
    return literal.replace("\n", "").replace(";}", "}") if literal.startswith("`") else literal


@lru_cache(maxsize=4)
def script(name: str) -> Script:
    """One of `widget.js` (the loader) and `panel.js`; the loader knows the panel's mark."""
    text = stripped((FOLDER / name).read_text(encoding="utf-8"))
    if name == "widget.js":
        text = text.replace("PANEL_MARK", script("panel.js").mark)
    plain = text.encode()
    return Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:8])
