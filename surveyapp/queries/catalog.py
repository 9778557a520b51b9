"""Reads the data files of `surveyapp/catalog`, each once. What they mean is decided elsewhere."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

CATALOG = Path(__file__).resolve().parent.parent / "catalog"


@cache
def read_yaml(path: str) -> dict[str, Any]:
    """The mapping in a data file, such as `wording/en.yaml`. Shared by all callers: never change it."""
    with (CATALOG / path).open(encoding="utf-8") as file:
        content: dict[str, Any] = yaml.safe_load(file)
    return content


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names of the data files in a folder, without their ending, sorted."""
    return tuple(sorted(path.stem for path in (CATALOG / folder).glob("*.yaml")))


def wording(language: str) -> dict[str, Any]:
    """The standard texts in a language or its first part (`fr-CA` reads `fr`); English when we have neither."""
    known = set(names("wording")) & set(names("messages"))
    return read_yaml(f"wording/{next((c for c in (language, language.split('-')[0]) if c in known), 'en')}.yaml")


def journey_file(name: str) -> str:
    """The programme file of a journey template, as text. Raises FileNotFoundError for an unknown name."""
    if name not in names("journeys"):
        raise FileNotFoundError(name)
    return (CATALOG / "journeys" / f"{name}.yaml").read_text(encoding="utf-8")


def demo_file() -> str:
    """The programme file of the demonstration, as text."""
    return (CATALOG / "demo.yaml").read_text(encoding="utf-8")
