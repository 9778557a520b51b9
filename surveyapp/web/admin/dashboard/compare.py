"""`/admin/metrics/KEY/compare`: two groups of one period, and two periods of the same answers, with a verdict each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from surveyapp.domain import gates, scores
from surveyapp.domain.verdicts import ACROSS, NOT_COMPUTED, Verdict, difference_of, places_of
from surveyapp.extensions import db
from surveyapp.queries.console.dashboard import pairs_by
from surveyapp.queries.console.figures import Pair, Period
from surveyapp.queries.metrics import MOST_GROUPS, Sums, TooManyGroups, drawn, hidden
from surveyapp.web.admin import figures, formats
from surveyapp.web.admin.dashboard import series
from surveyapp.web.admin.dashboard.address import Asked, Reader, done, read
from surveyapp.web.admin.dashboard.frame import Names, blueprint, known_metric, names_of, period_words, refuse, show
from surveyapp.web.admin.dashboard.keeping import breaks_of
from surveyapp.web.admin.dashboard.metric import compared, detectable_words, figure_cells, new_versions
from surveyapp.web.admin.dashboard.tables import Cell, Table
from surveyapp.web.admin.turns import versions_sentence

MOST_PLANNED = 1_000_000


@dataclass(frozen=True)
class Side:
    label: str
    drawn: figures.Drawn
    figure: Any
    url: str | None


@dataclass(frozen=True)
class Comparison:
    """First minus second, in words. `broken` is the break that lies between two periods."""

    title: str
    first: Side
    second: Side
    verdict: Verdict
    sentence: str
    broken: str = ""

    @property
    def tone(self) -> str:
        return figures.tone(self.verdict)


@blueprint.get("/<key>/compare")
def compare(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key), "by", "a", "b", "from_b", "to_b", "planned")
    names = names_of(asked)
    by = reader.dimension("by", "channel") or "channel"
    a, b = reader.text("a"), reader.text("b")
    planned = reader.whole("planned", MOST_PLANNED)
    other = _other_period(reader, asked)
    if a is not None and a == b:
        reader.wrong("b", "is the same group as a; choose another")
    asked = done(asked, reader, by=by)
    if asked.problems:
        return refuse(asked, asked.problems)
    try:
        groups = {p[0]: pair for p, pair in pairs_by(db.session(), asked.scope, asked.now, other, (by,)).items()}
    except TooManyGroups:
        return refuse(asked, [f"by: this gives more than {MOST_GROUPS} groups; choose another dimension"])
    names_by = {_text(value): value for value in groups if scores.answers(groups[value].now.n)}
    missing = [f"{name}: no answer of these days has {names.dimension(by).lower()} '{value[:60]}'"
               for name, value in (("a", a), ("b", b)) if value is not None and value not in names_by]  # fmt: skip
    if missing:
        return refuse(asked, missing)
    pick = _pick(groups, names_by, a, b)
    enough = max(planned or 0, gates.SOLID)
    found = [_groups(asked, names, by, groups, *pick, enough)] if pick else []
    found.append(_periods(asked, names, groups, other, enough))
    table = _table(asked, found)
    return show(
        "admin/metrics/compare.html",
        asked,
        {table.name: table},
        names,
        by=by,
        comparisons=found,
        options=[(_text(value), names.group(by, value)) for value in names.order(by, list(names_by.values()))],
        picked=[_text(value) for value in pick] if pick else ["", ""],
        other=other,
        planned=planned,
    )


def _other_period(reader: Reader, asked: Asked) -> Period:
    """The second period: days of one's own, else the one just before."""
    own = reader.span("from_b", "to_b") or asked.before
    if own.first <= asked.now.last and asked.now.first <= own.last:
        shared = (min(own.last, asked.now.last) - max(own.first, asked.now.first)).days + 1
        days = formats.counted(shared, "day")
        reader.wrong("from_b", f"the two periods share {days}; the same answers would stand on both sides")
    return own


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _pick(groups: Mapping[Any, Pair], there: Mapping[str, Any], a: str | None, b: str | None) -> tuple[Any, Any] | None:
    """The two groups asked for; the largest ones where nothing was said. None where there are not two."""
    by_size = sorted(there, key=lambda text: (-scores.answers(groups[there[text]].now.n), text))
    first = a if a is not None else next((text for text in by_size if text != b), None)
    second = b if b is not None else next((text for text in by_size if text != first), None)
    if first is None or second is None:
        return None
    return there[first], there[second]


def _groups(
    asked: Asked, names: Names, by: str, groups: Mapping[Any, Pair], first: Any, second: Any, enough: int
) -> Comparison:
    """Two groups of the same days. A group that the breakdown would hide is hidden here, too."""
    away = gates.hidden({value: scores.answers(p.now.n) for value, p in groups.items()}, gates.floor_of(asked.metric))
    sides = []
    for value in (first, second):
        figure = drawn(asked.metric, groups[value].now)
        figure = hidden(figure) if value in away else figure
        sides.append(Side(names.group(by, value), figures.drawn(figure), figure, asked.answers_url(**{by: value})))
    note = "Compare within a country: scales are used differently across languages." if by == "language" else ""
    title = f"{sides[0].label} and {sides[1].label}"
    return _judged(asked, title, sides, groups[second].now, groups[first].now, enough, note)


def _periods(asked: Asked, names: Names, groups: Mapping[Any, Pair], other: Period, enough: int) -> Comparison:
    parts = [joined_side(groups, "now"), joined_side(groups, "before")]
    sides = []
    for sums, period in zip(parts, (asked.now, other), strict=True):
        figure = drawn(asked.metric, sums)
        url = asked.answers_url(period) if figure.n else None
        sides.append(Side(period_words(period), figures.drawn(figure), figure, url))
    breaks = breaks_of(asked.metric)
    first, last = min(asked.now.first, other.first), max(asked.now.last, other.last)
    broken = series.between(breaks, first, last)
    title = f"{sides[0].label} and {sides[1].label}"
    between = [new for new in new_versions(names, asked, first + timedelta(days=1)) if new[0] <= last]
    found = _judged(asked, title, sides, parts[1], parts[0], enough, versions_sentence(between))
    if broken and not asked.across:
        sentence = f"“{broken[0].name}” lies between: asks before it differ in kind."
        return Comparison(title, sides[0], sides[1], ACROSS, sentence, broken[0].name)
    return found


def joined_side(groups: Mapping[Any, Pair], side: str) -> Sums:
    """The sums of all groups of one period."""
    whole = Sums()
    for pair in groups.values():
        sums: Sums = getattr(pair, side)
        for score, n in sums.n.items():
            whole.add(score, n, sums.w[score], sums.w2[score])
        whole.provisional += sums.provisional
    return whole


def _judged(asked: Asked, title: str, sides: list[Side], before: Sums, now: Sums, enough: int, note: str) -> Comparison:
    """First minus second: the verdict, its p, what these samples could have shown."""
    if not all(side.drawn.shown for side in sides):
        why = [f"{side.label}: {side.drawn.sentence}" for side in sides if not side.drawn.shown]
        return Comparison(title, sides[0], sides[1], NOT_COMPUTED, f"No difference is shown. {'. '.join(why)}.")
    words = compared(asked.metric, before, now, enough=enough)
    difference = difference_of(asked.metric, before.n, now.n)
    parts = [f"{sides[0].label} minus {sides[1].label}"]
    if words.low is not None and difference is not None:
        parts.append(f"p {p_words(difference.p)}, one comparison")
    sentence = f"{', '.join(parts)}. {detectable_words(asked.metric, before, now)} {note}"
    return Comparison(title, sides[0], sides[1], words, sentence.strip())


def p_words(p: float) -> str:
    """`= .014`, or `< .001`."""
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".")


def _table(asked: Asked, found: Sequence[Comparison]) -> Table:
    places = places_of(asked.metric)
    rows = [
        [
            Cell(side.label, side.label),
            *figure_cells(side.figure, places),
            Cell(formats.number(side.figure.n), side.figure.n, side.url),
            Cell(comparison.verdict.words, comparison.verdict.words),
        ]
        for comparison in found
        for side in (comparison.first, comparison.second)
    ]
    return Table("compare", "Comparisons", ("side", "value", "low", "high", "n", "first minus second"), rows)
