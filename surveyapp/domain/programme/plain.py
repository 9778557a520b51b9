"""Writes the parts of a programme as plain values, as a programme file would say them. Defaults are left out.

Reading what is written here gives an equal part, so these values are what is stored, compared and exported.
"""

import hashlib
import json
from datetime import timedelta

from surveyapp.domain.durations import format_duration
from surveyapp.domain.programme.specs import (
    BrandSpec,
    DimensionSpec,
    StepSpec,
    SurveySpec,
    TargetSpec,
    TriggerSpec,
)

Plain = dict[str, object]

FIELD_ORDER = (
    *("programme brand reporting_attributes dimensions journeys surveys triggers policy kind key").split(),
    *("name promise instance language languages timezone phase event attributes moment_of_truth steps").split(),
    *("step every survey metric about follow_up thanks group channels delay expires sample target_half_width").split(),
    *("per where reminder blocked reserve ask ask_for ask_again options label gap when not from to").split(),
    *("idea contact promoter text link after public quota closes").split(),
    *("gap tiers caps quiet_hours holding reminders_count rules max tier sensitive priority web_for").split(),
)
_TIERS = frozenset("123")
_PLACE = {name: place for place, name in enumerate(FIELD_ORDER)}


def brand(spec: BrandSpec) -> Plain:
    values: Plain = {
        "name": spec.name,
        "language": spec.language,
        "languages": list(spec.languages),
        "timezone": spec.timezone,
    }
    for name in ("colour", "logo", "privacy_url", "postal_address", "contact"):
        if (value := getattr(spec, name)) is not None:
            values[name] = value
    return values


def dimension(spec: DimensionSpec) -> Plain:
    attributes = [{"key": attribute.key, "name": dict(attribute.name)} for attribute in spec.attributes]
    return {"key": spec.key, "promise": spec.promise, "attributes": attributes}


def step(spec: StepSpec) -> Plain:
    values: Plain = {"key": spec.key, "name": dict(spec.name)}
    if spec.phase is not None:
        values["phase"] = spec.phase
    if spec.event is not None:
        values["event"] = spec.event
    if spec.attributes:
        values["attributes"] = list(spec.attributes)
    if spec.moment_of_truth:
        values["moment_of_truth"] = True
    values["tier"] = spec.tier
    if spec.sensitive is not None:
        values["sensitive"] = format_duration(spec.sensitive)
    return values


def survey_definition(spec: SurveySpec) -> Plain:
    """What is asked: the part of a survey whose change makes a new version."""
    follow_up: object = spec.follow_up if isinstance(spec.follow_up, str) else list(spec.follow_up)
    values: Plain = {"metric": spec.metric, "about": dict(spec.about), "follow_up": follow_up}
    return values | ({"thanks": dict(spec.thanks)} if spec.thanks else {})


def survey_digest(definition: Plain) -> str:
    """What tells two definitions of a survey apart, whatever the order of their fields."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def trigger(spec: TriggerSpec) -> Plain:
    values: Plain = {"key": spec.key}
    if spec.step is not None:
        values["step"] = spec.step
    values |= _durations(every=spec.every)
    values |= {"survey": spec.survey, "channels": list(spec.channels), "delay": format_duration(spec.delay)}
    values |= _durations(expires=spec.expires)
    values["sample"] = _sample(spec.sample)
    values |= _durations(per=spec.per)
    if spec.where:
        values["where"] = dict(spec.where)
    if spec.reminder_after is not None:
        values["reminder"] = _durations(after=spec.reminder_after)
    values["blocked"] = spec.blocked
    values |= _durations(reserve=spec.reserve)
    if spec.tier is not None:
        values["tier"] = spec.tier
    if spec.priority:
        values["priority"] = spec.priority
    return values | _durations(web_for=spec.web_for)


def _sample(sample: float | TargetSpec) -> object:
    if isinstance(sample, TargetSpec):
        return {"target_half_width": sample.half_width, "per": format_duration(sample.per)}
    return sample


def _durations(**lengths: timedelta | None) -> Plain:
    return {name: format_duration(length) for name, length in lengths.items() if length is not None}


def ordered(value: object) -> object:
    """The same values with every mapping's fields in the order of a programme file, other keys by name.

    A table by tier has numbers for keys, as people write it.
    """
    if isinstance(value, list):
        return [ordered(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = sorted(value, key=lambda name: (_PLACE.get(name, len(_PLACE)), name))
    tiers = bool(names) and _TIERS.issuperset(names)
    return {int(name) if tiers else name: ordered(value[name]) for name in names}
