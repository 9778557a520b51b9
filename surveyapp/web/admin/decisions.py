"""Decisions: who was asked, who was not, and every rule's word on it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template

from surveyapp.domain.evidence import evidence_words
from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import Channel, Outcome, Reason
from surveyapp.extensions import db
from surveyapp.queries.console import decisions as queries
from surveyapp.queries.console import paging, programme
from surveyapp.queries.console.journeys import step_names
from surveyapp.queries.funnel import FunnelFilters
from surveyapp.web.admin import formats, params, shell

blueprint = Blueprint("decisions", __name__)
USUAL_DAYS = 28
REASONS = (*Reason, "quiet_hours", "holding")
STATES = {"yes": "check", "no": "x", "later": "minus", "off": "minus"}


@blueprint.get("/")
def index() -> str:
    wanted, first, last = _wanted()
    session = db.session()
    page = queries.decision_page(session, wanted, paging.read_mark(params.text("older")))
    totals = queries.decision_totals(session, wanted)
    reasons: dict[str, int] = {}
    for (outcome, reason), count in totals.items():
        if outcome == Outcome.REFUSED and reason:
            reasons[reason] = reasons.get(reason, 0) + count
    return render_template(
        "admin/decisions.html",
        page=page,
        wanted=wanted,
        first=first,
        last=last,
        outcomes={o: sum(n for (outcome, _), n in totals.items() if outcome == o) for o in Outcome},
        reasons=sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])),
        triggers=programme.trigger_keys(session),
        names=step_names(session) if wanted.step else {},
        usual=USUAL_DAYS,
    )


def _wanted() -> tuple[queries.DecisionFilter, Any, Any]:
    """The filter of the address. Without a customer or days it is the last four weeks, so that counting stays quick."""
    first, last, customer = params.day("from"), params.day("to"), params.text("customer")
    if first is None and last is None and customer is None and params.text("all") is None:
        first = formats.days_back(shell.today(), USUAL_DAYS - 1)
    by_event = params.text("day") == "event"
    start, end = params.span_of(first, last) if not by_event else (None, None)
    wanted = queries.DecisionFilter(
        outcome=params.choice("outcome", list(Outcome)),
        reason=params.choice("reason", REASONS),
        trigger=params.text("trigger"),
        customer=customer,
        journey=params.text("journey"),
        step=params.text("step"),
        start=start,
        end=end,
        events=_events(first, last) if by_event else None,
    )
    return wanted, first, last


def _events(first: Any, last: Any) -> FunnelFilters:
    """Which events, where the days are those of the events: the funnel's own filter, so that its counts agree."""
    return FunnelFilters(
        survey=params.text("survey"),
        metric=params.choice("metric", METRICS),
        channel=params.choice("channel", list(Channel)),
        first=first,
        last=last,
    )


@blueprint.get("/<uid>")
def detail(uid: str) -> str:
    found = queries.decision_detail(db.session(), uid)
    if found is None:
        abort(404, "There is no decision with this number.")
    instance = formats.in_language(found.journey.instance_name, shell.language()) if found.journey else ""
    return render_template(
        "admin/decision.html",
        found=found,
        lines=[
            _line(verdict, found.decision.reason, instance or "journey") for verdict in found.decision.verdicts or ()
        ],
        instance=instance or "journey",
        states=STATES,
        late=_late(found),
        names=step_names(db.session()) if found.asks else {},
        why=_why(found),
        now_here=shell.now(),
    )


def _line(verdict: Mapping[str, Any], reason: str | None, instance: str) -> dict[str, Any]:
    """One verdict as a row: what it says, why, and from when it would allow."""
    rule = str(verdict.get("rule", ""))
    allowed = bool(verdict.get("allowed"))
    state = "yes" if allowed else "later" if verdict.get("postpones") else "no"
    return {
        "rule": rule,
        "state": state,
        "says": {"yes": "yes", "no": "no", "later": "not yet"}[state],
        "why": str(verdict.get("why") or ""),
        "next_at": formats.instant(verdict.get("next_at")),
        "deciding": rule == reason and not allowed,
        "evidence": [evidence_words(item) for item in verdict.get("evidence") or ()],
    }


def _why(found: queries.DecisionDetail) -> str:
    """The deciding rule's own sentence."""
    for verdict in found.decision.verdicts or ():
        if verdict.get("rule") == found.decision.reason and not verdict.get("allowed"):
            return str(verdict.get("why") or "")
    return ""


def _late(found: queries.DecisionDetail) -> datetime | None:
    """The last moment to ask, if the trigger has one."""
    seconds = found.trigger.expires_seconds
    return found.event.occurred_at + timedelta(seconds=seconds) if seconds else None
