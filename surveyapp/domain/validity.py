"""Until when a text message may be delivered, so that a full queue at the network cannot ring at night."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from surveyapp.domain.facts import Candidate
from surveyapp.domain.policy import Policy
from surveyapp.domain.quiet_hours import next_closed, window_of

LONGEST = timedelta(hours=10)


def valid_until(
    candidate: Candidate, zones: Sequence[str], country: str | None, policy: Policy, now: datetime
) -> datetime:
    """The earliest of ten hours from `now`, the ask's own end, and the next quiet moment where the recipient may be."""
    latest = now + LONGEST
    if candidate.expires_at is not None:
        latest = min(latest, candidate.expires_at)
    for rule in policy.quiets:
        if candidate.in_scope(rule.scope, "sms"):
            latest = min(latest, next_closed(now, zones, window_of(rule, country), latest))
    return latest
