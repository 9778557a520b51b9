"""What the signs of life of a partner's pages say, in words a web developer can act on. Reads no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from surveyapp.queries.partners import PartnerFacts, Sign

FRESH = timedelta(minutes=10)
REASONS = {
    "policy": ("Not to be asked", "The contact policy said no, or the visitor was asked already."),
    "sampled_out": ("Not drawn", "Only a share of your visitors is asked, and this one is not among them."),
    "share_used_up": ("Share used up", "Your pages have made their share of this week's asks."),
    "no_survey": (
        "No question here",
        "No question for the web belongs to this step, or its conditions do not fit the properties you send.",
    ),
    "unknown_step": ("Unknown step", "The journey or the step is not one of ours. Check how both are written."),
    "step_not_allowed": ("Step not agreed", "The step exists, but it is not one that your pages may ask at."),
    "bad_signature": (
        "Wrong signature",
        "The signature is not HMAC-SHA256 of exactly this customer id with your secret, in hex.",
    ),
    "bad_properties": (
        "Properties that do not fit",
        "A property is too long, nested too deep, or has a reserved name; at most 100 properties.",
    ),
    "unreadable": ("Incomplete call", "The call lacks a journey or a step, or one of its fields is no text."),
    "too_many": (
        "Too many calls",
        "Calls came faster than people click, by one network or key; they were turned away for a minute.",
    ),
    "framed": ("In a frame", "Your page stood in a frame of a site that is not on your list; there we keep silent."),
    "quarantined": (
        "Answers kept apart",
        "Answers came faster than people give them, or filled a field that only machines see. They do not count.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One line of the health check. `state` is good, watch or bad; `at` is when it was last seen."""

    state: str
    title: str
    why: str = ""
    at: datetime | None = None
    n: int = 0


def findings(partner: PartnerFacts, signs: Sequence[Sign], now: datetime) -> list[Finding]:
    """How the installation does: what works first, then what stands in its way."""
    found = [*_lives(partner, signs, now), *_strangers(partner, signs)]
    seen = {origin for origin in partner.origins if any(s.origin == origin for s in signs)}
    found += [
        Finding("watch", f"Nothing was seen from {origin} in the last two weeks.", "Is the script on its pages?")
        for origin in partner.origins
        if origin not in seen
    ]
    return found


def refusals(partner: PartnerFacts, signs: Iterable[Sign]) -> list[Finding]:
    """Why nothing was shown, the latest first."""
    told = ((sign, *REASONS[sign.what]) for sign in signs if sign.what in REASONS)
    return [Finding("watch", f"{title}, at {_place(s.origin)}", why, s.last_at, s.n) for s, title, why in told]


def _place(origin: str) -> str:
    return {"null": "a page without an origin", "other": "a page of yet another origin"}.get(origin, origin)


def _lives(partner: PartnerFacts, signs: Sequence[Sign], now: datetime) -> Iterable[Finding]:
    for origin in partner.origins:
        loaded = _last(signs, origin, "loaded")
        asked = _last(signs, origin, "asked")
        if asked is not None:
            fresh = asked > now - FRESH
            yield Finding("good" if fresh else "watch", f"We saw your page load from {origin} and ask.", "", asked)
        elif loaded is not None:
            why = (
                "The script arrives, its question to us does not. Usually the page's Content-Security-Policy lacks our "
                "address in connect-src, no element or call names a journey and a step, or a visitor's blocker is on."
            )
            yield Finding("bad", f"The script loads on {origin}, but never asks.", why, loaded)


def _strangers(partner: PartnerFacts, signs: Sequence[Sign]) -> Iterable[Finding]:
    for sign in signs:
        if sign.what != "wrong_origin" or sign.origin in partner.origins:
            continue
        if sign.origin == "null":
            why = "A sandboxed frame or a file on disk has no origin, so nobody can say whose page it is."
        else:
            why = "An origin is scheme, host and port, exactly. If it is yours, have it added."
        page = f"page at {sign.origin}" if "://" in sign.origin else _place(sign.origin).removeprefix("a ")
        yield Finding("bad", f"A {page} asks and is refused.", why, sign.last_at, sign.n)


def _last(signs: Iterable[Sign], origin: str, what: str) -> datetime | None:
    return next((s.last_at for s in signs if s.origin == origin and s.what == what), None)
