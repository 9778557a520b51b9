"""The first page: what was asked, what was not and why, what was answered, what is real, what waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from surveyapp.domain import identity, intervals
from surveyapp.domain.gates import PRIVATE
from surveyapp.domain.vocabulary import Outcome, Role
from surveyapp.extensions import db
from surveyapp.queries.console import customers as customer_queries
from surveyapp.queries.console import figures as figure_queries
from surveyapp.queries.console import finding
from surveyapp.queries.console import journeys as journey_queries
from surveyapp.queries.console import today as queries
from surveyapp.queries.console.figures import Pair, Place
from surveyapp.queries.console.journeys import JourneyMap
from surveyapp.queries.console.turns import Turns
from surveyapp.services.phones import normalise_phone
from surveyapp.web.admin import figures, formats, params, shell, words
from surveyapp.web.admin.journey_map import best_metric, change_verdicts
from surveyapp.web.admin.turns import sentences, turns_of

blueprint = Blueprint("home", __name__)
shell.install(blueprint)
words.install(blueprint)

SPANS = {1: "Today", 7: "7 days", 28: "28 days"}
WINDOW = 28
MOST_CHANGES = 7
LOUDEST = 5


@dataclass(frozen=True)
class Flow:
    """The decisions of a span of days, as counted, and the answers given in it."""

    outcomes: Mapping[str, int]
    reasons: list[tuple[str, int]]
    answers: Mapping[str, int]
    first: date
    last: date
    days: int

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())

    @property
    def parts(self) -> list[tuple[str, int, str]]:
        """The stacked bar: asked, waiting, the commonest refusals one by one, the rest together."""
        found = [("fb-a", self.outcomes[Outcome.ASKED], "asked"), ("fb-w", self.outcomes[Outcome.WAITING], "waiting")]
        shown = self.reasons[: LOUDEST - 1]
        found += [(f"fb-r{i}", n, words.reason_label(code).lower()) for i, (code, n) in enumerate(shown, 1)]
        rest = sum(n for _, n in self.reasons[LOUDEST - 1 :])
        found.append((f"fb-r{LOUDEST}", rest, "refused for other reasons"))
        return [part for part in found if part[1]]


@blueprint.get("/")
def index() -> str:
    session = db.session()
    days = params.days(1, SPANS)
    flow = _flow(session, days)
    if not flow.total:
        start = queries.beginning(session)
        if not start.complete:
            return first_steps(start)
    maps = journey_queries.journey_maps(session)
    period = figure_queries.Period(shell.today() - timedelta(days=WINDOW - 1), shell.today())
    pairs = figure_queries.pairs(session, period)
    standing = queries.standing(session, shell.now() - timedelta(days=WINDOW), shell.now())
    turns = turns_of(session, period)
    real, compared = _real(maps, pairs, turns)
    return render_template(
        "admin/home.html",
        flow=flow,
        spans=SPANS,
        rate=_rate(session),
        rows=_rows(maps, pairs),
        real=real,
        compared=compared,
        turned=sentences(turns, {metric for metric, _, _ in pairs}),
        period=period,
        wants=_wants(session, maps, standing),
        waiting=queries.waiting_by_reason(session),
        latest=queries.latest_answers(session),
        names={step.path: step.name for journey in maps for step in journey.steps},
        policy_version=standing.policy,
        today=shell.today(),
        window=WINDOW,
    )


def _flow(session: Session, days: int) -> Flow:
    first = shell.today() - timedelta(days=days - 1)
    start, end = _instants(first, shell.today())
    counts = queries.decisions_between(session, start, end)
    reasons: dict[str, int] = {}
    for (outcome, reason), n in counts.items():
        if outcome == Outcome.REFUSED:
            reasons[reason or ""] = reasons.get(reason or "", 0) + n
    return Flow(
        {outcome: sum(n for (found, _), n in counts.items() if found == outcome) for outcome in Outcome},
        sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])),
        queries.answers_between(session, start, end),
        first,
        shell.today(),
        days,
    )


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    zone = shell.zone()
    return formats.day_start(first, zone), formats.day_start(last + timedelta(days=1), zone)


def _rate(session: Session) -> dict[str, Any] | None:
    """The share of asks that were answered, over the window, with its interval; None before the fifth ask."""
    start, end = _instants(shell.today() - timedelta(days=WINDOW - 1), shell.today())
    rate = queries.response_rate(session, start, end)
    if rate.asked < PRIVATE:
        return None
    interval = intervals.wilson(rate.answered, rate.asked)
    value = 100 * rate.answered / rate.asked
    return {"value": formats.number(value), "interval": formats.span(interval.low, interval.high), "n": rate.asked}


def _rows(maps: list[JourneyMap], pairs: Mapping[Place, Pair]) -> list[dict[str, Any]]:
    """One line per journey and metric, in the journeys' order; what belongs to no journey comes last."""
    rows = []
    for journey in [*maps, None]:
        key = journey.key if journey else ""
        metrics = sorted({metric for metric, at, _ in pairs if at == key}, key=list(figures.METRIC_WORDS).index)
        for metric in metrics:
            whole = figure_queries.joined(pair for place, pair in pairs.items() if place[:2] == (metric, key))
            now, before = (figures.drawn(figure) for figure in whole.figures(metric))
            rows.append({"journey": journey, "metric": metric, "now": now, "before": before})
    return rows


def _real(maps: list[JourneyMap], pairs: Mapping[Place, Pair], turns: Turns) -> tuple[list[dict[str, Any]], int]:
    """The steps whose figure changed beyond chance, all steps of all journeys read at once, and how many were read."""
    chosen, steps = {}, {}
    for journey in maps:
        for step in journey.steps:
            metric = best_metric(step, pairs, journey.key)
            pair = pairs.get((metric or "", journey.key, step.path))
            if metric and pair:
                chosen[step.path] = (metric, pair)
                steps[step.path] = (journey, step)
    changes = change_verdicts(chosen, turns)
    found = []
    for path, change in changes.items():
        if change.real and len(found) < MOST_CHANGES:
            metric, pair = chosen[path]
            now, before = (figures.drawn(figure) for figure in pair.figures(metric))
            journey, step = steps[path]
            found.append({"journey": journey, "step": step, "change": change, "now": now, "before": before})
    return found, sum(change.low is not None for change in changes.values())


def _wants(session: Session, maps: list[JourneyMap], standing: queries.Standing) -> list[dict[str, Any]]:
    """What somebody must look at, most urgent first."""
    now = shell.now()
    since = now - timedelta(days=WINDOW)
    found: list[dict[str, Any]] = []
    for held in queries.held_channels(session, now):
        words_of = (
            "stopped " + _moment(held.stopped_at) if held.stopped_at else "paused until " + _moment(held.paused_until)
        )
        found.append(_want("player-pause", f"Nothing leaves by {words.channel_words(held.channel)}", words_of, None))
    if standing.unknown:
        title = formats.counted(standing.unknown, "message has an unknown outcome", "messages have an unknown outcome")
        sentence = "They count as contacts and are not sent again by themselves."
        found.append(_want("alert-triangle", title, sentence, url_for("decisions.index", outcome=Outcome.ASKED)))
    if standing.wishes:
        title = formats.counted(standing.wishes, "person asked to be contacted", "people asked to be contacted")
        sentence = "Their cases are open; who waits longest stands first"
        found.append(_want("lifebuoy", title, sentence, url_for("cases.index")))
    if others := shell.open_cases() - standing.wishes:
        title = formats.counted(others, "case is open", "cases are open")
        found.append(_want("lifebuoy", title, "Opened by your own systems, not by an answer", url_for("cases.index")))
    if standing.deaf:
        title = formats.counted(standing.deaf, "webhook is disabled", "webhooks are disabled")
        url = url_for("webhooks.index") if current_user.role == Role.ADMIN else None
        found.append(_want("plug-x", title, "It takes nothing; what happens is not kept for it", url))
    for name in queries.unmapped_names(session, since, 3):
        sentence = f"{formats.counted(name.count, 'event')} kept in {WINDOW} days, no trigger sees them"
        found.append(
            _want("plug-x", f"Event “{name.name}” is not mapped", sentence, url_for("programme.index", view="events"))
        )
    deaf = [(journey, step) for journey in maps for step in journey.steps if step.moment_of_truth and not step.listened]
    for journey, step in deaf[:3]:
        title = f"{formats.in_language(step.name, shell.language()) or step.key} is not listened to"
        sentence = "A moment of truth at which nobody is asked"
        found.append(_want("ear-off", title, sentence, url_for("journeys.detail", key=journey.key)))
    return found


def _want(icon: str, title: str, sentence: str, url: str | None) -> dict[str, Any]:
    return {"icon": icon, "title": title, "sentence": sentence, "url": url}


def _moment(moment: datetime | None) -> str:
    return formats.moment_words(moment, shell.now(), shell.zone()) if moment else ""


def first_steps(start: queries.Beginning) -> str:
    """What a new installation sees until its first figure can be read."""
    done = (start.journeys, start.policy, start.keys, start.events, start.asked, start.answers)
    current = next((i for i, it in enumerate(done) if not it), len(done))
    return render_template(
        "admin/first_steps.html",
        done=done,
        current=current,
        base_url=current_app.config["BASE_URL"],
        now_iso=f"{shell.now():%Y-%m-%dT%H:%M:%SZ}",
    )


@blueprint.post("/find")
def find() -> str | Response:
    """A customer, decision, answer or journey by its exact name. Posted, so that no address enters a URL or a log."""
    sought = request.form.get("sought", "").strip()[: params.LONGEST]
    session = db.session()
    if request.form.get("what") != "customer" and (found := finding.exact(session, sought)) is not None:
        return redirect(_place(*found), 303)
    people = customer_queries.customers_matching(session, sought, *_addresses(sought)) if sought.isprintable() else []
    if len(people) == 1 and people[0].external_id:
        return redirect(url_for("customers.timeline", external_id=people[0].external_id), 303)
    return render_template("admin/customers.html", found=people, recent=[], sought=sought)


def _place(kind: str, key: str) -> str:
    if kind == "journey":
        return url_for("journeys.detail", key=key)
    return url_for("decisions.detail" if kind == "decision" else "responses.detail", uid=key)


def _addresses(text: str) -> tuple[str | None, str | None]:
    """The text as an e-mail address and as a phone number, each None when it is none."""
    try:
        return identity.normalise_email(text), None
    except ValueError:
        pass
    try:
        return None, normalise_phone(text)
    except ValueError:
        return None, None
