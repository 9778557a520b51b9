"""The programme as it stands in the tables, and as the file that would make it so. Read only."""

from datetime import timedelta
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from surveyapp import clock
from surveyapp.domain.programme import BrandSpec, StepSpec
from surveyapp.domain.programme import plain as written
from surveyapp.extensions import db
from surveyapp.models import (
    Brand,
    Dimension,
    Journey,
    ProgrammeVersion,
    ReportingAttribute,
    Step,
    Survey,
    SurveyVersion,
    Trigger,
)
from surveyapp.queries.policy import version_in_force

DEFINITION = ("metric", "about", "follow_up", "thanks")
NIGHTLY = "rate"  # a trigger's definition also keeps what the nightly job computed; that is no part of the file


def brand() -> Brand | None:
    """The brand, or None before the first programme was applied."""
    return db.session.get(Brand, 1)


def version_number() -> int:
    """The number of the last applied programme; 0 before the first."""
    query = select(ProgrammeVersion.number).order_by(ProgrammeVersion.number.desc()).limit(1)
    return db.session.scalar(query) or 0


def export() -> str:
    """The programme file that, applied, changes nothing; empty before the first programme."""
    row = brand()
    if row is None:
        return ""
    content = {
        "programme": 1,
        "brand": _brand(row),
        "reporting_attributes": _reporting_attributes(),
        "dimensions": _dimensions(),
        "journeys": _journeys(),
        "surveys": _surveys(),
        "triggers": _triggers(),
        "policy": _policy(),
    }
    return yaml.dump(
        written.ordered(content),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=120,
    )


class _Dumper(yaml.SafeDumper):
    """Writes every value out where it stands: no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def step_values(row: Step) -> dict[str, Any]:
    """A step as the file says it."""
    sensitive = None if row.sensitive_seconds is None else timedelta(seconds=row.sensitive_seconds)
    spec = StepSpec(
        row.key, row.name, row.phase, row.event, tuple(row.attributes), row.moment_of_truth, row.tier, sensitive
    )
    return written.step(spec)


def _brand(row: Brand) -> dict[str, Any]:
    spec = BrandSpec(
        row.name,
        row.language,
        tuple(row.languages),
        row.timezone,
        row.colour,
        row.logo,
        row.privacy_url,
        row.postal_address,
        row.contact,
    )
    return written.brand(spec)


def _reporting_attributes() -> list[str]:
    query = (
        select(ReportingAttribute.name).where(ReportingAttribute.slot.is_not(None)).order_by(ReportingAttribute.slot)
    )
    return list(db.session.scalars(query))


def _dimensions() -> list[dict[str, Any]]:
    query = select(Dimension).where(Dimension.archived_at.is_(None)).order_by(Dimension.position, Dimension.id)
    return [{"key": row.key, "promise": row.promise, "attributes": row.attributes} for row in db.session.scalars(query)]


def _journeys() -> list[dict[str, Any]]:
    query = (
        select(Journey)
        .where(Journey.archived_at.is_(None))
        .options(selectinload(Journey.steps))
        .order_by(Journey.position, Journey.id)
    )
    journeys: list[dict[str, Any]] = []
    for row in db.session.scalars(query):
        values: dict[str, Any] = {"key": row.key, "name": row.name}
        if row.instance_name:
            values["instance"] = row.instance_name
        values["steps"] = [step_values(step) for step in row.steps if step.archived_at is None]
        journeys.append(values)
    return journeys


def _surveys() -> list[dict[str, Any]]:
    later = aliased(SurveyVersion)
    newest = select(func.max(later.number)).where(later.survey_id == Survey.id).correlate(Survey).scalar_subquery()
    query = (
        select(Survey, SurveyVersion)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(Survey.archived_at.is_(None), SurveyVersion.number == newest)
        .order_by(Survey.id)
    )
    surveys: list[dict[str, Any]] = []
    for row, version in db.session.execute(query).all():
        values: dict[str, Any] = {"key": row.key} | {
            n: version.definition[n] for n in DEFINITION if version.definition.get(n) not in (None, {})
        }
        limits = {"group": row.group, "public": row.public_slug, "quota": row.quota}
        if row.closes_at is not None:
            limits["closes"] = row.closes_at.isoformat()
        surveys.append(values | {name: value for name, value in limits.items() if value is not None})
    return surveys


def _triggers() -> list[dict[str, Any]]:
    query = (
        select(Trigger)
        .where(Trigger.archived_at.is_(None))
        .options(joinedload(Trigger.survey), joinedload(Trigger.step).joinedload(Step.journey))
        .order_by(Trigger.id)
    )
    return [{n: v for n, v in row.definition.items() if n != NIGHTLY} for row in db.session.scalars(query)]


def _policy() -> dict[str, Any]:
    version = version_in_force(db.session, clock.now())
    return version.definition if version else {}
