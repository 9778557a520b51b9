"""What a policy lets us promise to a customer, e.g. "at most twice in 30 days". Never more than every rule keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from surveyapp.domain.policy import EVERYONE, Policy
from surveyapp.domain.wording import fill

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Promise:
    """At most `times` asks in any `span`, whatever the survey and the channel."""

    times: int
    span: timedelta


def at_most(policy: Policy) -> Promise | None:
    """The promise of the shortest rolling cap that covers every ask, or None when nothing guarantees one.

    A cap of one journey, step or channel promises nothing about the others; nor does any cap when reminders do not
    count or an exemption may lift it.
    """
    lifted = any("cap" in exemption.rules for exemption in policy.exemptions)
    if lifted or not policy.reminders_count:
        return None
    promises = [
        Promise(cap.most, cap.per)
        for cap in policy.caps
        if cap.per is not None and cap.per >= HOUR and cap.most > 0 and cap.scope == EVERYONE and not cap.journey
    ]
    return min(promises, key=lambda promise: (promise.span, promise.times), default=None)


def in_words(promise: Promise | None, words: Mapping[str, object]) -> str:
    """The sentence in the language of `words`: the `promise` part of a message catalog."""
    if promise is None:
        return str(words["plain"])
    unit, name = (DAY, "days") if promise.span >= DAY else (HOUR, "hours")
    # A span that is no whole number of units is rounded down: promising less time is the smaller claim.
    times = _counted(promise.times, words["times"])
    span = _counted(promise.span // unit, words[name])
    return fill(str(words["capped"]), {"times": times, "span": span})


def _counted(number: int, forms: object) -> str:
    assert isinstance(forms, Mapping)
    form = "one" if number == 1 else "two" if number == 2 else "few" if number <= 10 else "many"
    return fill(str(forms[form]), {"n": number})
