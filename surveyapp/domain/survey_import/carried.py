"""Collects what is carried over from another tool's survey, question by question, and what is left behind and why."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from surveyapp.domain.programme.fields import MERGE_FIELD
from surveyapp.domain.questions import OPTION_LIMIT, QUESTION_LIMIT
from surveyapp.domain.survey_editing import key_of

LONGEST_ASK = 300
LONGEST_LABEL = 80
LONGEST_ABOUT = 120
_TAG = re.compile(r"<[^<>]{0,2000}>")
_KINDS = {
    "one": "one choice", "many": "several choices", "comment": "the comment", "long": "a longer text",
    "text": "a short text", "number": "a number", "date": "a day",
}  # fmt: skip
_METRICS = {"nps": "NPS", "csat5": "CSAT 1–5", "csat7": "CSAT 1–7"}
_RECOMMENDS = ("recommend", "recommand", "empfehl", "recomend", "aanbevel", "توصي")


class Unreadable(Exception):
    """The file is not what it says it is, or not safe to read; the message says why."""


@dataclass(slots=True)
class Carried:
    """A survey as a programme file would say it, a sentence for what was carried, and one for all that was not."""

    languages: Sequence[str]
    title: str = ""
    definition: dict[str, Any] = field(default_factory=lambda: {"follow_up": []})
    carried: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)  # its name there: its key here

    @property
    def questions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.definition["follow_up"]
        return found

    def leave(self, what: str, why: str) -> None:
        if len(self.left) < 100:
            self.left.append(f"“{what[:120]}”: {why}.")

    def rate(self, name: str, texts: Mapping[str, str], points: Sequence[int]) -> bool:
        """Take this as the one rating, where it is the first and on a scale of ours."""
        if "metric" in self.definition:
            return False
        said = " ".join(texts.values()).lower()
        scales = {(0, 10): "nps", (1, 5): "csat5", (1, 7): "csat7"}
        metric = scales.get((min(points), max(points))) if points else None
        if metric is None or len(points) != max(points) - min(points) + 1:
            return False
        self.definition["metric"] = metric
        self.keys[name] = "score"
        shown = self.first(texts)
        sure = metric != "nps" or any(word in said for word in _RECOMMENDS)
        scale = f"{min(points)} to {max(points)}"
        told = f"“{shown[:120]}” is the rating, {scale}, in the standard wording of {_METRICS[metric]}."
        doubt = "" if sure else " It did not ask to recommend: choose another metric if it is none."
        self.carried.append(told + doubt)
        return True

    def add(self, name: str, kind: str, texts: Mapping[str, str], **more: Any) -> dict[str, Any] | None:
        """One further question; None where there is no room for it."""
        if len(self.questions) >= QUESTION_LIMIT:
            self.leave(self.first(texts) or name, f"a survey asks at most {QUESTION_LIMIT} further questions")
            return None
        taken = {question["key"] for question in self.questions}
        key = "comment" if kind == "comment" else key_of(name, taken | {"comment"}, "question")
        question = {"key": key, "kind": kind, "ask": self.fitting(texts, LONGEST_ASK, name), **more}
        self.keys[name] = key
        self.questions.append(question)
        self.carried.append(f"“{self.first(texts)[:120] or name}” as {_KINDS.get(kind, kind)}.")
        return question

    def words(self, name: str, texts: Mapping[str, str]) -> None:
        """A box for words: the comment for the first one, a longer text for others."""
        first = all(question["key"] != "comment" for question in self.questions)
        self.add(name, "comment" if first else "long", texts)

    def options(self, name: str, choices: Sequence[tuple[str, Mapping[str, str]]]) -> list[dict[str, Any]]:
        """Choices as ours: free keys, labels that fit, no more than a page shows."""
        made: list[dict[str, Any]] = []
        for value, label in choices[:OPTION_LIMIT]:
            taken = {option["key"] for option in made}
            key = key_of(value, taken, "option")
            self.keys[f"{name}\n{value}"] = key
            made.append({"key": key, "label": self.fitting(label or {self.languages[0]: value}, LONGEST_LABEL, value)})
        if len(choices) > OPTION_LIMIT:
            gone = ", ".join(self.first(label) or value for value, label in choices[OPTION_LIMIT:][:5])
            self.leave(name, f"a question offers at most {OPTION_LIMIT} choices; left out: {gone}")
        return made

    def fitting(self, texts: Mapping[str, str], longest: int, what: str) -> dict[str, str]:
        """The texts in the brand's languages, its own filled in from any other, shortened to what fits."""
        own = self.languages[0]
        kept = {language: texts[language] for language in self.languages if texts.get(language)}
        if own not in kept and texts:
            kept = {own: next(iter(texts.values())), **kept}
        for language, text in kept.items():
            if MERGE_FIELD.search(text):
                text = kept[language] = MERGE_FIELD.sub("…", text)
                self.leave(what, "a field that the other tool fills in was taken out of its words")
            if len(text) > longest:
                kept[language] = text[: longest - 1].rstrip() + "…"
                self.leave(what, f"a text of {len(text)} characters was shortened to {longest}")
        return kept

    def first(self, texts: Mapping[str, str]) -> str:
        return texts.get(self.languages[0]) or next(iter(texts.values()), "")

    def finish(self) -> "Carried":
        """The survey with what it cannot be without."""
        if "metric" not in self.definition:
            self.definition["metric"] = "csat5"
            self.left.append("No rating on a scale of ours was found: it asks CSAT 1–5 now. Choose the metric.")
        if self.definition["metric"] in ("csat5", "csat7"):
            about = {self.languages[0]: self.title or "this"}
            self.definition["about"] = self.fitting(about, LONGEST_ABOUT, "the survey")
            self.left.append("What it is about was filled in from its title: put it into words that fit the question.")
        return self


def clean(text: object) -> str:
    """One line of text without markup."""
    bare = html.unescape(_TAG.sub(" ", str(text or "")))
    return " ".join("".join(c if c.isprintable() else " " for c in bare).split())
