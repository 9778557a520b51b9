"""A simulation's result made ready for drawing and for one paragraph in words. No database, no request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from surveyapp.domain.reasons import reason_label
from surveyapp.web.admin.formats import counted, number, percent, signed

OFTEN = 4
SOLID = 30
LEAST_LOSS, LEAST_SHARE = 3, 0.05  # fewer lost asks than this are nobody's loss
MOST_BARS = 12
LAST_COLUMN = 6
CHART = {"width": 520, "height": 220, "left": 44, "bottom": 30, "top": 12}

Name = Callable[[str], str]
Result = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Before → after, with what it means in a few words."""

    label: str
    before: str
    after: str
    words: str


@dataclass(frozen=True)
class Bar:
    """A row of two bars; widths are percent of the longest in its card."""

    label: str
    before: int
    after: int
    before_width: float
    after_width: float


@dataclass(frozen=True)
class Dot:
    """The precision of one step under both; positions are percent of the axis."""

    label: str
    before: float | None
    after: float | None
    target: float | None
    before_x: float | None
    after_x: float | None
    target_x: float | None
    words: str
    worse: bool
    beyond: bool


def pairs(result: Result, name: Name) -> list[Pair]:
    """The five figures that sum a simulation up."""
    now, then = result["current"], result["proposed"]
    asks, people = then["asked"] - now["asked"], then["customers_asked"] - now["customers_asked"]
    often = _often(result)
    before, after = (_at_least(column, often) for column in (now, then))
    return [
        Pair("Asks", number(now["asked"]), number(then["asked"]), _change(asks, now["asked"])),
        Pair(
            "Expected answers",
            number(now["expected_answers"]),
            number(then["expected_answers"]),
            _answers_words(result),
        ),
        Pair("People asked", number(now["customers_asked"]), number(then["customers_asked"]), _plain(people)),
        Pair(f"Contacted {often} times or more", number(before), number(after), _plain(after - before)),
        _targets(now, then, name),
    ]


def _often(result: Result) -> int:
    """From how many contacts on somebody counts as often contacted: four, or the most there were."""
    most = max(int(n) for column in ("current", "proposed") for n in (*result[column]["contacts_per_customer"], "2"))
    return max(2, min(OFTEN, most))


def _at_least(column: Mapping[str, Any], least: int) -> int:
    return sum(count for n, count in column["contacts_per_customer"].items() if int(n) >= least)


def _plain(difference: int) -> str:
    return signed(difference) if difference else "no change"


def _change(difference: int, before: int) -> str:
    if not difference:
        return "no change"
    return f"{signed(difference)}, {_share(difference, before)}" if before else signed(difference)


def _share(difference: float, before: float) -> str:
    return ("+" if difference > 0 else "−") + percent(abs(difference) / before)


def _answers_words(result: Result) -> str:
    difference = result["proposed"]["expected_answers"] - result["current"]["expected_answers"]
    if not round(difference):
        return "no change to speak of"
    change = result["expected_answers_change"]
    sure = change["low"] > 0 or change["high"] < 0
    between = f"{signed(change['low'])} to {signed(change['high'])}"
    return f"{signed(difference)} ({between})" if sure else f"{signed(difference)}, undecidable"


def _targets(now: Mapping[str, Any], then: Mapping[str, Any], name: Name) -> Pair:
    aimed = [place for place, step in now["steps"].items() if step["target"] is not None]
    if not aimed:
        heard = [sum(step["expected_answers"] >= SOLID for step in column["steps"].values()) for column in (now, then)]
        return Pair(
            "Steps with 30 answers", number(heard[0]), number(heard[1]), f"of {len(now['steps'])}; no target is set"
        )
    before, after = ({p for p in aimed if column["steps"][p]["on_target"]} for column in (now, then))
    moves = [f"{name(p)} in" for p in sorted(after - before)] + [f"{name(p)} out" for p in sorted(before - after)]
    words = ", ".join(moves[:3]) or "the same steps"
    return Pair("Steps on target", f"{len(before)} of {len(aimed)}", f"{len(after)} of {len(aimed)}", words)


def bars(before: Mapping[str, int], after: Mapping[str, int], name: Name) -> list[Bar]:
    """Rows for a card of bars, the largest first; beyond twelve the rest are summed up."""
    keys = sorted({*before, *after}, key=lambda key: (-max(before.get(key, 0), after.get(key, 0)), key))
    rows = [(name(key), before.get(key, 0), after.get(key, 0)) for key in keys]
    if len(rows) > MOST_BARS:
        rest = rows[MOST_BARS - 1 :]
        rows = rows[: MOST_BARS - 1] + [
            (f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest))
        ]
    longest = max((max(row[1:]) for row in rows), default=0) or 1
    return [Bar(label, a, b, round(100 * a / longest, 2), round(100 * b / longest, 2)) for label, a, b in rows]


def refusals(result: Result) -> list[Bar]:
    """Refusals per rule, under both."""
    return bars(result["current"]["refused"], result["proposed"]["refused"], reason_label)


def contacts(result: Result) -> dict[str, Any]:
    """The columns of customers by number of contacts, with their geometry in the chart's own units."""
    columns = [_by_number(result[name]["contacts_per_customer"]) for name in ("current", "proposed")]
    last = max(2, max(max(column, default=0) for column in columns))
    top = _round_up(max((n for column in columns for n in column.values()), default=1))
    room = (CHART["width"] - CHART["left"]) / (last + 1)
    wide = min(24.0, room * 0.36)
    floor = CHART["height"] - CHART["bottom"]
    scale = (floor - CHART["top"]) / top
    found = []
    for n in range(last + 1):
        middle = CHART["left"] + room * (n + 0.5)
        heights = [round(column.get(n, 0) * scale, 1) for column in columns]
        found.append(
            {
                "label": f"{n}+" if n == LAST_COLUMN else str(n),
                "before": columns[0].get(n, 0),
                "after": columns[1].get(n, 0),
                "x": round(middle, 1),
                "boxes": [
                    (kind, round(middle + at, 1), round(floor - high, 1), round(wide, 1), high)
                    for kind, at, high in zip(("cur", "new"), (-wide - 1, 1), heights, strict=True)
                ],
            }
        )
    lines = [(number(top * part // 4), round(floor - top * part / 4 * scale, 1)) for part in range(5)]
    return {"columns": found, "lines": lines, "floor": floor, **CHART}


def _by_number(distribution: Mapping[str, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for contacts_had, count in distribution.items():
        n = min(int(contacts_had), LAST_COLUMN)
        found[n] = found.get(n, 0) + count
    return found


def _round_up(value: int) -> int:
    """The next number that four gridlines divide evenly."""
    step = 4
    while step * 10 < value:
        step *= 10
    return max(step, ceil(value / step) * step)


def precision(result: Result, name: Name) -> dict[str, Any]:
    """Half-width per step against its target, on an axis that ends at the widest of use."""
    now, then = result["current"]["steps"], result["proposed"]["steps"]
    known = [s["half_width"] for column in (now, then) for s in column.values() if s["half_width"] is not None]
    targets = [s["target"] for s in now.values() if s["target"] is not None]
    top = max(5, 5 * ceil(min(max([*known, *targets], default=5), 30) / 5))

    def place(value: float | None) -> float | None:
        return None if value is None else round(100 * min(value, top) / top, 2)

    rows = []
    for key in sorted(now, key=lambda place: (-then[place]["expected_answers"], place)):
        before, after, target = now[key]["half_width"], then[key]["half_width"], now[key]["target"]
        words, worse = _precision_words(before, after, target)
        beyond = any(value is not None and value > top for value in (before, after))
        rows.append(
            Dot(
                name(key),
                before,
                after,
                target,
                place(before),
                place(after),
                place(target) if target is not None else None,
                words,
                worse,
                beyond,
            )
        )
    return {
        "rows": rows,
        "top": top,
        "ticks": [(tick, 100 * tick / top) for tick in range(0, top + 1, 5 if top <= 15 else 10)],
    }


def _precision_words(before: float | None, after: float | None, target: float | None) -> tuple[str, bool]:
    if after is None:
        return ("nobody is asked", before is not None)
    if target is not None:
        reached, was = after <= target, before is not None and before <= target
        return {
            (True, True): ("on target", False),
            (True, False): ("reached now", False),
            (False, True): ("below target", True),
            (False, False): ("not reached", False),
        }[reached, was]
    if before is None:
        return ("heard now", False)
    return (
        (f"±{number(before, 1)} to ±{number(after, 1)}", False) if abs(after - before) >= 0.1 else ("the same", False)
    )


def paragraph(result: Result, name_trigger: Name, name_step: Name) -> list[str]:
    """What the draft changes, in sentences; the last ones name who loses by it."""
    now, then = result["current"], result["proposed"]
    if now == then:
        return [
            f"The draft changes nothing in this period: the same {counted(now['asked'], 'ask')}, the same refusals."
        ]
    return [_asks_sentence(result), *_target_sentences(now, then, name_step), _loser(result, name_trigger, name_step)]


def _asks_sentence(result: Result) -> str:
    now, then, change = result["current"], result["proposed"], result["expected_answers_change"]
    asks = then["asked"] - now["asked"]
    if asks:
        share = f" ({_share(asks, now['asked'])})" if now["asked"] else ""
        amount = f"{number(abs(asks))} {'more' if asks > 0 else 'fewer'} {'ask' if abs(asks) == 1 else 'asks'}"
        first = f"The draft makes {amount}{share}"
    else:
        first = f"The draft asks as often, {counted(now['asked'], 'time')}, but not always at the same moments,"
    answers = round(then["expected_answers"] - now["expected_answers"])
    if not answers:
        return f"{first} and expects as many answers."
    sure = change["low"] > 0 or change["high"] < 0
    interval = f"{signed(change['low'])} to {signed(change['high'])}"
    amount = f"{number(abs(answers))} {'more' if answers > 0 else 'fewer'} answers"
    return f"{first} and expects {amount} ({interval if sure else f'undecidable: {interval}'})."


def _target_sentences(now: Mapping[str, Any], then: Mapping[str, Any], name: Name) -> list[str]:
    found = []
    for key, step in now["steps"].items():
        after = then["steps"][key]
        if step["target"] is None or step["on_target"] == after["on_target"]:
            continue
        widths = f"±{_width(step)} to ±{_width(after)}, target ±{number(step['target'], 1)}"
        found.append(f"{name(key)} {'reaches its target' if after['on_target'] else 'drops out'} ({widths}).")
    return found


def _width(step: Mapping[str, Any]) -> str:
    return "∞" if step["half_width"] is None else number(step["half_width"], 1)


def _loser(result: Result, name_trigger: Name, name_step: Name) -> str:
    """The one who pays for the change: the ask that loses most, else the people who are asked more often."""
    now, then = result["current"], result["proposed"]
    losses = {
        key: before - then["asked_by_trigger"].get(key, 0)
        for key, before in now["asked_by_trigger"].items()
        if before - then["asked_by_trigger"].get(key, 0) >= max(LEAST_LOSS, LEAST_SHARE * before)
    }
    if losses:
        worst = max(sorted(losses), key=lambda key: (losses[key] / now["asked_by_trigger"][key], losses[key]))
        before, after = now["asked_by_trigger"][worst], then["asked_by_trigger"].get(worst, 0)
        others = f"; {counted(len(losses) - 1, 'other ask')} lose too" if len(losses) > 1 else ""
        return f"The loser is “{name_trigger(worst)}”: {number(before)} asks become {number(after)}{others}."
    often = _often(result)
    before, after = (_at_least(column, often) for column in (now, then))
    if after > before:
        people = f"{number(before)} people contacted {often} times or more become {number(after)}"
        return f"No step loses to speak of; the customers do: {people}."
    return "Nobody loses to speak of: no trigger asks much less and no more people are contacted often."
