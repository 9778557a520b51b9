"""Reads a LimeSurvey structure file (.lss). Document types, entities, deep and endless trees are refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from surveyapp.domain.survey_import.carried import Carried, Unreadable, clean
from surveyapp.domain.survey_import.conditions import carry_condition

MOST_ROWS = 20_000
DEEPEST = 12
LONGEST_TEXT = 100_000
Row = dict[str, str]
_IF = re.compile(
    r"(\w{1,100})(?:\.NAOK|\.value)?\s*(==|=|<=|>=|<|>|eq\b|l[te]\b|g[te]\b)\s*[\"']?([\w-]{1,60})[\"']?", re.ASCII
)
_BRACKETS = str.maketrans("()", "  ")  # only comparisons joined by `and` are read, which need none
TABLES = frozenset({
    "groups", "questions", "subquestions", "answers", "question_l10ns", "answer_l10ns", "surveys_languagesettings",
})  # fmt: skip
LEFT = {
    "A": "a grid of questions", "B": "a grid of questions", "C": "a grid of questions", "E": "a grid of questions",
    "F": "a grid of questions", "H": "a grid of questions", "1": "a grid of questions", ":": "a grid of numbers",
    ";": "a grid of texts", "R": "ranking", "|": "a file", "K": "several numbers", "Q": "several texts",
    "G": "gender, which belongs to what is known already", "I": "the language, which people switch on the page",
    "*": "a computed value",
}  # fmt: skip


@dataclass(slots=True)
class _Reader:
    """The rows of the tables that matter, read while the file streams by."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    kind: str = ""
    path: list[str] = field(default_factory=list)
    row: Row | None = None
    text: list[str] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.path.append(name)
        self.text, self.size = [], 0
        if len(self.path) > DEEPEST:
            raise Unreadable("it is nested deeper than any survey")
        if name == "row" and len(self.path) > 2:
            self.row = {}
            self.rows += 1
            if self.rows > MOST_ROWS:
                raise Unreadable(f"it has more than {MOST_ROWS} rows")

    def end(self, name: str) -> None:
        said = "".join(self.text)
        self.text = []
        self.path.pop()
        if name == "row" and self.row is not None:
            table = self.path[-2] if len(self.path) > 1 else ""
            if table in TABLES:
                self.tables.setdefault(table, []).append(self.row)
            self.row = None
        elif self.row is not None and self.path and self.path[-1] == "row":
            self.row[name] = said
        elif name == "LimeSurveyDocType":
            self.kind = said.strip()

    def words(self, said: str) -> None:
        self.size += len(said)
        if self.size > LONGEST_TEXT:
            raise Unreadable(f"one of its texts has more than {LONGEST_TEXT} characters")
        self.text.append(said)


def read_limesurvey(content: bytes, languages: Sequence[str]) -> Carried:
    """The survey, as far as ours can say it. Raises Unreadable."""
    reader = _parsed(content)
    if reader.kind and reader.kind != "Survey":
        raise Unreadable(f"it holds a LimeSurvey {reader.kind.lower()[:40]}, not a survey")
    if not reader.tables.get("questions"):
        raise Unreadable("it holds no LimeSurvey questions")
    settings = reader.tables.get("surveys_languagesettings", [])
    titles = {row.get("surveyls_language", ""): clean(row.get("surveyls_title")) for row in settings}
    found = Carried(languages)
    found.title = found.first({k: v for k, v in titles.items() if v})
    texts = _texts(reader.tables)
    seen: set[str] = set()
    for row in _ordered(reader.tables):
        if row.get("qid", "") not in seen:  # older files repeat a question for each language
            seen.add(row.get("qid", ""))
            _question(found, row, texts, reader.tables)
    return found.finish()


def _parsed(content: bytes) -> _Reader:
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise Unreadable("it declares a document type or entities, which a survey never needs")

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = lambda *_: 0
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.words
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Unreadable(f"it is not XML: {expat.ErrorString(error.code)} on line {error.lineno}") from error
    except (UnicodeError, LookupError, ValueError) as error:
        raise Unreadable("its letters cannot be read") from error
    return reader


def _ordered(tables: Mapping[str, list[Row]]) -> list[Row]:
    groups = {row.get("gid"): _number(row.get("group_order")) for row in tables.get("groups", [])}
    asked = [row for row in tables["questions"] if row.get("parent_qid", "0") in ("0", "")]
    return sorted(asked, key=lambda r: (groups.get(r.get("gid"), 0), _number(r.get("question_order"))))


def _number(text: str | None) -> int:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _texts(tables: Mapping[str, list[Row]]) -> dict[str, dict[str, str]]:
    """The wording of every question and subquestion by its number, in each language it has."""
    found: dict[str, dict[str, str]] = {}
    for table in ("questions", "subquestions", "question_l10ns"):
        for row in tables.get(table, []):
            if said := clean(row.get("question")):
                found.setdefault(row.get("qid", ""), {})[row.get("language") or ""] = said
    return found


def _question(found: Carried, row: Row, texts: Mapping[str, dict[str, str]], tables: Mapping[str, list[Row]]) -> None:
    name = row.get("title") or "question"
    asked = texts.get(row.get("qid", "")) or {"": name}
    shown = found.first(asked) or name
    before = len(found.questions)
    _ask(found, row, name, asked, texts, tables)
    formula = (row.get("relevance") or "1").translate(_BRACKETS).strip()
    if formula not in ("1", "") and (len(found.questions) == before or not carry_condition(found, formula, _IF)):
        found.leave(shown, "when it is asked was a formula; build the condition anew")


def _ask(
    found: Carried,
    row: Row,
    name: str,
    asked: Mapping[str, str],
    texts: Mapping[str, dict[str, str]],
    tables: Mapping[str, list[Row]],
) -> None:
    number, kind = row.get("qid", ""), row.get("type", "")
    shown = found.first(asked) or name
    choices = _choices(number, tables)
    if kind in ("5", "B"):
        points = range(1, 6)
        if not found.rate(name, asked, points):
            found.add(name, "one", asked, options=found.options(name, [(str(n), {}) for n in points]))
    elif kind in ("L", "!", "O"):
        points_of = [int(value) for value, _ in choices if value.isascii() and value.isdigit() and len(value) < 3]
        if len(points_of) != len(choices) or not found.rate(name, asked, sorted(points_of)):
            _choice(found, name, "one", asked, choices, row)
    elif kind in ("M", "P"):
        _choice(found, name, "many", asked, _parts(number, texts, tables), row)
    elif kind == "Y":
        found.add(name, "one", asked, options=found.options(name, [("yes", {}), ("no", {})]))
    elif kind in ("S", "N", "D"):
        found.add(name, {"S": "text", "N": "number", "D": "date"}[kind], asked)
    elif kind in ("T", "U"):
        found.words(name, asked)
    elif kind == "X":
        found.leave(shown, "a text without a question is not shown; every page asks something")
    else:
        found.leave(shown, f"{LEFT.get(kind, 'a kind that we do not know')} cannot be asked here")


def _choice(
    found: Carried, name: str, kind: str, asked: Mapping[str, str], choices: list[tuple[str, dict[str, str]]], row: Row
) -> None:
    if len(choices) < 2:
        found.leave(found.first(asked) or name, "a choice needs two options at least")
        return
    more = {"other": True} if row.get("other") == "Y" else {}
    found.add(name, kind, asked, options=found.options(name, choices), **more)


def _choices(number: str, tables: Mapping[str, list[Row]]) -> list[tuple[str, dict[str, str]]]:
    """The answers of a list by code, in their order."""
    by_aid = {row.get("aid"): row.get("code", "") for row in tables.get("answers", []) if row.get("qid") == number}
    found: dict[str, dict[str, str]] = {}
    rows = [row for row in tables.get("answers", []) if row.get("qid") == number]
    for row in sorted(rows, key=lambda r: _number(r.get("sortorder"))):
        texts = found.setdefault(row.get("code", ""), {})
        if said := clean(row.get("answer")):
            texts[row.get("language") or ""] = said
    for row in tables.get("answer_l10ns", []):
        code = by_aid.get(row.get("aid")) if row.get("aid") else None
        if code is not None and (said := clean(row.get("answer"))):
            found[code][row.get("language") or ""] = said
    return list(found.items())


def _parts(
    number: str, texts: Mapping[str, dict[str, str]], tables: Mapping[str, list[Row]]
) -> list[tuple[str, dict[str, str]]]:
    rows = [row for row in tables.get("subquestions", []) if row.get("parent_qid") == number]
    ordered = sorted(rows, key=lambda r: _number(r.get("question_order")))
    return list({row.get("title", ""): texts.get(row.get("qid", ""), {}) for row in ordered}.items())
