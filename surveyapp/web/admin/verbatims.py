"""Verbatims: customers' own words, searched and gathered under themes. Nothing leaves the house."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from surveyapp.domain.scores import METRICS
from surveyapp.domain.verbatims import ANY, Gap, Theme, read_keywords, sought
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import verbatims as queries
from surveyapp.queries.console import paging
from surveyapp.queries.console.journeys import step_names
from surveyapp.services import verbatims
from surveyapp.web.admin import params, shell
from surveyapp.web.admin.figures import METRIC_WORDS, drawn
from surveyapp.web.admin.formats import days_back
from surveyapp.web.admin.words import step_words

blueprint = Blueprint("verbatims", __name__)
EDITORS = (Role.ADMIN, Role.EDITOR)
PERIODS = (7, 28, 91)
GAPS = {
    Gap.KNOWLEDGE: "knowledge: not solved, misunderstood",
    Gap.DESIGN: "design: wrong channel, too automated, impersonal",
    Gap.DELIVERY: "delivery: missed, late, repeated, rude",
}
NO_THEME = "There is no theme of this id."


@blueprint.get("/")
def index() -> str:
    session, days = db.session(), params.days(28, PERIODS)
    last = shell.today()
    text = params.text("q") or ""
    terms, known = sought(text), dict(queries.themes(session))
    chosen = params.text("theme")
    if chosen is not None and chosen not in known:
        chosen = None
    base = queries.Wanted(
        terms=terms,
        metric=params.choice("metric", METRICS),
        step=params.text("step"),
        language=params.text("language"),
        first=days_back(last, days - 1),
        last=last,
    )
    wanted = queries.narrowed(base, known.get(chosen or ""))
    found = queries.counts(session, wanted)
    metric = base.metric or max(found, key=lambda key: (sum(found[key].n.values()), key), default=None)
    nothing = bool(text) and not terms
    names = step_names(session)
    rows = queries.theme_rows(session, base, metric)
    gaps = {gap: sum(row.n for row in rows if row.theme.gap == gap) for gap in Gap}
    return render_template(
        "admin/verbatims.html",
        page=None if nothing else queries.comment_page(session, wanted, paging.read_mark(params.text("older"))),
        total=0 if nothing else sum(sum(sums.n.values()) for sums in found.values()),
        themes=[(row, drawn(row.figure) if row.figure else None) for row in rows],
        gaps=gaps,
        metric=metric,
        text=text,
        nothing=nothing,
        days=days,
        wanted=wanted,
        chosen=chosen,
        chosen_name=known[chosen].name if chosen else None,
        metrics=list(METRIC_WORDS.items()),
        steps=[(path, step_words(name, path)) for path, name in sorted(names.items())],
        languages=shell.languages(),
        names=names,
        may_edit=current_user.role in EDITORS,
    )


@blueprint.get("/themes/new")
@blueprint.get("/themes/<uid>")
def theme(uid: str | None = None) -> str:
    found = dict(queries.themes(db.session())).get(uid or "")
    if current_user.role not in EDITORS:
        abort(403)
    if uid is not None and found is None:
        abort(404, NO_THEME)
    return _form(uid, found or Theme(""))


@blueprint.post("/themes/new")
@blueprint.post("/themes/<uid>")
def save_theme(uid: str | None = None) -> Any:
    """Keep a theme's name, gap and keywords; or remove it."""
    if "remove" in request.form and uid is not None:
        try:
            verbatims.remove_theme(uid)
        except verbatims.ThemeUnknown:
            abort(404, NO_THEME)
        flash("The theme is removed. The comments stay.")
        return redirect(url_for("verbatims.index"), 303)
    given, problems = _read()
    if not problems:
        try:
            verbatims.save_theme(uid, given)
        except verbatims.NameTaken:
            problems["name"] = "Another theme has this name."
        except verbatims.ThemeUnknown:
            abort(404, NO_THEME)
    if problems:
        return _form(uid, given, problems), 422
    flash(f"{given.name} is kept.")
    return redirect(url_for("verbatims.index"), 303)


def _read() -> tuple[Theme, dict[str, str]]:
    problems: dict[str, str] = {}
    name, gap = " ".join(request.form.get("name", "").split()), request.form.get("gap", "")
    if not 0 < len(name) <= 120 or not name.isprintable():
        problems["name"] = "Name: one line of 1 to 120 characters."
    if gap not in ("", *Gap):
        abort(400, "The gap is none of those offered.")
    rules = {}
    for language in (ANY, *shell.languages()):
        wrong: list[str] = []
        rules[language] = read_keywords(request.form.get(f"words-{language}", ""), wrong)
        if wrong:
            problems[f"words-{language}"] = " ".join(wrong)
    if not any(rules.values()) and not problems:
        problems[f"words-{ANY}"] = "Write at least one keyword."
    return Theme(name, gap, rules), problems


def _form(uid: str | None, meaning: Theme, problems: dict[str, str] | None = None) -> str:
    return render_template(
        "admin/theme.html",
        uid=uid,
        theme=meaning,
        gaps=[("", "none"), *GAPS.items()],
        languages=(ANY, *shell.languages()),
        problems=problems or {},
    )
