"""The contact policy over HTTP: read it, put the next version in force, ask why somebody may (not) be asked."""

from typing import Any

from flask import current_app
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from surveyapp import clock
from surveyapp.domain.facts import Candidate, Verdict, verdict_json
from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.domain.prospects import next_eligible
from surveyapp.domain.remedies import remedies, remedy
from surveyapp.domain.vocabulary import Outcome
from surveyapp.extensions import db
from surveyapp.queries import policy as policies
from surveyapp.queries import prospects
from surveyapp.queries.customers import customer as customer_named
from surveyapp.services.policy import activate_policy
from surveyapp.web import problems
from surveyapp.web.api import strict
from surveyapp.web.api.policy_versions import actor, iso, moment_of, refused
from surveyapp.web.api.schemas import Shape, reads

blueprint = APIBlueprint("api_policy", __name__, abp_tags=[Tag(name="Contact policy")], abp_security=[{"bearer": []}])


class PolicyBody(Shape):
    """The policy as in the programme file, optionally with the moment from which it holds."""

    gap: Any = Field(None, description="Rest by tier, such as {1: 7d, 2: 30d, 3: 30d}")
    caps: list[dict[str, Any]] = []
    quiet_hours: dict[str, str] | None = None
    holding: str = "0s"
    reminders_count: bool = True
    rules: list[dict[str, Any]] = []
    effective_from: str | None = None


class PolicyShown(BaseModel):
    version: int
    effective_from: str | None
    policy: dict[str, Any]


class CustomerPath(BaseModel):
    external_id: str = Field(max_length=200)


class ExplainQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    trigger: str = Field(max_length=80)
    instance: str | None = Field(None, max_length=200)


class Explanation(BaseModel):
    allowed: bool
    reason: str | None
    channel: str | None
    verdicts: list[dict[str, Any]]
    next_eligible_at: str | None
    would_change: list[str] = Field(description="What would change the answer, a sentence per rule that refuses")
    policy_version: int


@blueprint.get("/policy", responses={200: PolicyShown})
def show_policy():
    """Show the policy in force

    Role: read.
    """
    version = policies.version_in_force(db.session, clock.now())
    if version is None:
        return {"version": 0, "effective_from": None, "policy": {}}
    return {"version": version.number, "effective_from": iso(version.effective_from), "policy": version.definition}


@blueprint.put("/policy", responses={200: PolicyShown}, openapi_extensions=reads(PolicyBody))
def put_policy():
    """Put a new policy version in force

    Role: admin. At once, or from `effective_from` on. A policy that cannot be is refused with the sentence that says
    why, and the one in force stays.
    """
    body = strict.body()
    if not isinstance(body, dict):
        raise strict.WrongFields(["policy: must be an object with gap, caps, quiet_hours, holding, rules"])
    definition = dict(body.get("policy") if isinstance(body.get("policy"), dict) else body)
    definition.pop("effective_from", None)
    try:
        version = activate_policy(definition, actor(), moment_of(body))
    except PolicyProblems as found:
        raise refused(found) from None
    return {"version": version.number, "effective_from": iso(version.effective_from), "policy": version.definition}


@blueprint.get("/customers/<path:external_id>/explain", responses={200: Explanation})
def explain(path: CustomerPath, query: ExplainQuery):
    """Explain whether a customer may be asked now

    Role: read. Every rule's verdict as if the trigger's event happened now, and the next moment it would be allowed.
    """
    customer = customer_named(db.session, path.external_id)
    if customer is None:
        return problems.problem(404, detail=f"No customer has the external id '{path.external_id}'.")
    trigger = prospects.trigger_by_key(db.session, query.trigger)
    if trigger is None:
        return problems.problem(404, detail=f"No trigger has the key '{query.trigger}'.")
    pepper = current_app.config["CONTACT_PEPPER"]
    ruling, facts, policy, now = prospects.ruled_now(db.session, customer, trigger, pepper, query.instance)
    free = next_eligible(facts, policy, now, pepper)
    return {
        "allowed": ruling.outcome is Outcome.ASKED,
        "reason": ruling.reason,
        "channel": ruling.channel,
        "verdicts": [_told(verdict, facts.candidate, ruling.channel) for verdict in ruling.verdicts],
        "next_eligible_at": iso(free) if free else None,
        "would_change": remedies(ruling, facts.candidate),
        "policy_version": policy.version,
    }


def _told(verdict: Verdict, candidate: Candidate, channel: str | None) -> dict[str, Any]:
    """A verdict with the sentence that says what would change it."""
    told = {"next_at": None} | verdict_json(verdict)
    return told if verdict.allowed else told | {"would_change": remedy(verdict, candidate, channel)}
