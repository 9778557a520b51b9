"""The query of a call, read name by name: one sentence for each thing wrong, and nothing ignored in silence."""

import base64
import binascii
import re
from collections.abc import Collection
from datetime import date
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from surveyapp.domain.identity import has_control
from surveyapp.extensions import db
from surveyapp.queries.metrics import CONTEXT, Filters, unknown
from surveyapp.web.api.strict import WrongFields

LONGEST = 1_000
DAY = re.compile(r"2\d{3}-\d{2}-\d{2}", re.ASCII)


class Parameters:
    """Reads a query. Problems gather until `check`; an empty value counts as not given."""

    def __init__(self, args: MultiDict[str, str], known: Collection[str], *, context: bool = False) -> None:
        self._given = {name: values[0] for name, values in args.lists() if values[0]}
        self._problems: list[str] = []
        for name, values in args.lists():
            if name not in known and not (context and name.startswith(CONTEXT) and len(name) > len(CONTEXT)):
                names = ", ".join([*known, "context.NAME"] if context else known)
                self.wrong(name, f"is no parameter here; known are {names}")
            elif len(values) > 1:
                self.wrong(name, "is given twice")
            elif len(values[0]) > LONGEST or has_control(values[0]):
                self.wrong(name, f"must be one line of at most {LONGEST} characters")

    def wrong(self, name: str, sentence: str) -> None:
        """Note a problem with the parameter of that name."""
        self._problems.append(f"{name[:80]}: {sentence}")

    def check(self) -> None:
        """Raise WrongFields (422) when anything was wrong."""
        if self._problems:
            raise WrongFields(self._problems)

    def text(self, name: str) -> str | None:
        return self._given.get(name)

    def context(self) -> dict[str, str]:
        """The filters on context attributes, by attribute."""
        return {name.removeprefix(CONTEXT): text for name, text in self._given.items() if name.startswith(CONTEXT)}

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        value = self._given.get(name)
        if value is not None and value not in allowed:
            self.wrong(name, f"'{value[:80]}' is none of {', '.join(allowed)}")
            return None
        return value

    def flag(self, name: str) -> bool:
        value = self._given.get(name, "false").lower()
        if value not in ("true", "false", "1", "0"):
            self.wrong(name, "is true or false")
        return value in ("true", "1")

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self._given.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and low <= int(value) <= high):
            self.wrong(name, f"must be a whole number from {low} to {high}")
            return None
        return int(value)

    def mark(self, letter: str) -> int:
        """The row after which the page begins, by `after`; 0 is the beginning. A list knows its marks by its letter."""
        text = self.text("after")
        if text is None:
            return 0
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            plain = ""
        if not (plain.startswith(letter) and plain[1:].isdigit() and len(plain) < 20):
            self.wrong("after", "is no place in this list; follow `next` as it was given")
            return 0
        return int(plain[1:])

    def following(self, path: str, letter: str, row: int | None) -> str | None:
        """The next page's path with this query, where the page ended with `row`; None after the last page."""
        if row is None:
            return None
        mark = base64.urlsafe_b64encode(f"{letter}{row}".encode()).decode().rstrip("=")
        return f"{path}?{urlencode(self._given | {'after': mark})}"

    def step(self) -> tuple[str | None, str | None]:
        """`step` in its long form, and `journey`; a short key beside a journey is completed."""
        step, journey = self.text("step"), self.text("journey")
        if step is None or "." in step:
            return step, journey
        if journey is None:
            self.wrong("step", f"'{step[:80]}' is a short key; write journey.step")
            return None, None
        return f"{journey}.{step}", journey

    def known(self, filters: Filters) -> None:
        """Note those keys among the filters that name nothing, then raise WrongFields when anything was wrong."""
        self.check()
        for name in unknown(db.session, filters):
            self.wrong(name, f"there is no {name} '{getattr(filters, name)[:170]}'")
        self.check()

    def days(self) -> tuple[date | None, date | None]:
        """`from` and `to`, reporting days, both included."""
        first, last = self._day("from"), self._day("to")
        if first is not None and last is not None and first > last:
            self.wrong("from", f"{first} comes after to={last}; swap them")
        return first, last

    def _day(self, name: str) -> date | None:
        value = self._given.get(name)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None:
            self.wrong(name, "must be a day such as 2026-11-02, from 2000 on")
        return day
