"""Reads journeys and their steps from a programme file."""

from collections.abc import Collection
from datetime import timedelta

from surveyapp.domain.programme.brand import unique
from surveyapp.domain.programme.fields import Fields, Reading, one_line
from surveyapp.domain.programme.specs import JourneySpec, StepSpec
from surveyapp.domain.programme.tree import Node, Path

STEP_FIELDS = ("key", "name", "phase", "event", "attributes", "moment_of_truth", "tier", "sensitive")
USUAL_TIER = 2


def read_journeys(reading: Reading, top: Fields, attributes: Collection[str]) -> tuple[JourneySpec, ...]:
    """The journeys in file order. `attributes` are the keys that steps may name."""
    seen: dict[str, int] = {}
    events: dict[str, tuple[str, int]] = {}
    journeys: list[JourneySpec] = []
    for node, path in top.items("journeys", 200):
        fields = Fields(reading, node, path, ("key", "name", "instance", "steps"), "A journey")
        key = unique(reading, fields, "journey", seen) or ""
        fields.missing("name")
        steps_seen: dict[str, int] = {}
        steps = tuple(
            _step(reading, item, where, key, steps_seen, events, attributes)
            for item, where in fields.items("steps", 500)
        )
        journeys.append(JourneySpec(key, fields.texts("name"), fields.texts("instance", 80), steps))
    return tuple(journeys)


def _step(
    reading: Reading,
    node: Node,
    path: Path,
    journey: str,
    seen: dict[str, int],
    events: dict[str, tuple[str, int]],
    attributes: Collection[str],
) -> StepSpec:
    fields = Fields(reading, node, path, STEP_FIELDS, "A step")
    key = unique(reading, fields, "step", seen) or ""
    fields.missing("name")
    return StepSpec(
        key=key,
        name=fields.texts("name"),
        phase=fields.text("phase", 80),
        event=_event(fields, f"{journey}.{key}", events),
        attributes=_attributes(reading, fields, attributes),
        moment_of_truth=bool(fields.boolean("moment_of_truth")),
        tier=_tier(fields),
        sensitive=fields.duration("sensitive", least=timedelta(seconds=1)),
    )


def _event(fields: Fields, step: str, events: dict[str, tuple[str, int]]) -> str | None:
    name = fields.text("event", 200)
    if name is None:
        return None
    if name in events:
        owner, line = events[name]
        fields.refuse("event", f"The event {name!r} already belongs to the step {owner} on line {line}.")
    else:
        events[name] = (step, fields.nodes["event"].line)
    return name


def _attributes(reading: Reading, fields: Fields, known: Collection[str]) -> tuple[str, ...]:
    named: list[str] = []
    for item, path in fields.items("attributes", 100):
        name = one_line(reading, item, path, "attributes", 80)
        if name is None:
            continue
        if name not in known:
            reading.refuse(item, path, f"No dimension has an attribute {name!r}{reading.nearest(name, known)}")
        elif name in named:
            reading.refuse(item, path, f"The attribute {name!r} is named twice.")
        named.append(name)
    return tuple(named)


def _tier(fields: Fields) -> int:
    tier = fields.integer("tier", 1, 3)
    node = fields.scalar("moment_of_truth")
    if node is None or node.value is not True:
        return tier or USUAL_TIER
    if tier is not None and tier != 1:
        fields.refuse("tier", f"A moment of truth has tier 1, not {tier}: leave 'tier' out or 'moment_of_truth' false.")
    return 1
