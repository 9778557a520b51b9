"""Response rates by the AAPOR Standard Definitions: one invitation is one unit, reminders add none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How invitations ended: complete, partial, refusal, non-contact, other, unknown eligibility.

    `eligible_share` (0–1) is the part of the unknown ones taken as eligible (AAPOR's e).
    """

    complete: int = 0
    partial: int = 0
    refusal: int = 0
    non_contact: int = 0
    other: int = 0
    unknown: int = 0
    eligible_share: float = 1.0

    @property
    def known(self) -> int:
        return self.complete + self.partial + self.refusal + self.non_contact + self.other


def _rate(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def response_rate(o: Outcomes) -> float | None:
    """RR2, the one shown as "response rate": complete and partial of all invited, 0–1; None when nobody was invited."""
    return _rate(o.complete + o.partial, o.known + o.unknown)


def rates(o: Outcomes) -> dict[str, float | None]:
    """RR1–RR6, COOP1, REF1 and CON1, each 0–1 or None."""
    everyone = o.known + o.unknown
    likely = o.known + o.eligible_share * o.unknown
    answered = o.complete + o.partial
    contacted = answered + o.refusal + o.other
    return {
        "RR1": _rate(o.complete, everyone),
        "RR2": response_rate(o),
        "RR3": _rate(o.complete, likely),
        "RR4": _rate(answered, likely),
        "RR5": _rate(o.complete, o.known),
        "RR6": _rate(answered, o.known),
        "COOP1": _rate(o.complete, contacted),
        "REF1": _rate(o.refusal, everyone),
        "CON1": _rate(contacted, everyone),
    }
