"""Cases over HTTP: opened by whoever looks after a customer, listed, closed."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import abort, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from surveyapp.domain.fields import read_id, unknown_fields
from surveyapp.extensions import db
from surveyapp.models import Case
from surveyapp.queries.cases import case_page
from surveyapp.services import cases
from surveyapp.web.api import idempotency, strict
from surveyapp.web.api.schemas import Problem, Shape, reads

REASON_LIMIT = 500
STEP_LIMIT = 161

blueprint = APIBlueprint("api_cases", __name__, abp_tags=[Tag(name="Cases")], abp_security=[{"bearer": []}])


class CaseBody(Shape):
    """Who is looked after, and why."""

    customer: str = Field(min_length=1, max_length=200, description="External id")
    reason: str | None = Field(None, max_length=REASON_LIMIT)
    step: str | None = Field(None, max_length=STEP_LIMIT, description="The step it is about, as journey.step")


class CloseBody(Shape):
    """Nothing need be told."""


class CaseShown(BaseModel):
    id: str
    customer: str | None
    reason: str | None
    step: str | None
    opened_at: str
    taken_by: str | None = Field(description="Who looks after it; null while nobody does")
    closed_at: str | None


class CaseList(BaseModel):
    items: list[CaseShown]
    next: str | None


class CasePath(BaseModel):
    uid: str = Field(max_length=40, pattern=r"^[0-9a-f]+$")


class CasesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    customer: str | None = Field(None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="External id")
    open: bool = Field(False, description="true: only those that are open")
    after: int | None = Field(None, ge=1, lt=2**63, description="Where the page begins; taken from `next`")
    limit: int = Field(100, ge=1, le=1000)


@blueprint.post("/cases", responses={201: CaseShown, 404: Problem}, openapi_extensions=reads(CaseBody))
def open_case():
    """Open a case

    Role: ingest. Where the policy has the rule `open_case`, its customer is asked nothing while it is open.
    """
    body = strict.body()
    if not isinstance(body, dict):
        raise strict.WrongFields(["case: must be an object with customer, reason, step"])
    problems = unknown_fields(body, frozenset({"customer", "reason", "step"}), "")
    customer = read_id(body.get("customer"), "customer", problems)
    texts = {
        name: _text(body.get(name), name, limit, problems)
        for name, limit in (("reason", REASON_LIMIT), ("step", STEP_LIMIT))
    }
    if problems:
        raise strict.WrongFields(problems)
    try:
        case = cases.open_case(customer, texts["reason"], texts["step"], idempotency.uid())
    except cases.CustomerUnknown:
        abort(404, "There is no customer of this id.")
    except cases.StepUnknown:
        raise strict.WrongFields(["step: there is no such step; write it as journey.step"]) from None
    return shown(case, customer), 201


@blueprint.post(
    "/cases/<uid>/close", responses={200: CaseShown, 404: Problem}, openapi_extensions=reads(CloseBody, required=False)
)
def close_case(path: CasePath):
    """Close a case

    Role: ingest. Closing it again changes nothing. A body is not needed.
    """
    if request.content_length and strict.body() != {}:
        raise strict.WrongFields(["case: there is nothing to tell; leave the body out or empty"])
    try:
        case = cases.close_case(path.uid)
    except cases.CaseUnknown:
        abort(404, "There is no case of this id.")
    return shown(case, case.customer.external_id)


@blueprint.get("/cases", responses={200: CaseList})
def list_cases(query: CasesQuery):
    """List cases

    Role: read. Newest first.
    """
    rows = case_page(db.session, query.customer, query.open, query.after, query.limit + 1)
    following = None
    if len(rows) > query.limit:
        rows = rows[: query.limit]
        kept = {"customer": query.customer, "open": "true" if query.open else None, "limit": query.limit}
        wanted = {name: value for name, value in kept.items() if value is not None}
        following = f"{request.path}?{urlencode({**wanted, 'after': rows[-1].row})}"
    items = [
        {
            "id": row.id,
            "customer": row.customer,
            "reason": row.reason,
            "step": row.step,
            "opened_at": _iso(row.opened_at),
            "taken_by": row.taken_by,
            "closed_at": _iso(row.closed_at),
        }
        for row in rows
    ]
    return {"items": items, "next": following}


def shown(case: Case, customer: str | None) -> dict[str, Any]:
    """A case as the API shows it."""
    return {
        "id": case.uid,
        "customer": customer,
        "reason": case.reason,
        "step": case.step,
        "opened_at": _iso(case.opened_at),
        "taken_by": case.taken_by,
        "closed_at": _iso(case.closed_at),
    }


def _text(value: Any, name: str, limit: int, problems: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        problems.append(f"{name}: must be a text that is not empty, or be left out")
    elif len(value) > limit:
        problems.append(f"{name}: has more than {limit} characters")
    return value if isinstance(value, str) else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
