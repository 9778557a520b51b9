"""`POST /api/v1/events`: what happened to customers, up to 1,000 at a time; good events are kept beside bad ones."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from surveyapp import clock
from surveyapp.domain.events import EventIn, read_event
from surveyapp.domain.fields import kind_of
from surveyapp.services.journeys import IntakeResult, record_events
from surveyapp.web.api import strict
from surveyapp.web.api.schemas import EventsBody, EventsTaken, reads

EVENTS_LIMIT = 1_000
EXAMPLE = {
    "events": [
        {
            "id": "e-1",
            "customer": {
                "external_id": "c-1",
                "email": "ada@example.org",
                "language": "fr",
                "timezone": "Europe/Paris",
            },
            "journey": "flight",
            "step": "check_in",
            "instance": "AF123-2026-11-02",
            "occurred_at": "2026-11-02T08:15:00Z",
            "properties": {"class": "Business", "delay_minutes": 12},
        }
    ]
}

blueprint = APIBlueprint("api_events", __name__, abp_tags=[Tag(name="Events")], abp_security=[{"bearer": []}])


@blueprint.post("/events", responses={202: EventsTaken}, openapi_extensions=reads(EventsBody, EXAMPLE))
def take_events():
    """Take in events

    Role: ingest. Good events are kept when others are bad; each bad one is named by its place in the list, with a
    sentence for each thing wrong. The same id again changes nothing.
    """
    values = listed(strict.body(), "events", EVENTS_LIMIT)
    good: list[EventIn] = []
    places: list[int] = []
    rejected: list[dict[str, Any]] = []
    now = clock.now()
    for index, value in enumerate(values):
        event = read_event(value, now)
        if isinstance(event, list):
            rejected.append({"index": index, "errors": event})
        else:
            good.append(event)
            places.append(index)
    result = record_events(good, source="api") if good else IntakeResult()
    rejected += [{"index": places[one.index], "errors": one.errors} for one in result.rejected]
    rejected.sort(key=lambda one: one["index"])
    return {"accepted": result.accepted, "duplicates": result.duplicates, "rejected": rejected}, 202


def listed(value: Any, name: str, limit: int) -> list[Any]:
    """The list under `name`, the body's only field. Raises BadJson or WrongFields."""
    if not isinstance(value, dict):
        raise strict.BadJson(f'The body must be an object such as {{"{name}": […]}}, not {kind_of(value)}', (1, 1))
    strangers = [f"{field[:80]}: is unknown here; the only field is {name}" for field in value if field != name]
    if strangers:
        raise strict.WrongFields(strangers)
    items = value.get(name)
    if not isinstance(items, list):
        raise strict.WrongFields([f"{name}: must be a list" if name in value else f"{name}: is missing"])
    if len(items) > limit:
        raise strict.WrongFields([f"{name}: has {len(items):,} entries; send at most {limit:,} a call"])
    return items
