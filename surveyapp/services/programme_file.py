"""Reads programme files: YAML into a tree with lines and columns, strictly, with all problems. Writes nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from surveyapp.domain.programme import Listing, Node, Problem, Programme, Scalar, Table, read_programme
from surveyapp.domain.programme.fields import said
from surveyapp.domain.programme.tree import Value
from surveyapp.queries.policy import holidays
from surveyapp.queries.words import languages

MOST_BYTES = 1024 * 1024
DEEPEST = 30
MOST_NODES = 100_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_RESOLVER = yaml.resolver.Resolver()
_TEXT = "tag:yaml.org,2002:str"
_MEANINGS = {
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:timestamp": "a date",
}
_WORDS: dict[str, Value] = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_NOTHING = ("", "~", "null", "Null", "NULL")


class ProgrammeRefused(Exception):
    """The file cannot be applied. `problems` are all that was found, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"line {p.line}: {p.sentence}" for p in problems))
        self.problems = problems


def check(source: str | bytes) -> Programme:
    """The programme in a file's content. Raises ProgrammeRefused with every problem; changes nothing."""
    tree, problems = read_tree(source)
    if tree is not None:
        programme, found = read_programme(tree, languages(), holidays())
        problems = sorted(problems + found)
        if not problems:
            return programme
    raise ProgrammeRefused(problems)


def read_tree(source: str | bytes) -> tuple[Node | None, list[Problem]]:
    """The file's values with their places, and what is wrong with the YAML; None when it cannot be read at all."""
    try:
        text = _decoded(source)
        reader = _Reader()
        return reader.document(yaml.parse(text, Loader=_LOADER)), reader.problems
    except _Unreadable as refusal:
        return None, [Problem(refusal.line, refusal.column, "", said(refusal.sentence))]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return None, [Problem(line, column, "", said(f"This is not YAML: {reason}."))]


class _Unreadable(Exception):
    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line, self.column, self.sentence = line, column, sentence


def _decoded(source: str | bytes) -> str:
    raw = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if len(raw) > MOST_BYTES:
        raise _Unreadable(1, 1, f"The file has {len(raw)} bytes; at most {MOST_BYTES} (1 MiB) are read.")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise _at(before, f"The file is not UTF-8 text: byte 0x{raw[error.start]:02x}.") from error
    found = _FORBIDDEN.search(text)
    if found is not None:
        raise _at(text[: found.start()], f"The file has a character that no text has: U+{ord(found[0]):04X}.")
    return text


def _at(before: str, sentence: str) -> _Unreadable:
    return _Unreadable(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, sentence)


@dataclass(slots=True)
class _Reader:
    """Builds the tree from the parser's events, so that depth and size are bounded before anything is built."""

    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int, int]] = field(default_factory=dict)  # node, its size, its height
    nodes: int = 0
    reached: int = 0

    def refuse(self, line: int, column: int, sentence: str) -> None:
        if len(self.problems) < 200:
            self.problems.append(Problem(line, column, "", said(sentence)))

    def document(self, events: Iterator[yaml.Event]) -> Node:
        """The one document of the file."""
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _unreadable(event, "The file has a second document (---); a programme is one document.")
                root = self.node(next(events), events, 1)
        if root is None:
            raise _Unreadable(1, 1, "The file is empty.")
        return root

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.count(event, 1, depth)
        before, outer, self.reached = self.nodes, self.reached, depth
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        if tag not in (None, "!", _TEXT):
            self.refuse(*_place(event), f"The tag {str(tag)[:60]!r} is not supported: leave it out.")
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.listing(event, events, depth)
        else:
            node = self.table(event, events, depth)
        if anchor is not None:
            self.anchors[anchor] = node, self.nodes - before + 1, self.reached - depth
        self.reached = max(outer, self.reached)
        return node

    def count(self, event: yaml.Event, nodes: int, depth: int) -> None:
        self.nodes += nodes
        self.reached = max(self.reached, depth)
        if self.nodes > MOST_NODES:
            raise _unreadable(event, f"The file has more than {MOST_NODES} values, its aliases counted.")
        if depth > DEEPEST:
            raise _unreadable(event, f"The file is nested more than {DEEPEST} levels deep.")

    def alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        """What the anchor stands for; counted in full each time, so that few lines cannot become millions."""
        if event.anchor not in self.anchors:
            raise _unreadable(event, f"There is no anchor {str(event.anchor)[:60]!r} before this alias.")
        node, size, height = self.anchors[event.anchor]
        self.count(event, size, depth + height)
        return node

    def listing(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Listing:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.node(event, events, depth + 1))
        return Listing(*_place(start), tuple(items))

    def table(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Table:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self.refuse(key.line, key.column, "A key is a word, not a list or a mapping.")
            elif key.text == "<<":
                self.refuse(key.line, key.column, "Merge keys (<<) are not supported: write the fields out.")
            elif key.text in entries:
                first = entries[key.text][0].line
                sentence = f"The key {key.text[:80]!r} comes twice; the first is on line {first}."
                self.refuse(key.line, key.column, sentence)
            else:
                entries[key.text] = key, value
        return Table(*_place(start), tuple(entries.values()))

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        """A value as written: texts stay texts, and what YAML would read as something else must be quoted."""
        line, column = _place(event)
        text = event.value
        if (found := _FORBIDDEN.search(text)) is not None:
            self.refuse(line, column, f"The text has a character that no text has: U+{ord(found[0]):04X}.")
            text = ""
        if event.style or event.tag is not None:  # a bare value has no style, by either parser
            return Scalar(line, column, text, text)
        return Scalar(line, column, self.bare(text, line, column), text)

    def bare(self, text: str, line: int, column: int) -> Value:
        if text in _NOTHING:
            return None
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
        switch = _SWITCHES.get(text.lower())
        tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        meaning = switch or _MEANINGS.get(tag)
        if meaning is not None:
            short = text if len(text) <= 40 else text[:37] + "..."
            advice = f'quote it: "{short}"' + (f", or write {switch}" if switch else "")
            if text.lower().endswith((".nan", ".inf")):
                self.refuse(line, column, f"{short} is no number that can be used.")
            else:
                self.refuse(line, column, f"Without quotes, {short} is {meaning} in YAML; {advice}.")
        return text


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _unreadable(event: yaml.Event, sentence: str) -> _Unreadable:
    return _Unreadable(*_place(event), sentence)
