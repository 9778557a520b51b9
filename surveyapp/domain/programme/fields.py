"""Reads the fields of one mapping and collects what is wrong with them. Never raises for a bad value."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from surveyapp.domain.durations import format_duration, parse_duration
from surveyapp.domain.programme.tree import Listing, Node, Path, Problem, Scalar, Table, Value, written

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
# What some tool fills in: ours fills in no field of a person, and a provider must not fill in one of its own.
MERGE_FIELD = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$?\{[A-Za-z_][\w.|]*\}|\[%.*?%\]|\*\|.*?\|\*|%%.+?%%|<%.*?%>")
RESERVED = frozenset({"all", "none", "null", "other", "total", "every"})
MOST_PROBLEMS = 200
MOST_COMPARED = 1000
LONGEST_SENTENCE = 400


@dataclass(slots=True)
class Reading:
    """What is known while one file is read: the problems so far and the brand's languages.

    `spoken` are the languages that standard questions exist in; empty means any.
    """

    spoken: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    language: str | None = None
    languages: tuple[str, ...] = ()

    def refuse(self, at: Node, path: Path, sentence: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(at.line, at.column, written(path), said(sentence)))

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """`; did you mean '…'?` or, where nothing is near, a full stop. Looked for only while it would be said."""
        if len(self.problems) >= MOST_PROBLEMS:
            return "."
        near = difflib.get_close_matches(word[:80], islice(known, MOST_COMPARED), n=1, cutoff=0.6)
        return f"; did you mean {near[0]!r}?" if near else "."


def said(sentence: str) -> str:
    """The sentence as it can be printed: one line, no control characters, not longer than a paragraph."""
    short = sentence if len(sentence) <= LONGEST_SENTENCE else sentence[: LONGEST_SENTENCE - 1] + "…"
    return "".join(letter if letter.isprintable() else "?" for letter in short)


def shown(node: Node) -> str:
    """What the file says, short enough for a sentence."""
    if not isinstance(node, Scalar):
        return "a list" if isinstance(node, Listing) else "a mapping"
    if node.value is None:
        return "nothing"
    return repr(node.text if len(node.text) <= 40 else node.text[:37] + "...")


class Fields:
    """The entries of one mapping. Unknown keys are refused when it is opened; each reader refuses its own value."""

    def __init__(self, reading: Reading, node: Node, path: Path, known: Iterable[str], what: str) -> None:
        self.reading, self.at, self.path, self.what = reading, node, path, what
        self.nodes: dict[str, Node] = {}
        known = tuple(known)
        if not isinstance(node, Table):
            reading.refuse(node, path, f"{what} is a mapping with the fields {', '.join(known)}, not {shown(node)}.")
            return
        for name, value in node.entries:
            if name.text in known:
                self.nodes[name.text] = value
            else:
                sentence = f"{what} has no field {shown(name)}{reading.nearest(name.text, known)}"
                reading.refuse(name, (*path, name.text), sentence)

    @property
    def usable(self) -> bool:
        """Whether it is a mapping at all; if not, that has been said, and missing fields need no mention."""
        return isinstance(self.at, Table)

    def refuse(self, name: str, sentence: str) -> None:
        self.reading.refuse(self.nodes.get(name, self.at), (*self.path, name), sentence)

    def missing(self, name: str) -> bool:
        """Whether the field is absent or says nothing; refused here as required."""
        node = self.nodes.get(name)
        if node is not None and not (isinstance(node, Scalar) and node.value is None):
            return False
        if self.usable:
            self.refuse(name, f"{self.what} needs the field {name!r}.")
        return True

    def given(self, name: str) -> bool:
        return name in self.nodes

    def scalar(self, name: str) -> Scalar | None:
        node = self.nodes.get(name)
        return node if isinstance(node, Scalar) else None

    def text(self, name: str, longest: int = 200) -> str | None:
        """One line of text, trimmed; None when absent or refused."""
        node = self.nodes.get(name)
        return None if node is None else one_line(self.reading, node, (*self.path, name), name, longest)

    def key(self, name: str = "key") -> str | None:
        """A key: letters, digits, _ and -, and no reserved word; required."""
        if self.missing(name):
            return None
        return key_text(self.reading, self.nodes[name], (*self.path, name), name)

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        node = self.nodes.get(name)
        if node is None:
            return None
        choices = tuple(choices)
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value in choices:
            return node.value
        near = self.reading.nearest(node.text, choices) if isinstance(node, Scalar) else "."
        self.refuse(name, f"{name!r} is one of {', '.join(choices)}, not {shown(node)}{near}")
        return None

    def boolean(self, name: str) -> bool | None:
        node = self.nodes.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.refuse(name, f"{name!r} is true or false, not {shown(node)}.")
        return None

    def integer(self, name: str, low: int, high: int) -> int | None:
        node = self.nodes.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and type(node.value) is int and low <= node.value <= high:
            return node.value
        bounds = f"a whole number from {low} to {high}" if low < high else str(low)
        self.refuse(name, f"{name!r} is {bounds}, not {shown(node)}.")
        return None

    def number(self, name: str, above: float, most: float) -> float | None:
        node = self.nodes.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and type(node.value) in (int, float) and above < float(node.value or 0) <= most:
            return float(node.value or 0)
        self.refuse(name, f"{name!r} is a number above {above:g} and at most {most:g}, not {shown(node)}.")
        return None

    def duration(self, name: str, least: timedelta = timedelta(0)) -> timedelta | None:
        node = self.nodes.get(name)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.refuse(name, f"{name!r} is a duration such as 15m, 1h or 7d, not {shown(node)}.")
            return None
        try:
            length = parse_duration(node.value)
        except ValueError as refusal:
            self.refuse(name, f"{name!r}: {refusal}.")
            return None
        if length < least:
            self.refuse(name, f"{name!r} is at least {format_duration(least)}, not {shown(node)}.")
            return None
        return length

    def texts(self, name: str, longest: int = 200) -> Mapping[str, str]:
        """A text per language; empty when absent or refused."""
        node = self.nodes.get(name)
        return {} if node is None else texts(self.reading, node, (*self.path, name), name, longest)

    def items(self, name: str, most: int = 1000) -> Iterator[tuple[Node, Path]]:
        """The items of a list with their paths; nothing when absent or refused."""
        node = self.nodes.get(name)
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return
        if not isinstance(node, Listing):
            self.refuse(name, f"{name!r} is a list, not {shown(node)}.")
            return
        if len(node.items) > most:
            self.refuse(name, f"{name!r} has at most {most} entries, not {len(node.items)}.")
        for index, item in enumerate(node.items[:most]):
            yield item, (*self.path, name, index)


def one_line(reading: Reading, node: Node, path: Path, name: str, longest: int) -> str | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        hint = f': quote it: "{node.text}"' if isinstance(node, Scalar) and node.value is not None else ""
        reading.refuse(node, path, f"{name!r} is a text, not {shown(node)}{hint}.")
        return None
    text = node.value.strip()
    if not text:
        reading.refuse(node, path, f"{name!r} is empty.")
    elif len(text) > longest:
        reading.refuse(node, path, f"{name!r} has at most {longest} characters, not {len(text)}.")
    elif any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u2028\u2029" for letter in text):
        reading.refuse(node, path, f"{name!r} is one line, without line breaks or control characters.")
    elif merge := MERGE_FIELD.search(text):
        sentence = f"{name!r} holds {merge[0][:40]!r}: no field is filled in here. Write the words out."
        reading.refuse(node, path, sentence)
    else:
        return text
    return None


def key_text(reading: Reading, node: Node, path: Path, name: str) -> str | None:
    text = one_line(reading, node, path, name, 80)
    if text is None:
        return None
    if not KEY.fullmatch(text):
        sentence = "consists of the letters a-z, digits, _ and -, and starts with a letter or digit"
        reading.refuse(node, path, f"{name!r} {sentence}, not {shown(node)}.")
        return None
    if text.lower() in RESERVED:
        reading.refuse(node, path, f"{text!r} is a reserved word; choose another {name!r}.")
        return None
    return text


def texts(reading: Reading, node: Node, path: Path, name: str, longest: int, owner: str = "") -> Mapping[str, str]:
    """A text per language of the brand, its own included; a bare text is in the brand's language.

    `owner` says whose text it is, such as ` of the choice 'app'`.
    """
    if not isinstance(node, Table):
        text = one_line(reading, node, path, name, longest)
        return {reading.language or "": text} if text is not None else {}
    found: dict[str, str] = {}
    for language, value in node.entries:
        here = (*path, language.text)
        if reading.languages and language.text not in reading.languages:
            listed = ", ".join(reading.languages)
            reading.refuse(language, here, f"{shown(language)} is none of the brand's languages ({listed}).")
        text = one_line(reading, value, here, language.text, longest)
        if text is not None:
            found[language.text] = text
    if reading.language and node.get(reading.language) is None:
        reading.refuse(node, path, f"{name!r}{owner} lacks the brand's own language {reading.language!r}.")
    return found


def scalar_value(reading: Reading, node: Node, path: Path, name: str) -> Value:
    """A text, a number or true/false; None when refused."""
    if isinstance(node, Scalar) and node.value is not None:
        return node.value
    reading.refuse(node, path, f"{name!r} is a text, a number or true/false, not {shown(node)}.")
    return None
