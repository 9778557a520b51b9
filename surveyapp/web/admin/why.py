"""Why (not)? One customer and one trigger: the answer, every rule's verdict, what counted, what would change it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from surveyapp.domain import facts
from surveyapp.domain.facts import verdict_json
from surveyapp.domain.policy import Policy
from surveyapp.domain.prospects import next_eligible
from surveyapp.domain.remedies import remedies
from surveyapp.domain.vocabulary import Outcome
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, Trigger
from surveyapp.queries import policy as policies
from surveyapp.queries import prospects
from surveyapp.queries.console import customers as customer_queries
from surveyapp.queries.console import decisions as decision_queries
from surveyapp.queries.console import policy as queries
from surveyapp.queries.console.journeys import step_names
from surveyapp.services import audit
from surveyapp.services.transaction import transaction
from surveyapp.web.admin import formats, params, shell, strips
from surveyapp.web.admin.decisions import STATES
from surveyapp.web.admin.words import step_words

blueprint = Blueprint("why", __name__)
INSTANT = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC")
CLOCKS = {"then": "At the time", "now": "Now"}
SAYS = {"yes": "yes", "no": "no", "later": "not yet"}


@dataclass(frozen=True)
class Answer:
    """The ruling that the page is about, from the books or made now."""

    outcome: str
    reason: str | None
    channel: str | None
    verdicts: Sequence[Mapping[str, Any]]
    at: datetime
    policy_version: int | None
    free: datetime | None
    late: datetime | None
    would_change: Sequence[str]
    decision: str | None = None
    not_before: datetime | None = None

    @property
    def why(self) -> str:
        """The deciding rule's own sentence."""
        found = (v for v in self.verdicts if v.get("rule") == self.reason and not v.get("allowed"))
        return str(next(found, {}).get("why") or "")

    @property
    def never(self) -> bool:
        """Whether this very ask can no longer happen."""
        return self.late is not None and (self.free is None or self.free > self.late)


@blueprint.get("/<path:external_id>/why")
def page(external_id: str) -> str | Response:
    session = db.session()
    customer = customer_queries.customer_named(session, external_id)
    if customer is None:
        abort(404, "There is no customer with this id.")
    if customer.merged_into_id is not None:
        other = customer_queries.external_id_of(session, customer.merged_into_id)
        return redirect(url_for("why.page", external_id=other, **request.args), 303)
    triggers = queries.live_triggers(session)
    wanted = params.text("trigger")
    if wanted is None:
        return render_template("admin/why_choose.html", customer=customer, groups=_grouped(triggers))
    trigger = prospects.trigger_by_key(session, wanted)
    if trigger is None:
        abort(404, "There is no trigger with this key.")
    with transaction() as writing:
        audit.note(writing, "customer.opened", external_id, {"page": "why", "trigger": wanted})
    uid = params.text("decision") or queries.last_decision(session, customer, trigger)
    clock = params.choice("clock", CLOCKS) or ("then" if uid else "now")
    policy = policies.policy_in_force(session, prospects.instant_for(session, customer))
    found = _then(uid, customer, trigger, policy) if clock == "then" and uid else None
    return _shown(customer, trigger, policy, found or _now(customer, trigger), uid, triggers)


def _shown(
    customer: Customer, trigger: Trigger, policy: Policy, answer: Answer, uid: str | None, triggers: Sequence[Any]
) -> str:
    session = db.session()
    zone = customer.timezone or shell.zone()
    ruled = policies.version_numbered(session, answer.policy_version) if answer.policy_version else None
    under = policies.parsed(ruled.number, ruled.definition) if ruled and answer.decision else policy
    instance = formats.in_language(trigger.step.journey.instance_name, shell.language()) if trigger.step else ""
    return render_template(
        "admin/why.html",
        customer=customer,
        trigger=trigger,
        about=step_words(trigger.step.name if trigger.step else None, None, trigger.key),
        answer=answer,
        lines=[_line(verdict, answer.reason) for verdict in answer.verdicts],
        asks=_evidence(answer.verdicts),
        names=step_names(session),
        instance=instance or "journey",
        states=STATES,
        zone=zone,
        would_change=[_localised(text, zone) for text in answer.would_change],
        local=lambda moment: formats.moment_words(moment, shell.now(), zone),
        drawn=strips.show(session, under, customer, answer.at, trigger),
        under=under.version,
        clocks=[
            (words, params.here(clock=key), (key == "then") == bool(answer.decision)) for key, words in CLOCKS.items()
        ]
        if uid
        else [],
        groups=_grouped(triggers),
        now_here=shell.now(),
    )


def _grouped(triggers: Sequence[tuple[str, Any, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be asked about, under its journey's name; two triggers of one step are told apart by their keys."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, step, journey in triggers:
        name = formats.in_language(journey, shell.language()) or "Recurring"
        groups.setdefault(name, []).append((key, step_words(step, None, key)))
    for rows in groups.values():
        names = [words for _, words in rows]
        rows[:] = [(key, f"{words} ({key})" if names.count(words) > 1 else words) for key, words in rows]
    return list(groups.items())


def _now(customer: Customer, trigger: Trigger) -> Answer:
    """What would be ruled if the trigger's event happened now."""
    key = current_app.config["CONTACT_PEPPER"]
    ruling, known, policy, now = prospects.ruled_now(db.session(), customer, trigger, key)
    return Answer(
        ruling.outcome,
        ruling.reason,
        ruling.channel,
        [verdict_json(verdict) for verdict in ruling.verdicts],
        now,
        policy.version or None,
        next_eligible(known, policy, now, key),
        None,
        remedies(ruling, known.candidate),
        not_before=ruling.not_before,
    )


def _then(uid: str, customer: Customer, trigger: Trigger, policy: Policy) -> Answer | None:
    """What was ruled when the decision was made; None when it is about somebody or something else."""
    found = decision_queries.decision_detail(db.session(), uid)
    if found is None or found.customer.id != customer.id or found.trigger.id != trigger.id:
        return None
    decision = found.decision
    seconds = trigger.expires_seconds
    late = found.event.occurred_at + timedelta(seconds=seconds) if seconds else None
    against = [verdict for verdict in decision.verdicts or () if not verdict.get("allowed")]
    waits = [formats.instant(verdict.get("next_at")) for verdict in against]
    known = [wait for wait in waits if wait is not None]
    free = max(known) if known and len(known) == len(waits) else None
    return Answer(
        decision.outcome,
        decision.reason,
        decision.channel,
        decision.verdicts or (),
        decision.decided_at or decision.at,
        decision.policy_version,
        free,
        late,
        _remedies(decision, customer, trigger, policy),
        decision.uid,
        decision.not_before,
    )


def _remedies(decision: Decision, customer: Customer, trigger: Trigger, policy: Policy) -> list[str]:
    """What would have had to be otherwise, from the verdicts as they were kept."""
    key = current_app.config["CONTACT_PEPPER"]
    candidate = prospects.facts_for(db.session(), customer, trigger, policy, shell.now(), key).candidate
    kept = tuple(
        facts.Verdict(
            str(verdict.get("rule")),
            bool(verdict.get("allowed")),
            str(verdict.get("why") or ""),
            formats.instant(verdict.get("next_at")),
            (),
            bool(verdict.get("postpones")),
        )
        for verdict in decision.verdicts or ()
    )
    ruling = facts.Decision(Outcome(decision.outcome), decision.reason, decision.channel, kept, None, 1.0)
    return remedies(ruling, candidate)


def _localised(text: str, zone: str) -> str:
    """The sentence with its instants on the customer's clock."""

    def moment(match: re.Match[str]) -> str:
        try:
            at = datetime.strptime(match[0], "%d %B %Y, %H:%M UTC").replace(tzinfo=UTC)
        except ValueError:
            return match[0]
        return f"{formats.moment_words(at, shell.now(), zone)} ({zone})"

    return INSTANT.sub(moment, text)


def _line(verdict: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    """One verdict as a row: what it says, why, and from when it would allow."""
    rule, allowed = str(verdict.get("rule", "")), bool(verdict.get("allowed"))
    state = "yes" if allowed else "later" if verdict.get("postpones") else "no"
    return {
        "rule": rule,
        "state": state,
        "says": SAYS[state],
        "why": str(verdict.get("why") or ""),
        "next_at": formats.instant(verdict.get("next_at")),
        "deciding": rule == reason and not allowed,
    }


def _evidence(verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the refusing rules counted, each once, the latest first."""
    found: dict[str, dict[str, Any]] = {}
    for verdict in verdicts:
        if verdict.get("allowed"):
            continue
        for item in verdict.get("evidence") or ():
            if isinstance(item, Mapping):
                told = {**item, "at": formats.instant(str(item.get("at") or "")), "rule": verdict.get("rule")}
                found.setdefault(str(sorted(item.items(), key=str)), told)
    return sorted(found.values(), key=lambda item: item["at"].timestamp() if item["at"] else 0.0, reverse=True)
