"""`/admin/metrics/KEY`: one figure with its interval, what changed, its weeks, its answers by score, and its mix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import url_for
from flask_login import current_user

from surveyapp.domain import gates, intervals, sample_size, scores
from surveyapp.domain.differences import Decomposition, decomposed
from surveyapp.domain.gates import Status
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import ACROSS, NOT_COMPUTED, Verdict, difference_of, places_of, verdict
from surveyapp.extensions import db
from surveyapp.queries import metrics
from surveyapp.queries.console.dashboard import daily_sums, pairs_by, summed
from surveyapp.queries.console.figures import Pair, Period, joined
from surveyapp.queries.metrics import Figure, Key, Sums, drawn, part_of
from surveyapp.web.admin import figures, formats, shell
from surveyapp.web.admin.dashboard import charts, series
from surveyapp.web.admin.dashboard.address import Asked, done, read, whole_up
from surveyapp.web.admin.dashboard.complaints import beside
from surveyapp.web.admin.dashboard.frame import Names, blueprint, known_metric, names_of, refuse, show
from surveyapp.web.admin.dashboard.keeping import WRITERS, breaks_of
from surveyapp.web.admin.dashboard.series import Break, Point
from surveyapp.web.admin.dashboard.tables import Cell, Table
from surveyapp.web.admin.turns import version_name, versions_sentence

LEVEL = 0.5
"""Points by which a weighted figure may differ from the plain one and still be called the same."""


@dataclass(frozen=True)
class Change:
    """The figure against the period before: in words, and what these two groups could have shown."""

    verdict: Verdict
    before: figures.Drawn
    sentence: str
    broken: Sequence[Break] = ()


@blueprint.get("/<key>")
def metric(key: str) -> Any:
    session = db.session()
    asked, reader = read(session, known_metric(key), "mix")
    names = names_of(asked)
    split = reader.dimension("mix", "channel") or "channel"
    asked = done(asked, reader, mix=split)
    if asked.problems:
        return refuse(asked, asked.problems)
    breaks = breaks_of(key)
    monday = asked.now.last - timedelta(days=asked.now.last.weekday() + 7 * (series.WEEKS - 1))
    first = min(monday, asked.now.first - timedelta(days=asked.now.first.weekday()))
    read_from = min(first, asked.before.first)
    days = daily_sums(session, asked.scope, Period(read_from, asked.now.last))
    now, before = (summed(days, period.first, period.last) for period in (asked.now, asked.before))
    figure = drawn(key, now)
    settled = series.open_since(shell.today(), asked.filters.channel)
    weeks = series.points(key, days, _start(days, first), asked.now.last, breaks, settled)
    marks = new_versions(names, asked, first)
    moved = pairs_by(session, asked.scope, asked.now, asked.before, (split,))
    change = _change(asked, now, before, breaks, new_versions(names, asked, since_of(asked)))
    mixture = _mix(asked, moved, names, split, change)
    tables = [_weeks_table(asked, weeks), _distribution_table(asked, figure), *([mixture["table"]] if mixture else [])]
    return show(
        "admin/metrics/metric.html",
        asked,
        {table.name: table for table in tables},
        names,
        figure=figures.drawn(figure),
        change=change,
        weighted=_weighted(session, asked, figure),
        may_decide=current_user.role in WRITERS,
        decide_url=url_for("dashboard.keep_decision", key=key, **asked.query()),
        complaints=beside(session, asked, change.verdict),
        trend=charts.trend(key, weeks, breaks, marks, shell.today()),
        bars=charts.distribution(key, figure.histogram) if figure.histogram else None,
        classes=_classes(key, figure),
        mix=mixture,
        split=split,
        settled=settled if settled <= asked.now.last else None,
        marks=marks,
        tone=figures.tone(change.verdict),
        scale_ends=_ends(key),
        reach_url=url_for("dashboard.reach", key=key, **asked.query()),
        changes_url=url_for("dashboard.changes", key=key, **asked.query()),
        funnel_url=url_for("dashboard.funnel", key=key, **asked.query()),
    )


def _start(days: Mapping[date, Sums], first: date) -> date:
    """The Monday the series starts on: `first`, or later where the first answers came later."""
    began = next((day for day, sums in days.items() if day >= first and sums.n), first)
    return began - timedelta(days=began.weekday())


def _ends(metric: str) -> list[str]:
    """What stands under the whole scale: its ends, and nought where it lies between."""
    low, high = figures.scale_of(METRICS[metric])
    middle = [0.0] if low < 0 < high else []
    return [formats.number(value) for value in (low, *middle, high)]


def since_of(asked: Asked) -> date:
    """From this day on a new version lies between the two periods."""
    return asked.before.first + timedelta(days=1)


def new_versions(names: Names, asked: Asked, first: date) -> list[tuple[date, str]]:
    """The days since `first` on which a survey of this metric got a new version; none where one version is chosen."""
    if asked.filters.version is not None:
        return []
    found = []
    for version in names.choices.versions:
        day = formats.local(version.published_at, shell.zone()).date()
        wanted = asked.filters.survey in (None, version.survey)
        if version.number > 1 and wanted and first <= day <= asked.now.last:
            found.append((day, version_name(version.survey, version.number)))
    return found


def compared(metric: str, before: Sums, now: Sums, *, enough: int = gates.SOLID, p: float | None = None) -> Verdict:
    """The verdict on two sums, now against before."""
    known = METRICS[metric]
    sizes = scores.answers(before.n), scores.answers(now.n)
    found = difference_of(metric, before.n, now.n)
    return verdict(found, *sizes, better=known.better, places=places_of(metric), enough=enough, p=p)


def detectable_words(metric: str, before: Sums, now: Sums) -> str:
    """What two groups of these sizes could have shown, in one sentence; nothing where one is hidden."""
    floor = gates.floor_of(metric)
    least = sample_size.seen_by(METRICS[metric], before.n, now.n)
    if least is None or min(scores.answers(before.n), scores.answers(now.n)) < floor:
        return ""
    if METRICS[metric].headline == "mean":
        return f"With these two samples only a change of {formats.number(least + 0.05, 1)} or more could be seen."
    points = formats.counted(whole_up(least), "point")
    return f"With these two samples only a change of {points} or more could be seen."


def _change(asked: Asked, now: Sums, before: Sums, breaks: Sequence[Break], new: Sequence[tuple[date, str]]) -> Change:
    earlier = figures.drawn(drawn(asked.metric, before))
    broken = series.between(breaks, asked.before.first, asked.now.last)
    length = formats.counted(asked.length, "day")
    if earlier.shown:
        unit = formats.THIN + "%" if earlier.unit else ""
        numbers = f"{earlier.value}{unit} ({earlier.interval}, n {formats.number(earlier.n)})"
        against = f"Against {numbers} in the {length} before."
    elif earlier.status == Status.NO_DATA:
        return Change(NOT_COMPUTED, earlier, f"Nothing to compare with: no answers in the {length} before.")
    else:
        against = f"The {length} before are hidden: {earlier.hidden}."
    if broken and not asked.across:
        return Change(
            ACROSS, earlier, f"{against} “{broken[0].name}” lies between: asks before it differ in kind.", broken
        )
    words = compared(asked.metric, before, now)
    told = [against, detectable_words(asked.metric, before, now), versions_sentence(new)]
    return Change(words, earlier, " ".join(part for part in told if part), broken)


def _weighted(session: Any, asked: Asked, plain: Figure) -> dict[str, Any] | None:
    """The figure weighted by 1 ÷ the chance of being asked, and one sentence on the difference."""
    if plain.value is None:
        return None
    found = metrics.report(session, asked.metric, asked.dated, weighted=True)
    figure = found.total
    n_eff = formats.number(figure.n_eff)
    if figure.value is None:
        sentence = (
            f"Refused: these answers are worth only {n_eff} after weighting, and under 30 a weighted figure misleads."
        )
        return {"figure": None, "n_eff": n_eff, "sentence": sentence}
    shift = figure.value - plain.value
    if abs(figure.n_eff - plain.n) < 1e-6 * plain.n:
        sentence = "The same: as far as we know, every event had the same chance of being asked."
    elif abs(shift) < LEVEL * (0.02 if METRICS[asked.metric].headline == "mean" else 1):
        sentence = "Nearly the same: chances of being asked differ, but hardly with the score."
    else:
        way = "lower" if shift < 0 else "higher"
        sentence = f"Weighted is {way}: answers that stand for many events not asked have {way} scores than the others."
    if found.trimmed_at is not None and found.trimmed_at > 1:
        most = formats.number(found.trimmed_at, 0 if found.trimmed_at >= 10 else 1)
        sentence += f" No answer counts more than {most} times."
    return {"figure": figures.drawn(replace(figure, status=Status.OK)), "n_eff": n_eff, "sentence": sentence}


def _classes(metric: str, figure: Figure) -> list[dict[str, Any]]:
    """The three classes of scores with their shares and Wilson's intervals."""
    if not figure.histogram:
        return []
    known = METRICS[metric]
    names = (
        {"unf": "Detractors", "mid": "Passives", "fav": "Promoters"}
        if known.headline == "nps"
        else {"unf": "Unfavourable", "mid": "Between", "fav": "Favourable"}
    )
    found = []
    for name, label in names.items():
        own = [score for score in known.scale if charts.class_of(metric, score) == name]
        if not own:
            continue
        count = sum(figure.histogram.get(score, 0) for score in own)
        interval = intervals.wilson(count, figure.n)
        found.append(
            {
                "class": name,
                "label": f"{label} {formats.span(own[0], own[-1]) if len(own) > 1 else formats.number(own[0])}",
                "share": formats.percent(count / figure.n),
                "interval": formats.span(interval.low, interval.high),
            }
        )
    return found


def _weeks_table(asked: Asked, weeks: Sequence[Point]) -> Table:
    places = places_of(asked.metric)
    rows = []
    for point in weeks:
        figure = point.figure
        url = asked.answers_url(Period(point.first, point.last)) if figure.n else None
        rows.append(
            [
                Cell(formats.day_words(point.first, shell.today()), point.first.isoformat()),
                Cell(part_of("week", point.first), part_of("week", point.first)),
                *figure_cells(figure, places),
                Cell(formats.number(figure.n), figure.n, url),
                Cell(week_note(point), week_note(point)),
            ]
        )
    columns = ("from", "ISO week", "value", "low", "high", "n", "note")
    return Table("weeks", "By week", columns, rows)


def week_note(point: Point) -> str:
    words = {
        Status.NO_DATA: "no answers",
        Status.SUPPRESSED: "hidden",
        Status.LOW_N: "fewer than 30 answers",
        Status.OK: "",
    }[point.figure.status]
    return ", ".join(part for part in (words, "may still change" if point.open and point.figure.n else "") if part)


def figure_cells(figure: Figure, places: int) -> list[Cell]:
    """Value, low and high; empty where nothing may be shown."""
    return [
        Cell("" if value is None else formats.number(value, places), None if value is None else round(value, 4))
        for value in (figure.value, figure.low, figure.high)
    ]


def _distribution_table(asked: Asked, figure: Figure) -> Table:
    rows = []
    for score in METRICS[asked.metric].scale if figure.histogram else ():
        count = (figure.histogram or {}).get(score, 0)
        interval = intervals.wilson(count, figure.n)
        rows.append(
            [
                Cell(formats.number(score), score),
                Cell(formats.number(count), count, asked.answers_url(score=score) if count else None),
                Cell(formats.percent(count / figure.n), round(100 * count / figure.n, 4)),
                Cell(formats.span(interval.low, interval.high), f"{interval.low:.4f}–{interval.high:.4f}"),
            ]
        )
    return Table("distribution", "Answers by score", ("score", "answers", "percent", "interval"), rows)


def _mix(asked: Asked, moved: Mapping[Key, Pair], names: Names, split: str, change: Change) -> dict[str, Any] | None:
    """What of the change is who answered and what is what they said; None where either side is too small to say."""
    groups = merged_small({key[0]: pair for key, pair in moved.items()}, gates.floor_of(asked.metric))
    if groups is None or change.verdict.kind == "none":
        return None
    known = METRICS[asked.metric]
    sides = [
        {name: (scores.answers(s.n), scores.headline(known, s.n) or 0.0) for name, s in side.items()}
        for side in ({n: p.before for n, p in groups.items()}, {n: p.now for n, p in groups.items()})
    ]
    totals = [sum(n for n, _ in side.values()) for side in sides]
    parts = decomposed(*({str(name): cell for name, cell in side.items()} for side in sides))
    start = sum(n * value for n, value in sides[0].values()) / totals[0]
    rows, shifts = [], []
    for name in [*names.order(split, [g for g in groups if g != REST]), *([REST] if REST in groups else [])]:
        label = "small groups together" if name == REST else names.group(split, name)
        (n_a, value_a), (n_b, value_b) = sides[0][name], sides[1][name]
        rows.append(
            [
                Cell(label, label),
                Cell(formats.percent(n_a / totals[0]), round(100 * n_a / totals[0], 4)),
                Cell(formats.percent(n_b / totals[1]), round(100 * n_b / totals[1], 4)),
                Cell(formats.number(value_a, places_of(asked.metric)), round(value_a, 4)),
                Cell(formats.number(value_b, places_of(asked.metric)), round(value_b, 4)),
            ]
        )
        shifts.append((n_b / totals[1] - n_a / totals[0], label, n_a / totals[0], n_b / totals[1]))
    columns = (names.dimension(split).lower(), "share before", "share now", "value before", "value now")
    table = Table("mix", f"Mix and performance by {names.dimension(split).lower()}", columns, rows)
    chart = charts.mix(asked.metric, start, start + parts.delta, parts)
    return {"table": table, "chart": chart, "sentence": _mix_words(parts, shifts, change)}


REST = "\u0000rest"


def merged_small(groups: Mapping[Any, Pair], floor: int) -> dict[Any, Pair] | None:
    """The groups with at least `floor` answers in both periods, all others as one; None where less than two remain."""

    def least(pair: Pair) -> int:
        return min(scores.answers(pair.now.n), scores.answers(pair.before.n))

    ordered = sorted(groups.items(), key=lambda item: least(item[1]))
    rest, kept = Pair(Sums(), Sums()), list(ordered)
    gone = False
    while kept and (least(kept[0][1]) < floor or (gone and least(rest) < floor)):
        rest, gone = joined([rest, kept.pop(0)[1]]), True
    found = dict(kept)
    if gone and least(rest) >= floor:
        found[REST] = rest
    return found if len(found) > 1 else None


def _mix_words(parts: Decomposition, shifts: list[tuple[float, str, float, float]], change: Change) -> str:
    biggest = max(shifts, key=lambda shift: abs(shift[0]))
    words = f"{formats.signed(parts.mix, 1)} mix, {formats.signed(parts.performance, 1)} performance."
    words += f" The share that moved most: {biggest[1]}, {formats.percent(biggest[2])} → {formats.percent(biggest[3])}."
    if not change.verdict.real:
        words += " The sum itself is not proven: read it as a description, not as proof."
    return words
