"""The one script of the pages that customers meet, served small under a name that changes with it."""

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "static" / "js" / "respond.js"


@lru_cache(maxsize=1)
def source() -> str:
    """What is sent: the file without its comment lines and indents."""
    lines = (line.strip() for line in FILE.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not re.match(r"//", line))


@lru_cache(maxsize=1)
def digest() -> str:
    """Eight letters that change when the script does."""
    return sha256(source().encode()).hexdigest()[:8]
