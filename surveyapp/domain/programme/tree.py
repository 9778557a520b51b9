"""A programme file as a plain tree: values with the line and column where each one stands. Knows no YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is what the file says, before it was read as a number or a word."""

    line: int
    column: int
    value: Value
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    line: int
    column: int
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; the reader has refused keys that are no plain words and keys that come twice."""

    line: int
    column: int
    entries: "tuple[tuple[Scalar, Node], ...]"

    def get(self, key: str) -> "Node | None":
        return next((node for name, node in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        return next((name for name, _ in self.entries if name.text == key), None)


Node = Scalar | Listing | Table


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Why a file is refused: where it says so (from 1), which field it is about, and a sentence."""

    line: int
    column: int
    path: str
    sentence: str


def plain(node: Node) -> object:
    """The values of `node` alone, with every key as a text."""
    if isinstance(node, Table):
        return {name.text: plain(value) for name, value in node.entries}
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return node.value


def locate(node: Node, path: Sequence[object]) -> Node:
    """What stands at `path` below `node`: a mapping entry's key, a list's item, or else the last part that exists."""
    here = node
    for part in path:
        found: Node | None = None
        if isinstance(node, Table):
            here = node.key(str(part)) or here
            found = node.get(str(part))
        elif isinstance(node, Listing) and isinstance(part, int) and 0 <= part < len(node.items):
            here = found = node.items[part]
        if found is None:
            break
        node = found
    return here


def written(path: Sequence[object]) -> str:
    """A path in words, such as `triggers[0].reminder.after`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def planted(value: object) -> Node:
    """The tree of values that no file says, so without places. What is no value of a file becomes its text."""
    if isinstance(value, Mapping):
        return Table(0, 0, tuple((Scalar(0, 0, str(name), str(name)), planted(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return Listing(0, 0, tuple(planted(item) for item in value))
    if value is None or isinstance(value, str | int | float | bool):
        return Scalar(0, 0, value, "" if value is None else str(value))
    return Scalar(0, 0, str(value), str(value))
