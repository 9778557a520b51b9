"""What runs by itself: one row per job. Each is idempotent and carries no state; a double run changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from surveyapp.jobs import sending
from surveyapp.services import (
    clicks,
    delivery_events,
    digest,
    idempotency,
    recovery,
    recurrence,
    simulation_runs,
    tickets,
    webhook_delivery,
)


@dataclass(frozen=True)
class Job:
    """`run` is called every `seconds` in an application context."""

    name: str
    seconds: int
    run: Callable[[], object]
    does: str


JOBS: tuple[Job, ...] = (
    Job("send", 1, sending.tick, "decides and sends what is due, or wakes the workers that do"),
    Job("look_after", 5, sending.look_after, "sends what the workers have left lying"),
    Job("reap", 15, recovery.reap, "takes back messages of a sender that died"),
    Job("unseen", 15, tickets.release_unseen, "gives back contacts of questions that no visitor saw"),
    Job("settle", 900, recovery.settle_unknown, "closes unknown outcomes after 24 hours"),
    Job("recur", 600, recurrence.plan_recurring, "plans recurring surveys"),
    Job("simulate", 2, simulation_runs.advance, "plays the next slice of a simulation"),
    Job("digest", 300, digest.send_due, "sends the weekly digest to people of the console who asked for it"),
    Job("webhooks", 2, webhook_delivery.send_due, "tells endpoints of webhooks what is due"),
    Job("forget_webhooks", 3600, webhook_delivery.forget, "deletes what endpoints were told 30 days ago"),
    Job("forget_events", 3600, delivery_events.forget_events, "forgets provider events that nobody repeats any more"),
    Job("forget_calls", 3600, idempotency.forget, "forgets calls with an Idempotency-Key after a day"),
    Job("forget_clicks", 3600, clicks.forget, "deletes evidence about links that is old enough"),
)
