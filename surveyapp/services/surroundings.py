"""Invents what stands beside the answers of a demonstration: two indicators, themes, reviews, and a few open cases.

From a seed, as the customers are; nothing of it is real, and the sources of the reviews say so.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.complaints import INDICATOR as COMPLAINTS
from surveyapp.domain.indicators import Better, Definition
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verbatims import Gap, Theme
from surveyapp.extensions import db
from surveyapp.models import Customer, Response
from surveyapp.services import audit
from surveyapp.services.cases import open_case
from surveyapp.services.indicators import define, keep_values
from surveyapp.services.reviews import import_reviews
from surveyapp.services.verbatims import save_theme

ACTOR = "demo"
WAIT = "check_in_wait"
CASES = 3
CASE_DAYS = timedelta(days=7)
REVIEWS = 40
THEMES = (
    Theme("Waiting", Gap.DELIVERY, {"en": ["waited", "slow", "queue"], "fr": ["attendu", "lent", "file"]}),
    Theme("Said twice", Gap.DELIVERY, {"en": ["twice", "two tries"], "fr": ["répéter", "deux essais"]}),
    Theme("No explanation", Gap.KNOWLEDGE, {"en": ["nobody could tell"], "fr": ["su me dire"]}),
    Theme("Kind people", "", {"en": ["friendly", "kind"], "fr": ["aimables"]}),
)
SAID: Mapping[int, Sequence[str]] = {
    5: ("Landed early, bags were there first.", "Kind crew, and check-in took a minute.", "Booked in two taps."),
    4: ("Good flight, the Wi-Fi was slow.", "Friendly driver, a bit late.", "All fine, food could be warmer."),
    3: ("A long queue at the gate, then a calm flight.", "It works, once you find the right button."),
    2: ("Waited forty minutes for a bag.", "Nobody could tell us why we were late."),
    1: ("Cancelled ride, no word from anyone.", "I had to send the same form twice."),
}
SOURCES = ("demo_apps", "demo_travel")


def invent(now: datetime, days: int, seed: int = 2026) -> None:
    """Everything of the `days` before `now`. The steps of the demonstration's programme must be there."""
    dice = random.Random(f"{seed}:surroundings")  # noqa: S311 - invented data, no secret
    past = [(now - timedelta(days=back)).date() for back in range(days, 0, -1)]
    with audit.acting(ACTOR):
        define(WAIT, Definition("Wait at check-in", unit="minutes", better=Better.LOWER))
        keep_values(WAIT, list(_waits(past, dice)))
        keep_values(COMPLAINTS, list(_complaints(past, dice)))
        for theme in THEMES:
            save_theme(None, theme)
        import_reviews(list(_reviews(now, days, dice)))
        for customer, (moment, step) in _unhappy(now).items():
            with clock.at(moment):
                open_case(customer, "Would like to be called back", step)


def _waits(days: Sequence[date], dice: random.Random) -> Iterator[dict[str, object]]:
    """Minutes, longer towards the weekend."""
    for day in days:
        usual = 16 if day.weekday() in (4, 5, 6) else 11
        value = round(max(2.0, dice.gauss(usual, 2.5)), 1)
        yield {"day": day.isoformat(), "step": "flight.check_in", "value": value}


def _complaints(days: Sequence[date], dice: random.Random) -> Iterator[dict[str, object]]:
    for day in days:
        yield {"day": day.isoformat(), "step": "flight.baggage_handling", "value": dice.choice((0, 0, 0, 1, 1, 2))}


def _reviews(now: datetime, days: int, dice: random.Random) -> Iterator[dict[str, object]]:
    for number in range(REVIEWS):
        rating = dice.choice((5, 5, 5, 4, 4, 3, 2, 1))
        moment = now - timedelta(days=dice.uniform(0.2, days))
        yield {
            "source": dice.choice(SOURCES),
            "id": f"generated-{number}",
            "rating": rating,
            "scale_min": 1,
            "scale_max": 5,
            "text": dice.choice(SAID[rating]),
            "language": "en",
            "reviewed_at": moment.isoformat(),
        }


def _unhappy(now: datetime) -> dict[str, tuple[datetime, str | None]]:
    """The customers who lately gave a low score and said why, each with the moment and the step."""
    query = (
        select(Customer.external_id, Response.answered_at, Response.step, Response.metric, Response.score)
        .join(Customer, Customer.id == Response.customer_id)
        .where(Response.answered_at > now - CASE_DAYS, Response.comment.is_not(None), Response.score.is_not(None))
        .order_by(Response.answered_at.desc(), Response.id.desc())
    )
    low = {
        str(customer): (moment, step)
        for customer, moment, step, metric, score in db.session.execute(query)
        if score in METRICS[metric].unfavourable
    }
    db.session.rollback()
    return dict(list(low.items())[:CASES])
