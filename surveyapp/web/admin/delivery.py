"""Delivery: does sending run, what waits for a person, and the switches that hold or stop it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from surveyapp import clock
from surveyapp.domain import intervals
from surveyapp.domain.vocabulary import Channel, Role
from surveyapp.extensions import db
from surveyapp.queries import funnel
from surveyapp.queries.console import delivery as queries
from surveyapp.queries.console import robots
from surveyapp.services import settling, switches
from surveyapp.web.admin import evidence, formats, params, shell

blueprint = Blueprint("delivery", __name__)
SPANS = {1: "Today", 7: "7 days", 28: "28 days"}
WINDOW = 28
CLOCKS_APART = timedelta(seconds=60)
HOOKS = {
    "sendgrid": ("email", "E-mail events"),
    "twilio_status": ("sms", "Text events"),
    "twilio_sms": ("sms", "Texts from people"),
}
STAGES = (
    ("events", "Events that match a trigger"),
    ("allowed", "Allowed"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("clicked", "Clicked or replied"),
    ("rated", "Rated"),
    ("confirmed", "Confirmed"),
    ("commented", "Commented"),
)
OURS = frozenset({"allowed", "sent"})  # our own doing: no interval


@dataclass(frozen=True)
class Stage:
    """A stage of the funnel: its count, its share of the one before in percent, and the interval around that."""

    label: str
    count: int
    width: float
    share: str
    interval: str


@dataclass(frozen=True)
class Loss:
    """A rate of leaving, `per` so many, with its interval and where they lie on the axis (percent of its length)."""

    label: str
    value: str
    interval: str
    events: int
    x: float
    low: float
    high: float


@blueprint.get("/")
def index() -> str:
    session = db.session()
    now, days = shell.now(), params.days(1, SPANS)
    start = formats.day_start(shell.today() - timedelta(days=days - 1), shell.zone())
    holds = queries.holds(session)
    facts = queries.channels(session, start, now)
    return render_template(
        "admin/delivery.html",
        spans=SPANS,
        days=days,
        channels=[_channel(channel, facts, holds, now) for channel in (Channel.EMAIL, Channel.SMS)],
        everything=holds.get(switches.ALL),
        now_here=now,
        unknown=queries.unknown_outcomes(session),
        unknown_count=sum(f.unknown for f in facts.values()),
        given_up=queries.given_up(session, formats.day_start(formats.days_back(shell.today(), WINDOW - 1), "UTC")),
        hooks=_hooks(session),
        clicks=_clicks(session),
        surveys=queries.surveys(session),
        triggers=queries.triggers(session),
        peace=queries.asked_for_peace(session),
        stages=_stages(session),
        hours=_hours(session),
        losses=_losses(session, now),
        apart=_clocks_apart(session),
        window=WINDOW,
        may_act=current_user.role in (Role.ADMIN, Role.EDITOR),
    )


def _channel(channel: str, facts: dict[str, Any], holds: dict[str, Any], now: datetime) -> dict[str, Any]:
    hold = holds.get(channel)
    backend = current_app.config["EMAIL_BACKEND" if channel == Channel.EMAIL else "SMS_BACKEND"]
    fallback = current_app.config["EMAIL_FALLBACK"] if channel == Channel.EMAIL else ""
    rate = current_app.config["EMAIL_PER_MINUTE" if channel == Channel.EMAIL else "SMS_PER_MINUTE"]
    paused = bool(hold and hold.paused_until and hold.paused_until > now)
    return {
        "key": str(channel),
        "facts": facts.get(channel, queries.ChannelFacts(channel)),
        "hold": hold,
        "paused": paused,
        "backend": f"{backend}, then {fallback}" if fallback else backend,
        "rate": rate,
    }


def _hooks(session: Session) -> list[dict[str, Any]]:
    """The hooks that this installation needs, and those that have ever called."""
    seen = queries.hooks(session)
    settings = current_app.config
    needed = {"sendgrid"} & {settings["EMAIL_BACKEND"], settings["EMAIL_FALLBACK"]}
    needed |= {"twilio_status", "twilio_sms"} if settings["SMS_BACKEND"] == "twilio" else set()
    return [
        {"label": label, "channel": channel, "state": seen.get(hook)}
        for hook, (channel, label) in HOOKS.items()
        if hook in seen or hook in needed
    ]


def _clicks(session: Session) -> dict[str, Any]:
    """Answers over links in e-mails: how they count, whose receivers' robots answered, and what gave them away."""
    start = formats.day_start(formats.days_back(shell.today(), WINDOW - 1), "UTC")
    counts = robots.statuses(session, start)
    return {
        "counts": counts,
        "receivers": robots.receivers(session, start) if counts.get("suspected_bot") else [],
        "because": [(evidence.in_words(reason), n) for reason, n in robots.evidence(session, start)]
        if counts.get("suspected_bot")
        else [],
    }


def _stages(session: Session) -> list[Stage]:
    first = shell.today() - timedelta(days=WINDOW - 1)
    counts = funnel.counts(session, funnel.FunnelFilters(first=first, last=shell.today()))
    stages: list[Stage] = []
    before = None
    for name, label in STAGES:
        n = int(getattr(counts, name))
        share, interval = "", ""
        if before:
            share = formats.percent(n / before)
            if name not in OURS and n <= before:
                around = intervals.wilson(n, before)
                interval = formats.span(around.low, around.high)
        stages.append(Stage(label, n, 100 * n / counts.events if counts.events else 0.0, share, interval))
        before = n
    return stages


def _hours(session: Session) -> list[int]:
    """How many messages left in each hour of the brand's day."""
    today: date = shell.today()
    start, end = formats.day_start(today, shell.zone()), formats.day_start(today + timedelta(days=1), shell.zone())
    bounds = [start]
    while bounds[-1] < end:
        bounds.append(bounds[-1] + timedelta(hours=1))
    return queries.sent_between(session, bounds)


def _losses(session: Session, now: datetime) -> list[Loss]:
    found = queries.leaving(session, now - timedelta(days=WINDOW))
    if not found.sent:
        return []
    return [
        _loss("Opt-outs per 1 000", found.opted_out, found.sent, 1_000, 20),
        _loss("Hard bounces per 100", found.bounced, found.sent, 100, 10),
        _loss("Spam reports per 10 000", found.complained, found.sent, 10_000, 30),
    ]


def _loss(label: str, events: int, sent: int, per: int, top: float) -> Loss:
    events = min(events, sent)
    around = intervals.wilson(events, sent)
    value, low, high = (per * share / 100 for share in (100 * events / sent, around.low, around.high))

    def place(rate: float) -> float:
        return round(min(100.0, 100 * rate / top), 2)

    words = formats.number(value, 1)
    return Loss(label, words, formats.span(low, high, 1), events, place(value), place(low), place(high))


def _clocks_apart(session: Session) -> int:
    """By how many seconds this machine's clock differs from the database's, when that stops sending; else 0."""
    apart = abs(clock.database_now(session) - clock.now())
    return int(apart.total_seconds()) if apart > CLOCKS_APART else 0


@blueprint.post("/hold")
def hold() -> Response:
    """Hold all sending for a day, or end a hold."""
    if request.form.get("act") == "resume":
        channel = request.form.get("channel", switches.ALL)
        _switch(lambda: switches.resume_sending(channel))
        flash("Sending goes on.")
    else:
        switches.hold_sending()
        flash("Sending is held for 24 hours; what is due waits. Undo it with “Go on sending”.")
    return _back()


@blueprint.post("/switch")
def switch() -> Response:
    """Stop asking for a channel, a survey, a trigger or everything; or start again."""
    form = request.form
    if form.get("subject") not in set(switches.Subject):
        abort(404)
    subject, key = switches.Subject(form["subject"]), form.get("key", "")
    name = "Everything" if key == switches.ALL else key
    if form.get("act") == "start":
        _switch(lambda: switches.start(subject, key))
        flash(f"{name}: asking again, by the policy.")
    else:
        _switch(lambda: switches.stop(subject, key))
        flash(f"{name}: stopped. Due asks are refused until it is started again.")
    return _back()


@blueprint.route("/messages/<uid>/decide", methods=["GET", "POST"])
def decide(uid: str) -> Any:
    """Say whether a message with an unknown outcome had left."""
    found = queries.message(db.session(), uid)
    if found is None:
        abort(404, "There is no message with this number.")
    if request.method == "GET":
        return render_template("admin/delivery_decide.html", found=found, open=found.state in settling.UNKNOWN)
    if request.form.get("outcome") not in ("sent", "not_sent"):
        abort(422, "outcome: sent or not_sent")
    try:
        settling.decide_outcome(uid, request.form["outcome"] == "sent")
    except settling.OutcomeKnown:
        flash("The outcome is known by now; nothing was changed.")
    else:
        flash("Decided. What the provider still tells wins over it.")
    return _back()


@blueprint.post("/messages/<uid>/replay")
def replay(uid: str) -> Response:
    """Put a given-up message back into the queue."""
    try:
        settling.replay(uid)
    except settling.NotReplayable:
        flash("This message cannot be tried anew; nothing was changed.")
    else:
        flash("Back in the queue. The policy decides on it again.")
    return _back()


@blueprint.post("/texts/<int:number>/handled")
def handled(number: int) -> Response:
    """Somebody has looked after a person who asked to be left alone."""
    settling.mark_handled(number)
    flash("Marked as looked after.")
    return _back()


def _switch(turn: Any) -> None:
    try:
        turn()
    except switches.SwitchUnknown:
        abort(404)


def _back() -> Response:
    return redirect(url_for("delivery.index"), 303)
