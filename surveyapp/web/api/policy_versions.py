"""The policy as it changes, over HTTP: its versions, the draft of the next, and what is different, in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from surveyapp import clock
from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_contradictions import remarks
from surveyapp.domain.policy_difference import differences
from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.extensions import db
from surveyapp.models import PolicyDraft, PolicyVersion
from surveyapp.queries import policy as policies
from surveyapp.services import policy as service
from surveyapp.web import problems
from surveyapp.web.api import strict
from surveyapp.web.api.schemas import Problem, Shape, reads
from surveyapp.web.security import current_key

blueprint = APIBlueprint(
    "api_policy_versions", __name__, abp_tags=[Tag(name="Contact policy")], abp_security=[{"bearer": []}]
)
NEWEST = 100


class DraftBody(Shape):
    """The next policy as in the programme file; `revision` is the one that was read, 0 where there was none."""

    policy: dict[str, Any]
    revision: int | None = None


class ActivateBody(Shape):
    revision: int | None = None
    effective_from: str | None = Field(None, description="A time with its zone; at once without it")


class DifferenceShown(BaseModel):
    rule: str
    before: str
    after: str
    text: str


class DraftShown(BaseModel):
    revision: int
    base_version: int
    policy: dict[str, Any]
    differences: list[DifferenceShown] = Field(description="From the policy in force to the draft")
    remarks: list[str] = Field(description="Rules that never matter, or say never")
    updated_at: str
    updated_by: str


class VersionShown(BaseModel):
    version: int
    effective_from: str
    created_at: str
    created_by: str
    in_force: bool


class VersionList(BaseModel):
    items: list[VersionShown]
    next: str | None


class Differences(BaseModel):
    differences: list[DifferenceShown]


class DifferencesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    before: int = Field(alias="from", ge=1, lt=2**31)
    after: int = Field(alias="to", ge=1, lt=2**31)


@blueprint.get("/policy/versions", responses={200: VersionList})
def list_versions():
    """List the versions of the policy

    Role: read. Newest first, with those that are still to come.
    """
    now = policies.version_in_force(db.session, clock.now())
    items = [
        {
            "version": version.number,
            "effective_from": iso(version.effective_from),
            "created_at": iso(version.created_at),
            "created_by": version.created_by,
            "in_force": now is not None and version.id == now.id,
        }
        for version in policies.versions(db.session, NEWEST)
    ]
    return {"items": items, "next": None}


@blueprint.get("/policy/differences", responses={200: Differences, 404: Problem})
def show_differences(query: DifferencesQuery):
    """Say what is different between two versions

    Role: read.
    """
    found = [policies.version_numbered(db.session, number) for number in (query.before, query.after)]
    if found[0] is None or found[1] is None:
        return problems.problem(404, detail="There is no version of that number.")
    return {"differences": told(*(policies.parsed(v.number, v.definition) for v in found if v))}


@blueprint.get("/policy/draft", responses={200: DraftShown, 404: Problem})
def show_draft():
    """Show the draft of the next policy

    Role: read. With what it would change and what about it never matters.
    """
    found = policies.draft(db.session)
    return shown(found) if found else problems.problem(404, detail="Nobody is writing a policy.")


@blueprint.put("/policy/draft", responses={200: DraftShown, 409: Problem}, openapi_extensions=reads(DraftBody))
def put_draft():
    """Write the draft of the next policy

    Role: admin. A policy that cannot be is refused with the sentence that says why; nothing takes force yet.
    """
    body = strict.body()
    if not isinstance(body, dict) or not isinstance(body.get("policy"), dict) or set(body) - {"policy", "revision"}:
        raise strict.WrongFields(["policy: must be an object with policy, and perhaps revision"])
    try:
        return shown(service.save_draft(body["policy"], actor(), revision_of(body)))
    except PolicyProblems as found:
        raise refused(found) from None
    except service.DraftChanged:
        return _conflict()


@blueprint.delete("/policy/draft", responses={204: None})
def delete_draft():
    """Throw the draft away

    Role: admin. Without one nothing happens.
    """
    service.discard_draft()
    return "", 204


@blueprint.post(
    "/policy/draft/activate", responses={200: VersionShown, 404: Problem}, openapi_extensions=reads(ActivateBody)
)
def activate_draft():
    """Put the draft in force

    Role: admin. At once, or from `effective_from` on. What waits is decided by it when it is due.
    """
    body = strict.body()
    if not isinstance(body, dict) or set(body) - {"revision", "effective_from"}:
        raise strict.WrongFields(["policy: must be an object with revision and effective_from, or empty"])
    try:
        version = service.activate_draft(actor(), revision_of(body), moment_of(body), may_exempt=True)
    except service.DraftMissing:
        return problems.problem(404, detail="Nobody is writing a policy.")
    except service.DraftChanged:
        return _conflict()
    except PolicyProblems as found:
        raise refused(found) from None
    return _version(version)


def _version(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "effective_from": iso(version.effective_from),
        "created_at": iso(version.created_at),
        "created_by": version.created_by,
        "in_force": version.effective_from <= clock.now(),
    }


def shown(draft: PolicyDraft) -> dict[str, Any]:
    """The draft with what it changes."""
    proposed = service.read_policy(draft.definition)
    return {
        "revision": draft.revision,
        "base_version": draft.base_version,
        "policy": draft.definition,
        "differences": told(policies.policy_in_force(db.session, clock.now()), proposed),
        "remarks": remarks(proposed),
        "updated_at": iso(draft.updated_at),
        "updated_by": draft.updated_by,
    }


def told(before: Policy, after: Policy) -> list[dict[str, str]]:
    """The differences as the API shows them."""
    return [
        {"rule": one.rule, "before": one.before, "after": one.after, "text": one.text}
        for one in differences(before, after)
    ]


def refused(found: PolicyProblems) -> strict.WrongFields:
    """Each problem of a policy as a field and a sentence."""
    return strict.WrongFields([f"{'.'.join(map(str, path)) or 'policy'}: {why}" for path, why in found.problems])


def revision_of(body: Mapping[str, Any]) -> int | None:
    """The revision that the caller read, if they say."""
    revision = body.get("revision")
    if revision is not None and (type(revision) is not int or revision < 0):
        raise strict.WrongFields(["revision: must be a whole number"])
    return revision


def moment_of(body: Mapping[str, Any]) -> datetime | None:
    """The moment from which a policy is to hold, if the caller gives one."""
    begins = body.get("effective_from")
    if begins is None:
        return None
    try:
        moment = datetime.fromisoformat(begins)
    except (TypeError, ValueError):
        raise strict.WrongFields(["effective_from: must be a time such as 2026-12-01T00:00:00Z"]) from None
    if moment.tzinfo is None:
        raise strict.WrongFields(["effective_from: has no zone; add Z or an offset"])
    return moment


def actor() -> str:
    """Who is calling, as versions name them."""
    return f"key:{current_key().name}"


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _conflict() -> Any:
    return problems.problem(409, detail="Somebody else saved the draft since you read it; read it again.")
