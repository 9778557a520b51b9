"""What came over an answer's link, in words: who fetched, who posted, and what that made of it. No database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from surveyapp.domain.clicks import Evidence, HitKind
from surveyapp.queries.clicks import RawEvidence

REASONS = {
    Evidence.HONEYPOT: "its visitor followed a link that no person sees",
    Evidence.VALUES: "its visitor fetched two or more scores within a minute",
    Evidence.SOON: "a script posted within ten seconds of the message's arrival",
    Evidence.PREFETCH: "the post called itself a prefetch",
    Evidence.VISITOR: "its visitor was set aside just before",
    Evidence.LOOKED_AHEAD: "its visitor looked ahead (HEAD or prefetch), so a gesture alone is not enough",
}
_KINDS = {
    HitKind.PAGE: "opened the page",
    HitKind.HEAD: "asked whether the page is there (HEAD)",
    HitKind.PREFETCH: "fetched the page ahead (prefetch)",
    HitKind.HONEYPOT: "followed the link that no person sees",
    HitKind.SCRIPT: "the page's script posted",
}


@dataclass(frozen=True)
class Line:
    """One thing that came over the link. `visitor` is a letter: the same letter is the same network and browser."""

    at: datetime
    visitor: str
    what: str
    because: tuple[str, ...] = ()
    status: str | None = None


def lines(raw: RawEvidence) -> list[Line]:
    """Everything in order of time; visitors are lettered as they appear."""
    found = [(message.sent_at, "", "the message left us", (), None) for message in raw.handed_over]
    found += [(m.delivered_at, "", "the provider reported it delivered", (), None) for m in raw.handed_over
              if m.delivered_at is not None]  # fmt: skip
    for hit in raw.hits:
        value = "" if hit.value is None else f" with score {hit.value}"
        found.append((hit.at, hit.visitor, _KINDS.get(HitKind(hit.kind), hit.kind) + value, (), None))
    for visit in raw.visits:
        made = f"posted at a gesture ({visit.gesture})" if visit.gesture else "last posted its answer"
        found.append((visit.at, visit.visitor, made, _because(visit.reasons), visit.status))
    found.sort(key=lambda one: one[0])
    letters: dict[str, str] = {}
    for _, visitor, *_ in found:
        if visitor:
            letters.setdefault(visitor, _letter(len(letters)))
    return [Line(at, letters.get(who, ""), what, because, status) for at, who, what, because, status in found]


def in_words(reason: str) -> str:
    """What speaks against a visit."""
    return REASONS.get(Evidence(reason), reason)


def _because(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(in_words(reason) for reason in reasons)


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number + 1)
