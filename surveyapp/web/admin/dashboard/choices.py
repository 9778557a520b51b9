"""`/admin/metrics/KEY/choices`: what people chose at a further question, reasons with their gaps, by any dimension."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.domain import gates
from surveyapp.domain.choices import Choice, Share, gaps_of, shares
from surveyapp.domain.questions import GAPS, OTHER, Group, Kind, Question
from surveyapp.extensions import db
from surveyapp.queries import words
from surveyapp.queries.console.choices import SCORE, Chosen, chosen_at, questions_of
from surveyapp.queries.console.tallies import MOST, QUESTION, TooManyAnswers
from surveyapp.queries.metrics import Sums, drawn, hidden
from surveyapp.web.admin import figures, formats, shell
from surveyapp.web.admin.dashboard.address import Asked, done, read
from surveyapp.web.admin.dashboard.breakdown import ACTOR, MOST_COLUMNS, MOST_MOMENTS
from surveyapp.web.admin.dashboard.frame import MOMENTS, Names, blueprint, known_metric, names_of, plain, refuse, show
from surveyapp.web.admin.dashboard.tables import Cell, Table

CLASSES: Mapping[Any, str] = {
    Group.DETRACTOR: "unfavourable score",
    Group.PASSIVE: "score between",
    Group.PROMOTER: "favourable score",
}
ALL = "All"


@dataclass(frozen=True)
class Line:
    """One option, or one gap with all its reasons: its share in all and in each group, the figure of who chose it."""

    label: str
    gap: bool
    whole: Share
    groups: Sequence[Share]
    figure: figures.Drawn | None
    url: str | None


@blueprint.get("/<key>/choices")
def choices(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key), "question", "over")
    names, questions = names_of(asked), questions_of(db.session(), key)
    chosen = reader.text("question") or next(iter(questions), None)
    over = reader.dimension("over", also=(SCORE, *MOMENTS))
    if chosen is not None and chosen not in questions:
        offered = ", ".join(questions) or "none"
        reader.wrong("question", f"'{chosen[:80]}' is no further question with options; there is {offered}")
    if over == ACTOR:
        reader.wrong("over", "single employees are not told apart here; see the breakdown")
    asked = done(asked, reader, question=chosen, over=over)
    if asked.problems:
        return refuse(asked, asked.problems)
    labels = _labels(questions.get(chosen or "", []))
    try:
        found = chosen_at(db.session(), asked.answers, questions[chosen], over, labels) if chosen else Chosen()
    except TooManyAnswers:
        return refuse(asked, [f"question: read from at most {MOST:,} answers; these days hold more, so filter"])
    groups = _order(names, over, found)
    most = MOST_MOMENTS.get(over or "", MOST_COLUMNS)
    if len(groups) > most:
        return refuse(asked, [f"over: this gives {len(groups)} columns; at most {most} can be read. Filter first"])
    heads = [(CLASSES.get(group) or names.group(over or "", group), group) for group in groups]
    lines = _lines(asked, found, labels, gaps_of(questions.get(chosen or "", [])), over, groups)
    table = _table(lines, [label for label, _ in heads], names, over)
    return show(
        "admin/metrics/choices.html",
        asked,
        {table.name: table},
        names,
        options=[(name, _question(of[0])) for name, of in questions.items()],
        overs=[(SCORE, "Score"), *names.dimensions(), *MOMENTS.items()],
        question=chosen,
        several=any(one.kind in (Kind.MANY, Kind.REASONS) for one in questions.get(chosen or "", [])),
        over=over,
        heads=[(label, found.groups[group].n) for label, group in heads],
        lines=lines,
        most=max((line for line in lines if line.whole.chose), key=lambda line: line.whole.chose or 0, default=None),
        total=found.whole.n,
        unoffered=found.unoffered,
        hidden_words=figures.drawn(drawn(key, found.sums)).hidden,
    )


def _question(question: Question) -> str:
    """The question as it is put."""
    if question.kind is Kind.EMOTION and not question.ask:
        return str(words.words(shell.language()).texts["standard"]["emotion"]["ask"])
    return formats.in_language(question.ask, shell.language()) or plain(question.key)


def _labels(asked: Sequence[Question]) -> dict[str, str]:
    """The options of all versions in words, in the newest one's order, with what else may be chosen at the end."""
    found: dict[str, str] = {}
    for question in asked:
        if question.kind is Kind.EMOTION:
            found |= dict(words.words(shell.language()).texts["standard"]["emotion"]["labels"])
        for option in question.options:
            found.setdefault(option.key, formats.in_language(option.label, shell.language()) or plain(option.key))
    return found | ({OTHER: "Something else"} if any(question.other for question in asked) else {})


def _order(names: Names, over: str | None, found: Chosen) -> list[Any]:
    """The groups in a reader's order."""
    if over == SCORE:
        return [group for group in CLASSES if group in found.groups]
    return names.order(over or "", list(found.groups))


def _lines(
    asked: Asked,
    found: Chosen,
    labels: Mapping[str, str],
    gap_of: Mapping[str, str],
    over: str | None,
    groups: Sequence[Any],
) -> list[Line]:
    """The gaps where there are any, then the options."""
    floor = gates.floor_of(asked.metric)
    of_all, of_group = shares({ALL: found.whole}, floor), shares(found.groups, floor)
    choices = [Choice(gap, gap=True) for gap in GAPS if gap in gap_of.values()] + [Choice(key) for key in labels]
    away = gates.hidden({key: found.whole.options.get(key, 0) for key in labels}, floor)
    lines = []
    for choice in choices:
        label = f"{formats.sentence_case(choice.key)} gap" if choice.gap else labels[choice.key]
        whole, chose = of_all(ALL, choice), found.whole.of(choice)
        figure = drawn(asked.metric, found.scores.get(choice.key, Sums()))
        if choice.key in away or 0 < found.whole.n - chose < floor:
            figure = hidden(figure) if figure.n else figure
        url = asked.answers_url(**{QUESTION + asked.extra["question"]: choice.key}) if whole.chose else None
        lines.append(
            Line(
                label,
                choice.gap,
                whole,
                [of_group(group, choice) for group in groups],
                None if choice.gap or over else figures.drawn(figure),
                None if choice.gap else url,
            )
        )
    return lines


def _table(lines: Sequence[Line], heads: Sequence[str], names: Names, over: str | None) -> Table:
    rows = []
    for line in lines:
        for head, share in (*zip(heads, line.groups, strict=True), (ALL, line.whole)):
            rows.append(
                [
                    Cell(line.label, line.label),
                    *([Cell(head, head)] if over else []),
                    Cell(share_words(share), None if share.percent is None else round(share.percent, 4)),
                    *(Cell(formats.number(end), round(end, 4)) for end in share.interval or ()),
                    *([] if share.interval else [Cell("", None), Cell("", None)]),
                    Cell(
                        "hidden" if share.chose is None else formats.number(share.chose),
                        share.chose,
                        line.url if share is line.whole else None,
                    ),
                    Cell(formats.number(share.n), share.n),
                ]
            )
    dimension = "score" if over == SCORE else names.dimension(over or "").lower()
    columns = ("choice", *([dimension] if over else []), "percent", "low", "high", "chose", "answered")
    return Table("choices", "What was chosen", columns, rows)


def share_words(share: Share) -> str:
    return "" if share.percent is None else f"{formats.number(share.percent)}{formats.THIN}%"
