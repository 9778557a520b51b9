"""A journey's map as a template draws it: columns, heights of whiskers, words of each step. No database, no request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.gates import Status
from surveyapp.domain.reasons import reason_label
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import ACROSS, Verdict, verdicts
from surveyapp.domain.vocabulary import Outcome
from surveyapp.queries.console.figures import Pair, Place
from surveyapp.queries.console.journeys import Counts, JourneyMap, MapStep, StepTrigger
from surveyapp.queries.console.turns import Turns
from surveyapp.queries.metrics import Figure, Sums
from surveyapp.web.admin import formats
from surveyapp.web.admin.figures import Drawn, drawn, scale_of, tone
from surveyapp.web.admin.words import channel_words

TOP, BOTTOM = 8.0, 144.0
FLOOR = 20.0
WIDEST_PHASE = 16
MOST_COLUMNS = 16


@dataclass(frozen=True)
class Plot:
    """Heights in the drawing, in pixels from its top. `ticks` are given when the step has a scale of its own."""

    point: float
    low: float
    high: float
    before: float | None
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class StepView:
    step: MapStep
    figure: Drawn | None
    before: Drawn | None
    verdict: Verdict | None
    plot: Plot | None
    moments: int
    heard: float
    asked: int
    waiting: int
    refused: int
    reasons: tuple[tuple[str, int], ...]
    asks: tuple[tuple[str, str], ...]
    deaf: str

    @property
    def stop(self) -> bool:
        """Whether this is a hard stop: nobody is asked here on purpose, and all asks rest afterwards."""
        return bool(self.deaf) and bool(self.step.sensitive_seconds)

    @property
    def tone(self) -> str:
        return tone(self.verdict)


@dataclass(frozen=True)
class PhaseView:
    name: str
    steps: tuple[StepView, ...]


@dataclass(frozen=True)
class MapView:
    phases: tuple[PhaseView, ...]
    stops: tuple[StepView, ...]
    columns: str
    floor: float
    ticks: tuple[tuple[float, str], ...]
    listened: int
    steps: int
    share: float | None
    changed: tuple[StepView, ...]
    compared: int
    offices: bool


def best_metric(step: MapStep, pairs: Mapping[Place, Pair], journey: str) -> str | None:
    """The metric the step is read by: the one with most answers now, else that of its first trigger."""
    found = {metric: pair for (metric, at, path), pair in pairs.items() if at == journey and path == step.path}
    if found:
        return max(found, key=lambda metric: (sum(found[metric].now.n.values()), metric))
    return step.triggers[0].metric if step.triggers else None


def change_verdicts(chosen: Mapping[str, tuple[str, Pair]], turns: Turns) -> dict[str, Verdict]:
    """The verdict of each named pair, corrected for reading them all at once; none across a structural break."""
    whole = {name: (m, pair.before.n, pair.now.n) for name, (m, pair) in chosen.items() if not turns.broken(m)}
    found = verdicts(whole)
    return {name: found.get(name, ACROSS) for name in chosen}


def map_view(
    journey: JourneyMap,
    pairs: Mapping[Place, Pair],
    moments: Mapping[int, int],
    decisions: Mapping[int, Counts],
    turns: Turns,
    words: Any,
) -> MapView:
    """The whole map. `words(moment)` says an instant."""
    metrics = {step.path: best_metric(step, pairs, journey.key) for step in journey.steps}
    empty = Pair(Sums(), Sums())
    chosen = {
        path: (metric, pairs.get((metric, journey.key, path), empty)) for path, metric in metrics.items() if metric
    }
    changes = change_verdicts(chosen, turns)
    figures = {path: pair.figures(metric) for path, (metric, pair) in chosen.items()}
    floor = _floor(figure for figure, _ in figures.values())
    views = [
        _step(step, figures.get(step.path), changes.get(step.path), floor, moments.get(step.id, 0), decisions, words)
        for step in journey.steps
    ]
    steps = [view for view in views if not view.stop]
    total = sum(view.moments for view in steps)
    heard = sum(view.moments for view in steps if not view.deaf)
    return MapView(
        tuple(_phases(steps)),
        tuple(view for view in views if view.stop),
        str(len(steps)) if len(steps) <= MOST_COLUMNS else "many",
        floor,
        tuple((height(tick, floor, 100), formats.number(tick)) for tick in _ticks(floor)),
        sum(not view.deaf for view in steps),
        len(steps),
        heard / total if total else None,
        tuple(view for view in steps if view.verdict and view.verdict.real),
        sum(1 for change in changes.values() if change.low is not None),
        any(step.details.get("front") or step.details.get("back") for step in journey.steps),
    )


def height(value: float, low: float, high: float) -> float:
    """Pixels from the top of the drawing for a value on the scale low…high."""
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _floor(figures: Any) -> float:
    lows = [f.low for f in figures if f.low is not None and METRICS[f.metric].headline == "share"]
    return 0.0 if any(low < FLOOR for low in lows) else FLOOR


def _ticks(floor: float) -> tuple[float, ...]:
    return (100, 75, 50, 25, 0) if floor == 0 else (100, 80, 60, 40, 20)


def _step(
    step: MapStep,
    figures: tuple[Figure, Figure] | None,
    change: Verdict | None,
    floor: float,
    moments: int,
    decisions: Mapping[int, Counts],
    words: Any,
) -> StepView:
    counts: dict[tuple[str, str | None], int] = {}
    for trigger in step.triggers:
        for key, count in decisions.get(trigger.id, {}).items():
            counts[key] = counts.get(key, 0) + count
    reasons = sorted(
        ((reason, n) for (outcome, reason), n in counts.items() if outcome == Outcome.REFUSED and reason),
        key=lambda pair: (-pair[1], pair[0]),
    )
    now, before = figures or (None, None)
    answered = now is not None and now.status != Status.NO_DATA
    return StepView(
        step,
        drawn(now) if now else None,
        drawn(before) if before else None,
        change if answered else None,
        _plot(now, before, floor) if now else None,
        moments,
        (now.n + now.provisional) / moments if now and moments else 0.0,
        _sum(counts, Outcome.ASKED),
        _sum(counts, Outcome.WAITING),
        _sum(counts, Outcome.REFUSED),
        tuple(reasons),
        tuple(_asks(trigger) for trigger in step.triggers if trigger.stopped_at is None),
        "" if step.listened or answered else _deaf(step, words),
    )


def _sum(counts: Mapping[tuple[str, str | None], int], outcome: str) -> int:
    return sum(n for (found, _), n in counts.items() if found == outcome)


def _deaf(step: MapStep, words: Any) -> str:
    if step.sensitive_seconds and not step.triggers:
        return f"All asks rest for {formats.duration(step.sensitive_seconds)} after it."
    stopped = next((trigger for trigger in step.triggers if trigger.stopped_at), None)
    if stopped and stopped.stopped_at:
        return f"The trigger {stopped.key} was stopped {words(stopped.stopped_at)}."
    return "No trigger exists for this step."


def _asks(trigger: StepTrigger) -> tuple[str, str]:
    names = formats.sentence_case(", ".join(channel_words(channel) for channel in trigger.channels))
    delay = formats.duration(trigger.delay_seconds)
    return trigger.channels[0] if trigger.channels else "", f"{names} · {delay}" + (
        "" if delay == "at once" else " after"
    )


def _plot(now: Figure, before: Figure | None, floor: float) -> Plot | None:
    if now.value is None or now.low is None or now.high is None:
        return None
    metric = METRICS[now.metric]
    bottom, top = (floor, 100.0) if metric.headline == "share" else scale_of(metric)
    own: tuple[tuple[float, str], ...] = ()
    if metric.headline != "share":
        own = tuple((height(v, bottom, top), formats.number(v)) for v in (top, (top + bottom) / 2, bottom))
    earlier = before.value if before and before.value is not None else None
    return Plot(
        height(now.value, bottom, top),
        height(now.low, bottom, top),
        height(now.high, bottom, top),
        height(earlier, bottom, top) if earlier is not None else None,
        own,
    )


def _phases(steps: list[StepView]) -> list[PhaseView]:
    """Neighbouring steps of one phase together; a very long phase in parts."""
    phases: list[list[StepView]] = []
    for view in steps:
        last = phases[-1] if phases else []
        if last and last[-1].step.phase == view.step.phase and len(last) < WIDEST_PHASE:
            last.append(view)
        else:
            phases.append([view])
    return [PhaseView(_phase_name(part[0].step.phase), tuple(part)) for part in phases]


def _phase_name(phase: str | None) -> str:
    return (phase or "").replace("_", " ").capitalize()


def reasons_words(reasons: tuple[tuple[str, int], ...], instance: str) -> str:
    """The first reason with its count, in small letters."""
    if not reasons:
        return ""
    code, count = reasons[0]
    return f"{reason_label(code, instance).lower()} {formats.number(count)}"
