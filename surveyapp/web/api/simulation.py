"""`POST /api/v1/policy/simulate`: a policy tried on recorded events, beside the one in force. Changes nothing."""

from datetime import date, datetime, timedelta
from typing import Any

from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.domain.reporting_day import day_bounds
from surveyapp.queries.programme import brand
from surveyapp.services import simulation
from surveyapp.web.api import strict
from surveyapp.web.api.schemas import Shape, reads

blueprint = APIBlueprint(
    "api_simulation", __name__, abp_tags=[Tag(name="Contact policy")], abp_security=[{"bearer": []}]
)
FIELDS = ("policy", "from", "to")
FIRST_YEAR, LAST_YEAR = 1971, 9990
MOMENT = "must be a time such as 2026-11-02T00:00:00Z, or a day such as 2026-11-02"


class SimulateBody(Shape):
    """A policy as in the programme file, and the period whose events it is tried on, both ends included."""

    policy: dict[str, Any] = Field(description="gap, caps, quiet_hours, holding, reminders_count, rules")
    first: str = Field(alias="from", description="A time with its zone, or a day on the brand's clock")
    last: str = Field(alias="to", description="A time with its zone, or a day on the brand's clock")


class StepOutlook(BaseModel):
    metric: str
    asked: int
    expected_answers: float
    half_width: float | None
    target: float | None
    on_target: bool | None


class Column(BaseModel):
    """What one policy would have done."""

    decisions: int
    asked: int
    asked_by_trigger: dict[str, int]
    refused: dict[str, int] = Field(description="By the first rule that said no")
    contacts_per_customer: dict[str, int] = Field(description="Customers with an event, by number of contacts")
    customers: int
    customers_asked: int
    reminders: int
    expected_answers: float
    half_width: dict[str, float | None] = Field(description="Expected 95 % half-width by step, in points")
    steps: dict[str, StepOutlook]


class Range(BaseModel):
    low: float
    high: float


class Simulated(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    first: str = Field(alias="from")
    last: str = Field(alias="to")
    events: int
    policy_version: int
    current: Column
    proposed: Column
    expected_answers_change: Range


@blueprint.post("/policy/simulate", responses={200: Simulated}, openapi_extensions=reads(SimulateBody))
def simulate():
    """Try a policy on recorded events

    Role: read. Every event of the period is decided again, in memory, under the given policy and under the one in
    force, with the programme as it is now. Nothing is sent and nothing is stored.
    """
    policy, start, end = _read(strict.body())
    try:
        return simulation.simulate(policy, start, end)
    except PolicyProblems as found:
        raise strict.WrongFields(
            [f"{'.'.join(map(str, ('policy', *path)))}: {why}" for path, why in found.problems]
        ) from None
    except simulation.PeriodRefused as refusal:
        raise strict.WrongFields([str(refusal)]) from None


def _read(body: Any) -> tuple[dict[str, Any], datetime, datetime]:
    if not isinstance(body, dict):
        raise strict.WrongFields(["body: must be an object with policy, from and to"])
    wrong = [f"{name[:80]}: is no field here; known are {', '.join(FIELDS)}" for name in body if name not in FIELDS]
    policy = body.get("policy")
    if not isinstance(policy, dict):
        wrong.append("policy: must be an object with gap, caps, quiet_hours, holding, rules")
    start, end = (_moment(body.get(name), last=name == "to") for name in ("from", "to"))
    for name, moment in (("from", start), ("to", end)):
        if isinstance(moment, str):
            wrong.append(f"{name}: {moment}")
    if wrong:
        raise strict.WrongFields(wrong)
    return {name: value for name, value in policy.items() if name != "effective_from"}, start, end


def _moment(value: Any, *, last: bool) -> datetime | str:
    """The instant that `value` names, or what is wrong with it. A day means all of it, on the brand's clock."""
    if not isinstance(value, str) or len(value) > 40:
        return MOMENT
    try:
        if len(value) == len("2026-11-02"):
            day, owner = date.fromisoformat(value), brand()
            bounds = day_bounds(day, owner.timezone if owner else "UTC") if _usual(day) else None
            moment = bounds and (bounds[1] - timedelta(microseconds=1) if last else bounds[0])
        else:
            moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return MOMENT
    if moment is None or not _usual(moment):
        return f"must lie between {FIRST_YEAR} and {LAST_YEAR}"
    return moment if moment.tzinfo is not None else "has no zone; add Z or an offset"


def _usual(moment: date) -> bool:
    return FIRST_YEAR <= moment.year <= LAST_YEAR
