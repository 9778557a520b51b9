"""Keeps the roll-up cells equal to the answers: a count per score, day and dimension, in the answer's transaction.

It only ever adds and subtracts; what a count means is for `domain/scores` to say.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Protocol

from sqlalchemy import bindparam, select

from surveyapp.domain.reporting_values import reporting_text
from surveyapp.domain.weights import class_of, micro_weight
from surveyapp.models import (
    Partner,
    ReportingAttribute,
    ReportingValue,
    Response,
    Survey,
    SurveyVersion,
)
from surveyapp.models.base import table_of
from surveyapp.models.metrics import OTHER, SLOTS, VALUES
from surveyapp.services.cells import Cell, Cells, Database, write
from surveyapp.services.inserts import insert_quietly


class Countable(Protocol):
    """What of an answer is counted; a Response is one, and so is a row with these columns."""

    @property
    def metric(self) -> str: ...
    @property
    def survey_id(self) -> int: ...
    @property
    def survey_version_id(self) -> int: ...
    @property
    def partner_id(self) -> int | None: ...
    @property
    def reporting_day(self) -> date: ...
    @property
    def journey(self) -> str | None: ...
    @property
    def step(self) -> str | None: ...
    @property
    def phase(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def language(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    @property
    def context(self) -> dict[str, Any]: ...
    @property
    def score(self) -> int | None: ...
    @property
    def inclusion(self) -> float | None: ...


Attributes = tuple[dict[str, int], dict[str, set[str]]]
"""The attributes that have a slot, and those values of one context that are kept under their own name."""


class Named(NamedTuple):
    """What stands behind the ids of one answer: its survey's key, its version's number, its partner's key or "".

    `attributes` are those of its context, where they were read with something else.
    """

    survey: str
    version: int
    partner: str
    attributes: Attributes | None = None


COUNTED = tuple(getattr(Response, name) for name in vars(Countable) if isinstance(vars(Countable)[name], property))
"""The columns of a response that make it countable."""


@dataclass
class Names:
    """What stands behind the ids of an answer, and which attribute values keep their own name.

    `fresh` are values met for the first time, still to be kept; with 50 kept, further values are `other`.
    """

    surveys: Mapping[int, str]
    versions: Mapping[int, int]
    partners: Mapping[int, str]
    slots: Mapping[str, int]
    kept: dict[str, set[str]]
    fresh: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str, context: Mapping[str, Any]) -> str:
        """The text under which this context is counted for one attribute."""
        text = reporting_text(context.get(name))
        kept = self.kept.setdefault(name, set())
        if text == "" or text in kept:
            return text
        if len(kept) >= VALUES:
            return OTHER
        kept.add(text)
        self.fresh.append((name, text))
        return text

    def cell(self, response: Countable) -> Cell:
        """The key of the cell that holds this answer, in the order of KEY."""
        slots = dict.fromkeys(range(1, SLOTS + 1), "")
        for name, slot in self.slots.items():
            slots[slot] = self.value(name, response.context)
        return (
            response.metric,
            self.surveys[response.survey_id],
            self.versions[response.survey_version_id],
            response.reporting_day,
            response.journey or "",
            response.step or "",
            response.phase or "",
            response.channel,
            response.language or "",
            self.partners[response.partner_id] if response.partner_id is not None else "",
            str(response.status),
            *slots.values(),
            response.score,
            class_of(micro_weight(response.inclusion)[0]),
        )


def add_to(cells: Cells, names: Names, response: Countable, sign: int = 1) -> None:
    """Count one answer into `cells`. Without a score there is nothing to count."""
    if response.score is None:
        return
    key = names.cell(response)
    n, w, w2 = cells.get(key, (0, 0, 0))
    weight, square = micro_weight(response.inclusion)
    cells[key] = (n + sign, w + sign * weight, w2 + sign * square)


def count(session: Database, response: Countable, sign: int, named: Named | None = None) -> None:
    """Add the answer to its cell (`sign` 1) or take it out (−1), in the caller's transaction.

    `named` where the caller has read it already. To change an answer that is counted already, use `moving`.
    """
    if response.score is None:
        return
    cells: Cells = {}
    add_to(cells, _names_for(session, response, named), response, sign)
    write(session, cells)


@contextmanager
def moving(session: Database, response: Response, named: Named | None = None) -> Iterator[None]:
    """Change the answer in the body; its old cell loses it and its new cell gains it, in one statement.

    Rows are written in a fixed order, so that two changes at once cannot wait for each other in a circle.
    """
    if response.id is None:
        session.flush()
    cells: Cells = {}
    add_to(cells, _names_for(session, response, named), response, -1)
    yield
    add_to(cells, _names_for(session, response, named), response, 1)
    write(session, cells)


def count_many(session: Database, responses: Iterable[Countable]) -> None:
    """Add many new answers to their cells, in the caller's transaction; one statement for all cells."""
    names = all_names(session)
    cells: Cells = {}
    for response in responses:
        add_to(cells, names, response)
    keep_values(session, names.fresh)
    write(session, cells, bulk=True)


def _named(session: Database, response: Countable) -> Named:
    survey = session.get_one(Survey, response.survey_id)
    version = session.get_one(SurveyVersion, response.survey_version_id)
    partner = session.get_one(Partner, response.partner_id).key if response.partner_id is not None else ""
    return Named(survey.key, version.number, partner)


def _names_for(session: Database, response: Countable, named: Named | None) -> Names:
    """The names one answer needs; keeps its attribute values when they are new and there is room."""
    survey, version, partner, attributes = named or _named(session, response)
    partners = {response.partner_id: partner} if response.partner_id is not None else {}
    slots, kept = attributes or _attributes(session, texts_of(response.context))
    names = Names({response.survey_id: survey}, {response.survey_version_id: version}, partners, slots, kept)
    for name in sorted(slots):  # one order, since new values are kept under a lock
        text = reporting_text(response.context.get(name))
        if text and text not in kept.setdefault(name, set()):
            kept[name] = _kept_with(session, name, text)
    return names


_SLOTTED, _KEPT = table_of(ReportingAttribute), table_of(ReportingValue)
_OF_TEXTS = (_KEPT.c.name == _SLOTTED.c.name) & _KEPT.c.value.in_(bindparam("texts", expanding=True))
ATTRIBUTES = (
    select(_SLOTTED.c.name, _SLOTTED.c.slot, _KEPT.c.value)
    .select_from(_SLOTTED.outerjoin(_KEPT, _OF_TEXTS))
    .where(_SLOTTED.c.slot.is_not(None))
)
"""Name and slot of each attribute that has one, with each of `texts` that it keeps under its own name."""


def texts_of(context: Mapping[str, Any]) -> list[str]:
    """What ATTRIBUTES is to be asked for."""
    return sorted({reporting_text(value) for value in context.values()} - {""})


def _attributes(session: Database, texts: list[str]) -> Attributes:
    if not texts:
        return {}, {}
    return read_attributes(tuple(row) for row in session.connection().execute(ATTRIBUTES, {"texts": texts}))


def read_attributes(found: Iterable[tuple[str, int, str | None]]) -> Attributes:
    """The meaning of rows of ATTRIBUTES."""
    slots: dict[str, int] = {}
    kept: dict[str, set[str]] = {}
    for name, slot, value in found:
        slots[name] = slot or 0
        if value is not None:
            kept.setdefault(name, set()).add(value)
    return slots, kept


def _kept_with(session: Database, name: str, text: str) -> set[str]:
    """All values kept for the attribute, with `text` among them if there was room."""
    values = select(ReportingValue.value).where(ReportingValue.name == name)
    kept = set(session.scalars(values))
    if len(kept) < VALUES:
        session.execute(select(ReportingAttribute.id).where(ReportingAttribute.name == name).with_for_update())
        kept = set(session.scalars(values))
        if len(kept) < VALUES and text not in kept:
            session.add(ReportingValue(name=name, value=text))
            session.flush()
            kept.add(text)
    return kept


def all_names(session: Database) -> Names:
    """Every name at once, for many answers."""
    return Names(
        surveys={row.id: row.key for row in session.execute(select(Survey.id, Survey.key))},
        versions={row.id: row.number for row in session.execute(select(SurveyVersion.id, SurveyVersion.number))},
        partners={row.id: row.key for row in session.execute(select(Partner.id, Partner.key))},
        slots={
            row.name: row.slot
            for row in session.execute(
                select(ReportingAttribute.name, ReportingAttribute.slot)
                .where(ReportingAttribute.slot.is_not(None))
                .order_by(ReportingAttribute.name)
                .with_for_update()
            )
        },
        kept=_all_kept(session),
    )


def _all_kept(session: Database) -> dict[str, set[str]]:
    kept: dict[str, set[str]] = {}
    for name, value in session.execute(select(ReportingValue.name, ReportingValue.value)):
        kept.setdefault(name, set()).add(value)
    return kept


def keep_values(session: Database, fresh: list[tuple[str, str]]) -> None:
    """Keep attribute values under their own name from now on."""
    rows = [{"name": name, "value": value} for name, value in sorted(fresh)]
    insert_quietly(session, ReportingValue, rows, ["name", "value"])
    fresh.clear()
