"""The library of surveys to begin from, in the languages a brand has. Read only."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.queries.catalog import read_yaml


@dataclass(frozen=True, slots=True)
class Template:
    """A survey to begin from; `why` says when it is the right one."""

    key: str
    name: str
    why: str
    survey: Mapping[str, Any]


def library(languages: Sequence[str]) -> list[Template]:
    """Every template, with the texts of these languages only: `fr-CA` takes the French ones, others the English."""
    rows = read_yaml("surveys.yaml")["templates"]
    return [Template(row["key"], row["name"], row["why"], _said(row["survey"], languages)) for row in rows]


def _said(value: Any, languages: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_said(item, languages) for item in value]
    if not isinstance(value, dict):
        return copy.copy(value)
    if "en" in value:
        texts = {code: value.get(code) or value.get(code.split("-")[0]) for code in languages}
        return {code: text for code, text in texts.items() if text} or {languages[0]: value["en"]}
    return {name: _said(part, languages) for name, part in value.items()}
