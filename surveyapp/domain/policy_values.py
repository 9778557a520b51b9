"""Reads the single values of a written policy: durations, counts, hours, scopes. Knows no rule."""

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

from surveyapp.domain.durations import parse_duration
from surveyapp.domain.policy import EVERYONE, Scope

Path = tuple[str | int, ...]
Holidays = Mapping[str, Mapping[date, str]]
CHANNELS = ("email", "sms", "web")


class PolicyProblems(Exception):
    """The policy cannot be: `problems` pairs the path of a value with the sentence that says why and what to write."""

    def __init__(self, problems: list[tuple[Path, str]]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {sentence}" for path, sentence in problems))
        self.problems = problems


class Reader:
    """Collects problems while values are read; every reading method answers a usable default after a problem."""

    def __init__(self, holidays: Holidays | None = None) -> None:
        self.problems: list[tuple[Path, str]] = []
        self.holidays = holidays or {}

    def wrong(self, path: Path, sentence: str) -> None:
        self.problems.append((path, sentence))

    def duration(self, value: object, path: Path) -> timedelta:
        try:
            return parse_duration(value)
        except ValueError as problem:
            self.wrong(path, str(problem))
            return timedelta(0)

    def window(self, value: object, path: Path, such_as: str) -> timedelta:
        """A duration that is longer than nothing; `such_as` says what may be written."""
        before = len(self.problems)
        length = self.duration(value, path)
        if len(self.problems) > before:
            self.problems[-1] = (path, f"{self.problems[-1][1]}; write one such as {such_as}")
        elif not length:
            self.wrong(path, f"must be longer than nothing, such as {such_as}")
        return length

    def count(self, value: object, path: Path) -> int:
        if type(value) is int and 0 <= value <= 10_000:
            return value
        self.wrong(
            path, f"must be a whole number from 0 (never) to 10000, not {value!r}; leave the rule out for no limit"
        )
        return 0

    def number(self, value: object, path: Path, low: float, high: float) -> float:
        if type(value) in (int, float) and low <= float(value) <= high:  # type: ignore[arg-type]
            return float(value)  # type: ignore[arg-type]
        self.wrong(path, f"must be a number from {low:g} to {high:g}, not {value!r}")
        return low

    def clock_time(self, value: object, path: Path) -> time:
        if (
            isinstance(value, str)
            and len(value) == 5
            and value[2] == ":"
            and value.isascii()
            and value[:2].isdigit()
            and value[3:].isdigit()
        ):
            hour, minute = int(value[:2]), int(value[3:])
            if hour < 24 and minute < 60:
                return time(hour, minute)
        self.wrong(path, f'must be an hour such as "20:00" in quotes, not {value!r}')
        return time(0)

    def table(self, value: object, path: Path, keys: tuple[str, ...], needed: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(path, f"must be a mapping with {', '.join(keys)}")
            return {}
        for name in value:
            if name not in keys:
                self.wrong((*path, str(name)), f"unknown key '{name}'; known here: {', '.join(keys)}")
        for name in needed:
            if name not in value:
                self.wrong(path, f"'{name}' is missing")
        return {str(k): v for k, v in value.items()}

    def scope(self, table: Mapping[str, Any], path: Path) -> Scope:
        words: dict[str, str] = {}
        for name in ("journey", "step", "survey", "group", "channel"):
            value = table.get(name)
            if value is None:
                continue
            if not isinstance(value, str) or not value:
                self.wrong((*path, name), f"must be the key of a {name}")
            elif name == "channel" and value not in CHANNELS:
                self.wrong((*path, name), f"must be one of {', '.join(CHANNELS)}, not '{value}'")
            else:
                words[name] = value
        where = table.get("where")
        pairs: tuple[tuple[str, object], ...] = ()
        if where is not None:
            if isinstance(where, Mapping) and all(isinstance(v, str | int | float | bool) for v in where.values()):
                pairs = tuple(sorted((str(k), v) for k, v in where.items()))
            else:
                self.wrong((*path, "where"), "must map names of properties or attributes to single values")
        return Scope(**words, where=pairs)

    def tiers(self, value: object, path: Path) -> dict[int, timedelta]:
        if isinstance(value, str):
            rest = self.duration(value, path)
            return {1: rest, 2: rest, 3: rest}
        if not isinstance(value, Mapping) or not value:
            self.wrong(path, "must be a duration, or durations by tier such as {1: 7d, 2: 30d, 3: 30d}")
            return {}
        found: dict[int, timedelta] = {}
        for tier, rest in value.items():
            if str(tier) not in ("1", "2", "3"):
                self.wrong((*path, str(tier)), f"there are tiers 1, 2 and 3, not {tier!r}")
            else:
                found[int(str(tier))] = self.duration(rest, (*path, tier))
        if 1 in found and 2 in found and found[1] > found[2]:
            self.wrong(
                path, "tier 1 (moments of truth) may not rest longer than tier 2: swap the two or make them equal"
            )
        return found

    def clock(self, table: Mapping[str, Any], path: Path, scope: Scope) -> str:
        value = table.get("clock", "shared")
        if value not in ("shared", "own"):
            self.wrong(
                (*path, "clock"), f"must be 'shared' (every ask counts) or 'own' (asks of this scope), not {value!r}"
            )
        elif value == "own" and scope == EVERYONE:
            self.wrong((*path, "clock"), "an own clock needs a scope: add journey, step, survey, group or channel")
        return str(value)
