"""What would change the answer: one sentence for each rule that refuses, for whoever asks why somebody is not asked."""

from collections.abc import Callable, Iterable
from datetime import datetime

from surveyapp.domain.facts import Candidate, Decision, Verdict
from surveyapp.domain.reasons import rule_name
from surveyapp.domain.vocabulary import Reason

ADDRESS = {"email": "an e-mail address", "sms": "a phone number"}


def remedies(ruling: Decision, candidate: Candidate) -> list[str]:
    """What would have to change for the ask to be made, one sentence per rule that stands in the way."""
    against = (verdict for verdict in ruling.verdicts if not verdict.allowed)
    return list(dict.fromkeys(remedy(verdict, candidate, ruling.channel) for verdict in against))


def remedy(verdict: Verdict, candidate: Candidate, channel: str | None = None) -> str:
    """What would make this rule allow the ask. Empty for a rule that allows it."""
    if verdict.allowed:
        return ""
    make = SENTENCES.get(verdict.rule)
    return make(verdict, candidate, channel or candidate.channels[0]) if make else _time(verdict, "Time")


def _time(verdict: Verdict, otherwise: str, also: Iterable[str] = ()) -> str:
    """The moment from which the rule allows, where passing time is enough."""
    if verdict.next_at is None:
        return f"{otherwise}."
    return "; or ".join([f"{rule_name(verdict.rule)}: free again from {_moment(verdict.next_at)}", *also]) + "."


def _moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _consent(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    if "erased" in verdict.why:
        return "Nothing: a person who was erased is never asked again."
    return f"The customer would have to consent to being asked by {channel}."


def _address(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    wanted = " or ".join(ADDRESS[one] for one in candidate.channels if one in ADDRESS)
    return f"We would need {wanted or ADDRESS.get(channel, 'an address')} of this customer."


def _case(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    if verdict.next_at is None:
        return "The open case would have to be closed."
    return _time(verdict, "")


def _gap(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    return _time(verdict, "A policy with a shorter rest", ["a policy with a shorter rest"])


def _cap(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    return _time(verdict, "A policy that allows at least one ask", ["a policy with a higher limit"])


def _journey_cap(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    return f"An event of another {candidate.journey or 'journey'}; or a policy with a higher limit per journey."


def _budget(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    return _time(verdict, "A policy with a larger budget", ["a policy with a larger budget", "a cheaper channel"])


def _yielded(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    if verdict.why.startswith("the time is reserved"):
        return "The reserved ask would have to be made or dropped first; a moment of truth may interrupt it."
    return "The more important ask would have to be dropped."


def _sampled_out(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    if candidate.per_event:
        return "Another event, which draws anew; or a target that needs more answers."
    return _time(verdict, "A larger sample", ["a larger sample"])


def _says(sentence: str) -> Callable[[Verdict, Candidate, str], str]:
    return lambda verdict, candidate, channel: sentence


def _waits(verdict: Verdict, candidate: Candidate, channel: str) -> str:
    return _time(verdict, "Time")


SENTENCES: dict[str, Callable[[Verdict, Candidate, str], str]] = {
    Reason.NO_CONSENT: _consent,
    Reason.NO_ADDRESS: _address,
    Reason.OPTED_OUT: _says("The customer would have to opt in again; nobody else can do it for them."),
    Reason.SUPPRESSED_ADDRESS: _says("Another address: this one refuses messages."),
    Reason.PAUSED: _waits,
    Reason.STOPPED: _says("An operator would have to lift the stop."),
    Reason.SURVEY_CLOSED: _says("The survey and its trigger would have to be open again."),
    Reason.SENSITIVE: _waits,
    Reason.OPEN_CASE: _case,
    Reason.HOLDOUT: _says("Nothing, as long as the policy keeps this group of people who are never asked."),
    Reason.EXPIRED: _says("A later event: this one is too long ago, was taken back, or has no open hour left."),
    Reason.ALREADY_ASKED: _says("An event of another instance: about this one the survey was asked already."),
    Reason.ASKED_ELSEWHERE: _waits,
    Reason.JOURNEY_CAP: _journey_cap,
    Reason.GAP: _gap,
    Reason.CAP: _cap,
    Reason.BUDGET: _budget,
    Reason.YIELDED: _yielded,
    Reason.SAMPLED_OUT: _sampled_out,
    "quiet_hours": _waits,
    "holding": _waits,
}
