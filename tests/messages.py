"""A planned message of unsaved rows, for tests of what leaves."""

from datetime import UTC, datetime
from typing import Any

from surveyapp.models import Brand, Customer, Event, Invitation, Message, SurveyVersion

INVITATION = "Ab3dEf6hIj9kLmN0pQrStU"
SLUG = "Sh0rtSlug9"


def make_message(
    metric: str = "nps",
    language: str = "en",
    channel: str = "email",
    kind: str = "first",
    about: Any = None,
    definition: dict[str, Any] | None = None,
    step: bool = True,
    **brand: Any,
) -> tuple[Message, Brand]:
    values = {
        "name": "Oddjob Airways",
        "language": "en",
        "languages": ["en"],
        "timezone": "Europe/Paris",
        "palette": {},
    }
    about = {"en": "check-in", "fr": "l'enregistrement"} if about is None else about
    version = SurveyVersion(definition=definition or {"metric": metric, "about": about})
    event = Event(occurred_at=datetime(2026, 11, 1, 23, 30, tzinfo=UTC), step_id=1 if step else None)
    slug = SLUG if channel == "sms" else None
    invitation = Invitation(uid=INVITATION, short_slug=slug, survey_version=version, language=language, event=event)
    customer = Customer(email="ada@example.org", phone="+33612345678")
    message = Message(uid="m-1", kind=kind, channel=channel, invitation=invitation, customer=customer)
    return message, Brand(**(values | brand))
