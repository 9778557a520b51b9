"""Reviews: what others publish about us, read beside our own questions and never counted with them."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from surveyapp.domain.gates import Status
from surveyapp.domain.reviews import PART, read_reviews
from surveyapp.domain.tables import NotATable
from surveyapp.domain.verbatims import sought
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import reviews as queries
from surveyapp.queries.console import paging
from surveyapp.queries.console.journeys import step_names
from surveyapp.queries.reviews import SourceFigure, Wanted
from surveyapp.queries.verbatims import themes
from surveyapp.services import reviews
from surveyapp.web.admin import params, shell
from surveyapp.web.admin.figures import Drawn
from surveyapp.web.admin.formats import counted, days_back, number, span
from surveyapp.web.admin.uploads import refused_lines, uploaded_text
from surveyapp.web.admin.words import step_words

blueprint = Blueprint("reviews", __name__)
EDITORS = (Role.ADMIN, Role.EDITOR)
LIMIT = 10_000
FILE_MEGABYTES = 8
MOST_BARS = 11
MOST_COLUMNS = 3
ALL = 0
PERIODS = (28, 91, ALL)
NO_REVIEW = "There is no such review."


@dataclass(frozen=True)
class Bar:
    """So many ratings at one whole step of the scale; `width` is percent of the longest bar."""

    label: str
    n: int
    width: float


@dataclass(frozen=True)
class SourceRow:
    """A source's ratings on one scale. `same` says so where all ratings are one, which gives no interval."""

    source: str
    drawn: Drawn
    bars: list[Bar]
    same: str


@blueprint.get("/")
def index() -> str:
    return _index()


@blueprint.post("/")
def bring_in() -> Any:
    """Reviews from a CSV file or pasted lines; good lines are kept when others are bad."""
    try:
        lines = read_reviews(uploaded_text(FILE_MEGABYTES), LIMIT)
    except NotATable as problem:
        return _index(wrong=[str(problem)]), 422
    done = reviews.import_reviews([line.cells for line in lines])
    told = f"{done.imported} kept, {done.duplicates} already there, {len(done.rejected)} refused."
    if done.rejected:
        return _index(wrong=[told, *refused_lines(lines, done.rejected)]), 422
    flash(told)
    return redirect(url_for("reviews.index", days=ALL), 303)


@blueprint.post("/<uid>/remove")
def remove(uid: str) -> Any:
    """Take one review away."""
    try:
        reviews.remove_review(uid)
    except reviews.ReviewUnknown:
        abort(404, NO_REVIEW)
    flash("The review is removed. Bringing it in again brings it back.")
    return redirect(url_for("reviews.index"), 303)


@blueprint.post("/remove")
def remove_source() -> Any:
    """Take all reviews of one source away; its key is typed, as nothing brings them back from here."""
    source, typed = request.form.get("source", ""), request.form.get("typed", "").strip()
    if typed != source:
        return _index(wrong=[f"Nothing was removed. To remove every review of {source[:40]}, type its key."]), 422
    try:
        n = reviews.remove_source(source)
    except reviews.ReviewUnknown:
        abort(404, NO_REVIEW)
    flash(f"{counted(n, 'review')} of {source} removed.")
    return redirect(url_for("reviews.index"), 303)


def _index(wrong: list[str] | None = None) -> str:
    session, days, last = db.session(), params.days(91, PERIODS), shell.today()
    text = params.text("q") or ""
    terms, known = sought(text), dict(themes(session))
    chosen = params.choice("theme", known)
    base = Wanted(
        terms=terms,
        source=params.text("source"),
        step=params.text("step"),
        language=params.text("language"),
        first=None if days == ALL else days_back(last, days - 1),
        last=None if days == ALL else last,
    )
    wanted = Wanted(**{**_fields(base), "theme": known[chosen]}) if chosen else base
    nothing = bool(text) and not terms
    counts = queries.counts(session, wanted)
    columns = list(queries.counts(session, base))
    names = step_names(session)
    return render_template(
        "admin/reviews.html",
        there_are=queries.any_review(session),
        page=None if nothing else queries.review_page(session, wanted, paging.read_mark(params.text("older"))),
        counts=counts,
        total=0 if nothing else sum(counts.values()),
        rows=[source_row(one) for one in queries.source_figures(session, wanted)],
        themes=sorted(queries.theme_rows(session, base), key=lambda row: (-sum(row.reviews.values()), row.theme.name)),
        columns=columns[:MOST_COLUMNS],
        more_columns=len(columns) - MOST_COLUMNS,
        text=text,
        nothing=nothing,
        days=days,
        wanted=wanted,
        chosen=chosen,
        chosen_name=known[chosen].name if chosen else None,
        sources=queries.sources(session),
        steps=[(path, step_words(name, path)) for path, name in sorted(names.items())],
        languages=queries.languages(session),
        names=names,
        wrong=wrong,
        may_edit=current_user.role in EDITORS,
        step_example=next(iter(sorted(names)), None),
        today_example=last.isoformat(),
    )


def _fields(wanted: Wanted) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}


def source_row(one: SourceFigure) -> SourceRow:
    """The figure of a source as the page draws it: mean, interval and n together, or words instead."""
    found = one.figure
    name, base = one.source, f"mean of ratings {span(one.low, one.high)}"
    hidden = Drawn(found.status, found.n, "", "", "", "review", base, counts="rating")
    if found.value is None:
        return SourceRow(name, hidden, [], "")
    bars = _bars(one)
    if found.low is None or found.high is None:
        return SourceRow(name, hidden, bars, f"all {found.n} ratings are {plain(found.value)}")
    places = [round(100 * (end - one.low) / (one.high - one.low), 2) for end in (found.value, found.low, found.high)]
    interval = span(found.low, found.high, 1)
    drawn = Drawn(found.status, found.n, number(found.value, 1), "", interval, "review", base, *places, counts="rating")
    return SourceRow(name, drawn, bars, "")


def _bars(one: SourceFigure) -> list[Bar]:
    """How many ratings are nearest to each whole step, from the top down; nothing on scales of many steps."""
    if one.high - one.low >= MOST_BARS or one.figure.status in (Status.SUPPRESSED, Status.NO_DATA):
        return []
    at = dict.fromkeys(range(one.high, one.low - 1, -1), 0)
    for hundredths, n in one.figure.histogram.items():
        at[(hundredths + PART // 2) // PART] += n
    most = max(at.values())
    return [Bar(number(step), n, round(100 * n / most, 2)) for step, n in at.items()]


def plain(rating: float) -> str:
    """A rating as its source writes it: `4`, `4.5`."""
    return number(rating, 0 if rating == int(rating) else 1 if round(rating * 10) == rating * 10 else 2)


def rating_words(rating: float | None, low: int | None, high: int | None) -> str:
    """A rating with its own scale: `4 of 5` where it begins at 1, else `8 on 0–10`; or `no rating`."""
    if rating is None or low is None or high is None:
        return "no rating"
    return f"{plain(rating)} of {number(high)}" if low == 1 else f"{plain(rating)} on {span(low, high)}"


blueprint.add_app_template_global(rating_words, "rating_words")
