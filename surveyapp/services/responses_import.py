"""Brings answers in from another tool: good ones kept beside bad ones, repeats harmless, figures moved at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, scoped_session
from uuid_utils import uuid7

from surveyapp import clock, failpoints
from surveyapp.domain.events import CustomerIn
from surveyapp.domain.imported import ImportedResponse, read_imported
from surveyapp.domain.reporting_day import place_time
from surveyapp.domain.scores import METRICS, on_scale
from surveyapp.models import Brand, Customer, Journey, Response, Step, Survey, SurveyVersion
from surveyapp.services import audit, rollups, verbatims
from surveyapp.services.customers import upsert_customers
from surveyapp.services.transaction import transaction

Database = Session | scoped_session[Session]
Good = list[tuple[int, ImportedResponse]]

AT_ONCE = 2_500
"""Rows per transaction: few enough that nobody waits long for the database."""


@dataclass
class ImportResult:
    """How many answers came in and how many were there already; problems by place in the list, in its order."""

    imported: int = 0
    duplicates: int = 0
    rejected: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inserted:
    """What the roll-up counts of an answer that was just stored."""

    id: int
    comment: str | None
    metric: str
    survey_id: int
    survey_version_id: int
    partner_id: None
    reporting_day: date
    journey: str | None
    step: str | None
    phase: str | None
    channel: str
    language: str | None
    status: str
    context: dict[str, Any]
    score: int | None
    inclusion: float | None


COUNTED = tuple(f.name for f in fields(Inserted) if f.name != "id")


@dataclass(frozen=True)
class Known:
    """What the names in an import stand for. Archived ones count: history may be about them."""

    surveys: Mapping[str, tuple[int, str]]
    versions: Mapping[tuple[int, int], int]
    newest: Mapping[int, int]
    journeys: frozenset[str]
    phases: Mapping[tuple[str, str], str | None]
    timezone: str


def import_responses(values: Sequence[object]) -> ImportResult:
    """Keep the answers that are right and new; each id once, in this call or an earlier one.

    Unknown customers are created; answers of erased people are kept without the person. Answers are stored in parts,
    each together with its roll-up, so that an import cut short is continued by sending it again.
    """
    result = ImportResult()
    now = clock.now()
    for start in range(0, len(values), AT_ONCE):
        read = [(place, read_imported(values[place], now)) for place in range(start, min(start + AT_ONCE, len(values)))]
        good = [(place, row) for place, row in read if isinstance(row, ImportedResponse)]
        result.rejected |= {place: row for place, row in read if isinstance(row, list)}
        with transaction() as session:
            _import_part(session, good, result)
        failpoints.reached("part_imported")
    result.rejected = dict(sorted(result.rejected.items()))
    return result


def _import_part(session: Database, good: Good, result: ImportResult) -> None:
    known = _known(session)
    wanted: dict[str, ImportedResponse] = {}
    fitting = 0
    for place, row in good:
        if problems := list(_misfits(row, known)):
            result.rejected[place] = problems
            continue
        fitting += 1
        wanted.setdefault(row.id, row)
    there = _there_already(session, list(wanted))
    fresh = [row for row in wanted.values() if row.id not in there]
    people = sorted({row.customer for row in fresh if row.customer is not None})
    customers = upsert_customers(session, [CustomerIn(external_id) for external_id in people])
    now = clock.database_now(session)
    rows = [_values(row, known, customers, now) for row in fresh]
    rows.sort(key=lambda values: (values["answered_at"], values["import_id"]))
    made = _insert(session, rows)
    rollups.count_many(session, made)
    verbatims.keep(session, {one.id: one.comment for one in made if one.comment})
    result.imported += len(made)
    result.duplicates += fitting - len(made)
    if made:
        audit.note(session, "responses.imported", f"{len(made)} responses", {"imported": len(made)})


def _insert(session: Database, rows: list[dict[str, Any]]) -> list[Inserted]:
    """Store the answers whose id is not taken; only their numbers are read back."""
    if not rows:
        return []
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table = Response.__table__
    insert = dialect.insert(table).on_conflict_do_nothing(index_elements=["import_id"])
    made = session.execute(insert.returning(table.c.import_id, table.c.id), rows)
    numbers = {row.import_id: row.id for row in made}
    return [
        Inserted(id=numbers[v["import_id"]], **{k: v[k] for k in COUNTED}) for v in rows if v["import_id"] in numbers
    ]


def _misfits(row: ImportedResponse, known: Known) -> list[str]:
    """What of the answer names something that is not there, or does not fit the survey."""
    problems = []
    survey = known.surveys.get(row.survey)
    if survey is None:
        problems.append(f"survey: there is no survey '{row.survey[:80]}'")
    else:
        survey_id, metric = survey
        meaning = METRICS[metric]
        if row.metric not in (None, metric):
            problems.append(f"metric: the survey '{row.survey}' asks {metric}, not {(row.metric or '')[:20]}")
        if row.score is not None and not on_scale(metric, row.score):
            problems.append(f"score: {row.score} is not on the scale of {metric} ({meaning.low} to {meaning.high})")
        if (survey_id, row.version or known.newest.get(survey_id, 0)) not in known.versions:
            problems.append(f"version: the survey '{row.survey}' has no version {row.version or 'yet'}")
    if row.journey is not None and row.journey not in known.journeys:
        problems.append(f"journey: there is no journey '{row.journey[:80]}'")
    elif row.journey is not None and row.step is not None and (row.journey, row.step) not in known.phases:
        problems.append(f"step: the journey '{row.journey}' has no step '{row.step[:80]}'")
    return problems


def _values(row: ImportedResponse, known: Known, customers: Mapping[str, Customer], now: datetime) -> dict[str, Any]:
    survey_id, metric = known.surveys[row.survey]
    customer = customers.get(row.customer) if row.customer is not None else None
    step = f"{row.journey}.{row.step}" if row.journey and row.step else None
    there = place_time(row.event_at, row.timezone, known.timezone)
    return {
        "uid": uuid7().hex,
        "import_id": row.id,
        "survey_id": survey_id,
        "survey_version_id": known.versions[survey_id, row.version or known.newest[survey_id]],
        "metric": metric,
        "score": row.score,
        "comment": row.comment,
        "answers": dict(row.answers),
        "status": row.status,
        "channel": row.channel,
        "language": row.language,
        "layout": METRICS[metric].layout,
        "customer_id": customer.id if customer else None,
        "partner_id": None,
        "journey": row.journey,
        "step": step,
        "phase": known.phases[row.journey, row.step] if row.journey and row.step else None,
        "instance": row.instance,
        "event_at": row.event_at,
        "reporting_day": there.date(),
        "reporting_hour": there.hour,
        "answered_at": row.answered_at,
        "updated_at": now,
        "context": dict(row.context),
        "decision": row.decision,
        "inclusion": row.inclusion,
        "source": "import",
    }


def _known(session: Database) -> Known:
    versions = session.execute(
        select(SurveyVersion.survey_id, SurveyVersion.number, SurveyVersion.id).order_by(SurveyVersion.number)
    ).all()
    steps = session.execute(select(Journey.key, Step.key, Step.phase).join(Step.journey)).all()
    return Known(
        surveys={
            key: (id_, metric) for id_, key, metric in session.execute(select(Survey.id, Survey.key, Survey.metric))
        },
        versions={(survey_id, number): id_ for survey_id, number, id_ in versions},
        newest={survey_id: number for survey_id, number, _ in versions},
        journeys=frozenset(session.scalars(select(Journey.key))),
        phases={(journey, step): phase for journey, step, phase in steps},
        timezone=session.scalar(select(Brand.timezone)) or "UTC",
    )


def _there_already(session: Database, ids: list[str]) -> set[str]:
    return {str(x) for x in session.scalars(select(Response.import_id).where(Response.import_id.in_(ids)))}
