"""Reads triggers from a programme file: which step or period, which survey, by which channels, when and for whom."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from surveyapp.domain.durations import format_duration
from surveyapp.domain.programme.brand import unique
from surveyapp.domain.programme.fields import Fields, Reading, scalar_value, shown
from surveyapp.domain.programme.specs import StepSpec, TargetSpec, TriggerSpec
from surveyapp.domain.programme.tree import Node, Path, Scalar, Table
from surveyapp.domain.vocabulary import Channel

TRIGGER_FIELDS = (
    "key", "step", "every", "survey", "channels", "delay", "expires", "sample", "per", "where", "reminder",
    "blocked", "reserve", "tier", "priority", "web_for",
)  # fmt: skip
BLOCKED = ("drop", "wait", "next_channel")
DAY = timedelta(days=1)
MOMENT = timedelta(seconds=1)


def read_triggers(
    reading: Reading, top: Fields, steps: Mapping[str, StepSpec], surveys: Collection[str]
) -> tuple[TriggerSpec, ...]:
    """The triggers in file order. `steps` (by long form) and `surveys` are what they may name."""
    seen: dict[str, int] = {}
    return tuple(_trigger(reading, node, path, seen, steps, surveys) for node, path in top.items("triggers", 2000))


def _trigger(
    reading: Reading,
    node: Node,
    path: Path,
    seen: dict[str, int],
    steps: Mapping[str, StepSpec],
    surveys: Collection[str],
) -> TriggerSpec:
    fields = Fields(reading, node, path, TRIGGER_FIELDS, "A trigger")
    key = unique(reading, fields, "trigger", seen) or ""
    step = _step(fields, steps)
    every = fields.duration("every", least=DAY)
    channels = _channels(reading, fields)
    spec = TriggerSpec(
        key=key,
        survey=_survey(fields, surveys),
        channels=channels,
        step=step,
        every=every,
        delay=fields.duration("delay") or timedelta(0),
        expires=fields.duration("expires"),
        sample=_sample(reading, fields),
        per=fields.duration("per", least=MOMENT),
        where=_where(reading, fields),
        reminder_after=_reminder(reading, fields),
        blocked=fields.choice("blocked", BLOCKED) or "drop",
        reserve=fields.duration("reserve"),
        tier=fields.integer("tier", 1, 3),
        priority=fields.integer("priority", -1000, 1000) or 0,
        web_for=fields.duration("web_for", least=MOMENT),
    )
    _agree(fields, spec, steps)
    return spec


def _step(fields: Fields, steps: Mapping[str, StepSpec]) -> str | None:
    """The step's long form; a trigger without one needs `every`, and none has both."""
    if fields.given("every") and fields.given("step"):
        fields.refuse("step", "A trigger has a step or, for a recurring survey, 'every'; this one has both.")
    if not fields.given("step"):
        if fields.usable and not fields.given("every"):
            fields.refuse("step", "A trigger needs a step or, for a recurring survey, 'every'.")
        return None
    path = fields.text("step", 161)
    if path is None or path in steps:
        return path
    journey, dot, _ = path.partition(".")
    if not dot:
        whole = next((known for known in steps if known.endswith("." + path)), "journey.step")
        fields.refuse("step", f"A step is written with its journey, such as {whole!r}, not {path!r}.")
    elif not any(known.startswith(journey + ".") for known in steps):
        fields.refuse("step", f"There is no journey {journey!r}{fields.reading.nearest(path, steps)}")
    else:
        fields.refuse("step", f"There is no step {path!r}{fields.reading.nearest(path, steps)}")
    return None


def _survey(fields: Fields, surveys: Collection[str]) -> str:
    if fields.missing("survey"):
        return ""
    key = fields.text("survey", 80)
    if key is not None and key not in surveys:
        fields.refuse("survey", f"There is no survey {key!r}{fields.reading.nearest(key, surveys)}")
    return key or ""


def _channels(reading: Reading, fields: Fields) -> tuple[str, ...]:
    known = [channel.value for channel in Channel]
    if fields.missing("channels"):
        return ()
    channels: list[str] = []
    nodes = list(fields.items("channels"))
    for node, path in nodes:
        word = node.value if isinstance(node, Scalar) else None
        if word not in known:
            near = reading.nearest(node.text, known) if isinstance(node, Scalar) else "."
            reading.refuse(node, path, f"A channel is one of {', '.join(known)}, not {shown(node)}{near}")
        elif word in channels:
            reading.refuse(node, path, f"The channel {word!r} is named twice.")
        else:
            channels.append(str(word))
    if not nodes and not isinstance(fields.nodes["channels"], (Scalar, Table)):
        fields.refuse("channels", f"A trigger needs at least one channel of {', '.join(known)}.")
    return tuple(channels)


def _sample(reading: Reading, fields: Fields) -> float | TargetSpec:
    node = fields.nodes.get("sample")
    if isinstance(node, Table):
        target = Fields(reading, node, (*fields.path, "sample"), ("target_half_width", "per"), "A sample target")
        target.missing("target_half_width")
        target.missing("per")
        width = target.number("target_half_width", 0, 100)
        per = target.duration("per", least=DAY)
        if fields.given("per"):
            fields.refuse("per", "A sample target has its own 'per'; leave out the trigger's.")
        return TargetSpec(width or 1.0, per or DAY)
    if node is not None and (not isinstance(node, Scalar) or type(node.value) not in (int, float)):
        sentence = "'sample' is a share above 0 and at most 1, or {target_half_width, per}"
        fields.refuse("sample", f"{sentence}, not {shown(node)}.")
        return 1.0
    return fields.number("sample", 0, 1) or 1.0


def _where(reading: Reading, fields: Fields) -> Mapping[str, object]:
    node = fields.nodes.get("where")
    if node is None:
        return {}
    path = (*fields.path, "where")
    if not isinstance(node, Table):
        reading.refuse(node, path, f"'where' maps names of attributes or properties to values, not {shown(node)}.")
        return {}
    return {name.text: scalar_value(reading, value, (*path, name.text), name.text) for name, value in node.entries}


def _reminder(reading: Reading, fields: Fields) -> timedelta | None:
    node = fields.nodes.get("reminder")
    if node is None:
        return None
    if not isinstance(node, Table):
        fields.refuse("reminder", f"There is at most one reminder, written {{after: 3d}}, not {shown(node)}.")
        return None
    reminder = Fields(reading, node, (*fields.path, "reminder"), ("after",), "A reminder")
    reminder.missing("after")
    return reminder.duration("after", least=MOMENT)


def _agree(fields: Fields, spec: TriggerSpec, steps: Mapping[str, StepSpec]) -> None:
    """Refuses fields that are right one by one and contradict each other."""
    if spec.expires is not None and spec.expires < spec.delay:
        expires, delay = format_duration(spec.expires), format_duration(spec.delay)
        sentence = f"'expires' ({expires}) is shorter than 'delay' ({delay})"
        fields.refuse("expires", f"{sentence}: both run from the event, so nobody could ever be asked.")
    step = steps.get(spec.step or "")
    if step is not None and step.moment_of_truth and spec.tier not in (None, 1):
        fields.refuse("tier", f"{spec.step} is a moment of truth and has tier 1, not {spec.tier}.")
    if spec.reserve is not None and fields.usable and spec.every is None and not fields.given("every"):
        fields.refuse("reserve", "'reserve' holds a slot for a recurring survey; this trigger has no 'every'.")
    if spec.reserve is not None and spec.every is not None and spec.reserve >= spec.every:
        reserve, every = format_duration(spec.reserve), format_duration(spec.every)
        fields.refuse("reserve", f"'reserve' ({reserve}) must be shorter than 'every' ({every}).")
    if spec.web_for is not None and "web" not in spec.channels:
        fields.refuse("web_for", "'web_for' is how long other channels wait for the web; the channels name no web.")
