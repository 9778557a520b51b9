"""Makes the programme equal to a file, all of it or nothing. Nothing else changes journeys, surveys and triggers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session, selectinload

from surveyapp import clock
from surveyapp.domain.palette import palette
from surveyapp.domain.programme import JourneySpec, Programme, StepSpec, SurveySpec, TriggerSpec
from surveyapp.domain.programme import plain as written
from surveyapp.models import (
    Base,
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
from surveyapp.models.metrics import SLOTS
from surveyapp.queries.policy import version_in_force
from surveyapp.queries.programme import NIGHTLY, version_number
from surveyapp.services import audit, quotas, rebuilding
from surveyapp.services.inserts import insert_new
from surveyapp.services.policy import add_version
from surveyapp.services.programme_file import ProgrammeRefused, check
from surveyapp.services.transaction import transaction

__all__ = ["ProgrammeRefused", "ProgrammeResult", "apply_programme", "check"]

RECURRING_TIER = 3


@dataclass(frozen=True, slots=True)
class ProgrammeResult:
    """The programme's version now, and what was changed to get there, in words; nothing when it was so already."""

    version: int
    changed: list[str]


def apply_programme(text: str | bytes, actor: str) -> ProgrammeResult:
    """Make the programme equal to the file. Applying the same file again changes nothing.

    What the file no longer names is archived, what it names again is restored. Raises ProgrammeRefused with every
    problem, and then nothing has changed.
    """
    programme = check(text)
    content = text.decode("utf-8") if isinstance(text, bytes) else text
    with audit.acting(actor), transaction() as session:
        apply = _Application(session, clock.database_now(session))
        apply.all_of(programme, actor)
        number = version_number()
        if apply.changed or not number:
            number = add_programme_version(session, content, actor, apply.now)
            audit.note(session, "programme.apply", f"programme {number}", {"changed": apply.changed[:200]})
    if apply.recount:
        rebuilding.rebuild()
    return ProgrammeResult(number, apply.changed)


def add_programme_version(session: scoped_session[Session], content: str, actor: str, now: datetime) -> int:
    """The number under which this file is kept as the programme that now stands."""
    number = version_number() + 1
    digest = hashlib.sha256(content.encode()).hexdigest()
    row = ProgrammeVersion(number=number, digest=digest, content=content, applied_at=now, applied_by=actor[:254])
    session.add(row)
    return number


def same(one: object, other: object) -> bool:
    """Whether two stored values are equal; unlike ==, true is not 1 within a list or mapping."""
    if isinstance(one, dict | list) and isinstance(other, dict | list):
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    return one == other


def assign(row: Base, values: Mapping[str, Any]) -> bool:
    """Give the row these values; whether any was different."""
    different = {name: value for name, value in values.items() if not same(getattr(row, name), value)}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


@dataclass(slots=True)
class _Application:
    """One application, part by part in the order in which the parts refer to one another."""

    session: scoped_session[Session]
    now: datetime
    changed: list[str] = field(default_factory=list)
    recount: bool = False

    def all_of(self, programme: Programme, actor: str) -> None:
        self.brand(programme)
        self.reporting_attributes(programme.reporting_attributes)
        self.dimensions(programme)
        steps = self.journeys(programme.journeys)
        surveys = self.surveys(programme.surveys)
        self.triggers(programme, steps, surveys)
        self.policy(programme, actor)
        self.session.flush()

    def brand(self, programme: Programme) -> None:
        """Also locks the brand's row, so that one application follows the other."""
        values: dict[str, Any] = {"colour": None, "logo": None, "privacy_url": None}
        values |= {"postal_address": None, "contact": None} | written.brand(programme.brand)
        values["palette"] = palette(programme.brand.colour) if programme.brand.colour else {}
        if insert_new(self.session, Brand, [{"id": 1} | values], ["id"]):
            self.changed.append("brand")
        lock = select(Brand).where(Brand.id == 1).with_for_update().execution_options(populate_existing=True)
        if assign(self.session.scalars(lock).one(), values):
            self.changed.append("brand")

    def keep(self, what: str, row: Base, fresh: bool, values: Mapping[str, Any]) -> None:
        """Give a row its values, restore it when it was archived, and say what happened."""
        restored = getattr(row, "archived_at", None) is not None
        different = assign(row, {**values, "archived_at": None})
        if fresh:
            self.session.add(row)
        if fresh or different:
            self.changed.append(f"{what} {'added' if fresh else 'restored' if restored else 'changed'}")

    def archive(self, what: str, row: Any, **values: Any) -> None:
        if row.archived_at is None:
            assign(row, {"archived_at": self.now, **values})
            self.changed.append(f"{what} archived")

    def rows(self, model: type[Base]) -> dict[str, Any]:
        """Every row of a table by its key, archived ones too, read afresh."""
        query: Any = select(model).execution_options(populate_existing=True)
        if model is Journey:
            query = query.options(selectinload(Journey.steps))
        return {row.key: row for row in self.session.scalars(query)}

    def reporting_attributes(self, names: tuple[str, ...]) -> None:
        """Each attribute keeps its slot while it stays; a new one takes the lowest free slot."""
        query = select(ReportingAttribute).execution_options(populate_existing=True)
        rows = {row.name: row for row in self.session.scalars(query)}
        for name in set(rows) - set(names):
            if rows[name].slot is not None:
                rows[name].slot = None
                self.changed.append(f"reporting attribute {name} removed")
        self.session.flush()
        taken = {row.slot for row in rows.values()}
        free = [slot for slot in range(1, SLOTS + 1) if slot not in taken]
        for name in names:
            row = rows.get(name)
            if row is None or row.slot is None:
                row = row or ReportingAttribute(name=name)
                row.slot = free.pop(0)
                self.session.add(row)
                self.changed.append(f"reporting attribute {name} added")
        self.recount = bool(self.changed) and any(c.startswith("reporting attribute") for c in self.changed)

    def dimensions(self, programme: Programme) -> None:
        rows = self.rows(Dimension)
        for position, spec in enumerate(programme.dimensions):
            row = rows.pop(spec.key, None)
            fresh = row is None
            row = row or Dimension(key=spec.key)
            values = {n: v for n, v in written.dimension(spec).items() if n != "key"}
            self.keep(f"dimension {spec.key}", row, fresh, values | {"position": position})
        for key, row in rows.items():
            self.archive(f"dimension {key}", row)

    def journeys(self, specs: tuple[JourneySpec, ...]) -> dict[str, Step]:
        """The steps by their long form."""
        rows = self.rows(Journey)
        steps: dict[str, Step] = {}
        for position, spec in enumerate(specs):
            row = rows.pop(spec.key, None)
            fresh = row is None
            row = row or Journey(key=spec.key, steps=[])
            values = {"name": dict(spec.name), "instance_name": dict(spec.instance), "position": position}
            self.keep(f"journey {spec.key}", row, fresh, values)
            steps |= self.steps(row, spec)
        for key, row in rows.items():
            self.archive(f"journey {key}", row)
            for step in row.steps:
                self.archive(f"step {key}.{step.key}", step)
        self.session.flush()
        return steps

    def steps(self, journey: Journey, spec: JourneySpec) -> dict[str, Step]:
        rows = {row.key: row for row in journey.steps}
        found: dict[str, Step] = {}
        for position, one in enumerate(spec.steps):
            path = f"{spec.key}.{one.key}"
            row = rows.pop(one.key, None)
            fresh = row is None
            row = row or Step(key=one.key, journey=journey, details={})
            self.keep(f"step {path}", row, fresh, _step_values(one) | {"position": position})
            found[path] = row
        for key, row in rows.items():
            self.archive(f"step {spec.key}.{key}", row)
        return found

    def surveys(self, specs: tuple[SurveySpec, ...]) -> dict[str, Survey]:
        rows = self.rows(Survey)
        slugs = {spec.key: spec.public for spec in specs}
        for key, row in rows.items():  # a slug may pass from one survey to another
            if key not in slugs:
                self.archive(f"survey {key}", row, public_slug=None)
        moved = {key: row.public_slug for key, row in rows.items() if row.public_slug not in (None, slugs.get(key))}
        for key in moved:
            rows[key].public_slug = None
        self.session.flush()
        newest = self.newest_versions()
        found: dict[str, Survey] = {}
        for spec in specs:
            row = rows.get(spec.key)
            fresh = row is None
            row = row or Survey(key=spec.key)
            if spec.key in moved:
                row.public_slug = moved[spec.key] if spec.public is None else None
            values: dict[str, Any] = {"metric": spec.metric, "group": spec.group, "public_slug": spec.public}
            values |= {"quota": spec.quota, "closes_at": spec.closes}
            requoted = row.quota != spec.quota
            self.keep(f"survey {spec.key}", row, fresh, values)
            if requoted and not fresh:
                quotas.weigh(self.session, row, self.now)
            found[spec.key] = row
        self.session.flush()
        for spec in specs:
            self.survey_version(found[spec.key], spec, *newest.get(found[spec.key].id, (0, "")))
        return found

    def newest_versions(self) -> dict[int, tuple[int, str]]:
        """The last version's number and digest by survey."""
        query = select(SurveyVersion.survey_id, SurveyVersion.number, SurveyVersion.digest)
        rows = self.session.execute(query.order_by(SurveyVersion.number)).all()
        return {survey: (number, digest) for survey, number, digest in rows}

    def survey_version(self, survey: Survey, spec: SurveySpec, number: int, digest: str) -> None:
        definition = written.survey_definition(spec)
        wanted = written.survey_digest(definition)
        if wanted == digest:
            return
        self.session.add(
            SurveyVersion(survey=survey, number=number + 1, definition=definition, digest=wanted, published_at=self.now)
        )
        self.changed.append(f"survey {spec.key}: version {number + 1}")

    def triggers(self, programme: Programme, steps: Mapping[str, Step], surveys: Mapping[str, Survey]) -> None:
        rows = self.rows(Trigger)
        specs = programme.steps()
        for spec in programme.triggers:
            row = rows.pop(spec.key, None)
            fresh = row is None
            row = row or Trigger(key=spec.key, definition={})
            step = steps[spec.step] if spec.step else None
            tier = spec.tier or (specs[spec.step].tier if spec.step else RECURRING_TIER)
            values = _trigger_values(spec, row.definition)
            values |= {"step_id": step.id if step else None, "survey_id": surveys[spec.survey].id, "tier": tier}
            self.keep(f"trigger {spec.key}", row, fresh, values)
        for key, row in rows.items():
            self.archive(f"trigger {key}", row)

    def policy(self, programme: Programme, actor: str) -> None:
        """The file's policy takes force at once unless it is in force already."""
        current = version_in_force(self.session, self.now)
        if current is not None and same(current.definition, dict(programme.policy)):
            return
        version = add_version(self.session, programme.policy, actor, self.now)
        self.changed.append(f"policy: version {version.number}")


def _step_values(spec: StepSpec) -> dict[str, Any]:
    return {
        "name": dict(spec.name),
        "phase": spec.phase,
        "event": spec.event,
        "attributes": list(spec.attributes),
        "moment_of_truth": spec.moment_of_truth,
        "tier": spec.tier,
        "sensitive_seconds": int(spec.sensitive.total_seconds()) if spec.sensitive else None,
    }


def _trigger_values(spec: TriggerSpec, before: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a trigger. What the nightly job computed for a sample target stays while the target stays."""
    definition: dict[str, Any] = written.trigger(spec)
    if NIGHTLY in before and same(before.get("sample"), definition["sample"]):
        definition[NIGHTLY] = before[NIGHTLY]
    return {
        "channels": list(spec.channels),
        "delay_seconds": int(spec.delay.total_seconds()),
        "expires_seconds": None if spec.expires is None else int(spec.expires.total_seconds()),
        "every_seconds": None if spec.every is None else int(spec.every.total_seconds()),
        "reserve_seconds": None if spec.reserve is None else int(spec.reserve.total_seconds()),
        "priority": spec.priority,
        "definition": definition,
    }
