"""`GET /api/v1/decisions`: one row per event and trigger, refusals too, with every rule's verdict."""

from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, model_validator

from surveyapp.domain.vocabulary import Outcome, Reason
from surveyapp.extensions import db
from surveyapp.queries.decisions import decision_page
from surveyapp.web import problems

blueprint = APIBlueprint("api_decisions", __name__, abp_tags=[Tag(name="Decisions")], abp_security=[{"bearer": []}])
FILTERS = ("customer", "trigger", "event", "outcome", "reason")


class DecisionQuery(BaseModel):
    """Filters; each is optional, and an empty one counts as not given."""

    model_config = ConfigDict(extra="forbid")
    customer: str | None = Field(None, max_length=200, description="External id")
    trigger: str | None = Field(None, max_length=80)
    event: str | None = Field(None, max_length=200, description="The event's id")
    outcome: Outcome | None = None
    reason: Reason | None = None
    after: int | None = Field(None, ge=1, lt=2**63, description="Where the page begins; taken from `next`")
    limit: int = Field(100, ge=1, le=1000)

    @model_validator(mode="before")
    @classmethod
    def given(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value != ""}


class DecisionList(BaseModel):
    items: list[dict]
    next: str | None


@blueprint.get("/decisions", responses={200: DecisionList})
def list_decisions(query: DecisionQuery):
    """List decisions

    Role: read. Newest first. `reason` is the first rule that refused; `verdicts` holds what every rule said.
    """
    filters = {name: str(value) for name in FILTERS if (value := getattr(query, name)) is not None}
    if any("\0" in value for value in filters.values()):
        return problems.problem(422, "The request does not fit", "A filter holds a NUL character.")
    page = decision_page(db.session, filters, query.after, query.limit)
    following = None
    if page.after is not None:
        following = f"{request.path}?{urlencode({**filters, 'limit': query.limit, 'after': page.after})}"
    return {"items": page.items, "next": following}
