"""`/admin/metrics/KEY/afterwards`: what people said they would do, and how many of them then did it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from surveyapp.domain.afterwards import STATED, Share, difference, shares
from surveyapp.domain.definitions import NAMES
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import NOT_COMPUTED, Verdict, verdict
from surveyapp.extensions import db
from surveyapp.queries.console.afterwards import reached
from surveyapp.queries.console.figures import Period
from surveyapp.web.admin import formats, shell
from surveyapp.web.admin.dashboard.address import done, read
from surveyapp.web.admin.dashboard.frame import blueprint, known_metric, names_of, period_words, refuse, show
from surveyapp.web.admin.dashboard.tables import Cell, Table

USUAL = 90
LONGEST = 730
NPS_CLASSES = {"unfavourable": "Detractors", "between": "Passives", "favourable": "Promoters"}


@blueprint.get("/<key>/afterwards")
def afterwards(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key), "reached", "within")
    names = names_of(asked)
    if key not in STATED:
        reader.wrong("afterwards", f"{NAMES[key]} asks what was, not what somebody will do; see {', '.join(STATED)}")
    steps = [step.path for step in names.choices.steps]
    step, within = reader.text("reached"), reader.whole("within", LONGEST) or USUAL
    if step is not None and step not in steps:
        reader.wrong("reached", f"there is no step '{step[:80]}'")
    asked = done(asked, reader, reached=step, within=str(within))
    if asked.problems:
        return refuse(asked, asked.problems)
    length = timedelta(days=within)
    answered = Period(asked.now.first - length, asked.now.last - length)
    over = shell.now() - length  # of an answer given later than its event the days after may not be over yet
    wanted = replace(asked.answers, first_day=answered.first, last_day=answered.last, answered_until=over)
    found = reached(db.session(), wanted, step, within) if step else None
    rows = shares(key, found.done) if found else []
    table = _table(key, rows)
    return show(
        "admin/metrics/afterwards.html",
        asked,
        {table.name: table},
        names,
        options=[(path, names.group("step", path)) for path in steps],
        reached=step,
        reached_name=names.group("step", step) if step else "",
        within=within,
        answered=period_words(answered),
        found=found,
        people=sum(row.n for row in rows),
        classes=(class_words(key, "favourable"), class_words(key, "unfavourable")),
        verdict=_verdict(rows),
    )


def class_words(metric: str, name: str) -> str:
    return NPS_CLASSES[name] if METRICS[metric].headline == "nps" else formats.sentence_case(name)


def _verdict(rows: list[Share]) -> Verdict:
    """Whether the favourable did it more often. Neither way is good or bad: the step may be a renewal or a goodbye."""
    sizes = {row.name: row.n for row in rows}
    found = difference(rows)
    if found is None:
        return NOT_COMPUTED
    return replace(verdict(found, sizes["unfavourable"], sizes["favourable"]), good=None)


def _table(metric: str, rows: list[Share]) -> Table:
    cells = []
    for row in rows:
        ends = formats.span(row.scores[0], row.scores[-1]) if len(row.scores) > 1 else formats.number(row.scores[0])
        label = f"{class_words(metric, row.name)} {ends}"
        nothing = "hidden" if row.n else "nobody"
        cells.append(
            [
                Cell(label, label),
                Cell("" if row.share is None else f"{formats.number(row.share)}{formats.THIN}%", _rounded(row.share)),
                Cell("" if row.interval is None else formats.span(*row.interval), _ends(row)),
                Cell(nothing if row.did is None else formats.number(row.did), row.did),
                Cell(formats.number(row.n), row.n),
            ]
        )
    return Table("afterwards", "Said and done", ("said", "percent", "interval 95 %", "did it", "people"), cells)


def _ends(row: Share) -> str | None:
    return None if row.interval is None else f"{row.interval.low:.4f}–{row.interval.high:.4f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
