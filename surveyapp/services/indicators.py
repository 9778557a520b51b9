"""Keeps operational series: defines indicators, replaces their values by scope and day. Draws and compares nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.indicators import Definition, Value, first_definition, read_value
from surveyapp.models import Indicator, IndicatorValue, Journey, Step
from surveyapp.services import audit
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
SCOPE = ("day", "step", "service", "product_line")
PIECE = 1000


@dataclass(slots=True)
class Kept:
    """How many values were kept and taken away, and the sentences of the ones refused, by their place in the list."""

    accepted: int = 0
    removed: int = 0
    rejected: dict[int, list[str]] = field(default_factory=dict)


def keep_values(key: str, given: Sequence[object]) -> Kept:
    """Replace the values by (indicator, scope, day); good ones are kept when others are bad.

    An unknown indicator is made, as descriptive, until somebody describes it. Of one scope and day told twice the
    last counts; a null value takes the day away.
    """
    done = Kept()
    with transaction() as session:
        steps = _steps(session)
        values: dict[tuple[object, ...], Value] = {}
        for index, one in enumerate(given):
            problems: list[str] = []
            value = read_value(one, problems)
            if value is not None and value.step and value.step not in steps:
                problems.append(f"step: there is no step '{value.step}'; write it as journey.step")
            if problems or value is None:
                done.rejected[index] = problems
                continue
            values[value.day, value.step, value.service, value.product_line] = value
            if value.value is None:
                done.removed += 1
            else:
                done.accepted += 1
        if values:
            indicator = _made(session, key)
            _replace(session, indicator.id, [values[scope] for scope in sorted(values, key=str)])
            counts = {"accepted": done.accepted, "removed": done.removed, "rejected": len(done.rejected)}
            audit.note(session, "indicator.values", key, counts)
    return done


def define(key: str, definition: Definition) -> Indicator:
    """The indicator with this meaning, made if it was not there. Its values stay."""
    with transaction() as session:
        indicator = _made(session, key)
        told: Mapping[str, str] = {
            "name": definition.name,
            "kind": definition.kind.value,
            "unit": definition.unit,
            "total": definition.total.value,
            "better": definition.better.value,
            "property": definition.property,
        }
        changed = {
            name: [getattr(indicator, name), text] for name, text in told.items() if getattr(indicator, name) != text
        }
        for name, text in told.items():
            setattr(indicator, name, text)
        if changed:
            audit.note(session, "indicator.defined", key, changed)
    return indicator


def _made(session: AnySession, key: str) -> Indicator:
    first = first_definition(key)
    row = {
        "key": key,
        "name": first.name,
        "kind": first.kind.value,
        "unit": first.unit,
        "total": first.total.value,
        "better": first.better.value,
        "property": first.property,
        "created_at": clock.now(),
    }
    insert_quietly(session, Indicator, [row], ["key"])
    return session.scalars(select(Indicator).where(Indicator.key == key)).one()


def _steps(session: AnySession) -> set[str]:
    return {f"{row[0]}.{row[1]}" for row in session.execute(select(Journey.key, Step.key).join(Step.journey))}


def _replace(session: AnySession, indicator_id: int, values: Sequence[Value]) -> None:
    gone = [(v.day, v.step, v.service, v.product_line) for v in values if v.value is None]
    columns = tuple_(*(getattr(IndicatorValue, name) for name in SCOPE))
    for start in range(0, len(gone), PIECE // 4):
        session.execute(
            delete(IndicatorValue)
            .where(IndicatorValue.indicator_id == indicator_id, columns.in_(gone[start : start + PIECE // 4]))
            .execution_options(synchronize_session=False)
        )
    rows = [
        {"indicator_id": indicator_id, "value": v.value} | {name: getattr(v, name) for name in SCOPE}
        for v in values
        if v.value is not None
    ]
    if rows:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        insert = dialect.insert(IndicatorValue)
        told = {"value": insert.excluded.value}
        session.execute(insert.on_conflict_do_update(index_elements=["indicator_id", *SCOPE], set_=told), rows)
