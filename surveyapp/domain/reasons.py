"""The words for why an ask is refused or waits: one table for every screen, export header and the API's documents."""

from dataclasses import dataclass

from surveyapp.domain.vocabulary import MessageState, Outcome, Reason


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """`label` stands alone, `rule` names the rule in a table of verdicts, `icon` is a name of the sprite."""

    label: str
    rule: str
    icon: str


REASONS: dict[str, ReasonWords] = {
    Reason.NO_CONSENT: ReasonWords("No consent", "Consent", "hand-stop"),
    Reason.NO_ADDRESS: ReasonWords("No address", "Address", "at-off"),
    Reason.OPTED_OUT: ReasonWords("Opted out", "Opt-out", "bell-off"),
    Reason.SUPPRESSED_ADDRESS: ReasonWords("Address refuses mail", "Address accepts mail", "plug-x"),
    Reason.PAUSED: ReasonWords("Taking a break", "Customer’s break", "player-pause"),
    Reason.STOPPED: ReasonWords("Stopped by an operator", "Stop switch", "ban"),
    Reason.SURVEY_CLOSED: ReasonWords("Survey closed", "Survey open", "lock"),
    Reason.SENSITIVE: ReasonWords("Sensitive event", "Sensitive event", "heart"),
    Reason.OPEN_CASE: ReasonWords("Has an open case", "Open case", "lifebuoy"),
    Reason.HOLDOUT: ReasonWords("Never-ask group", "Never-ask group", "circle-off"),
    Reason.EXPIRED: ReasonWords("Too late", "In time", "hourglass-low"),
    Reason.ALREADY_ASKED: ReasonWords("Already asked", "Asked before", "repeat"),
    Reason.ASKED_ELSEWHERE: ReasonWords("Asked by another partner", "Asked elsewhere", "external-link"),
    Reason.JOURNEY_CAP: ReasonWords("Already asked on this {instance}", "Limit per {instance}", "route"),
    Reason.GAP: ReasonWords("Asked too recently", "Rest between asks", "clock-pause"),
    Reason.CAP: ReasonWords("Ask limit reached", "Ask limits", "stack-2"),
    Reason.BUDGET: ReasonWords("Yearly budget spent", "Attention budget", "scale"),
    Reason.YIELDED: ReasonWords("Gave way to another ask", "Better ask", "arrows-exchange"),
    Reason.SAMPLED_OUT: ReasonWords("Not drawn", "Drawn", "dice-3"),
    "quiet_hours": ReasonWords("Quiet hours", "Quiet hours", "moon"),
    "holding": ReasonWords("Held for a better ask", "Holding", "player-pause"),
}
INSTANCE = "journey"
"""What one journey of a customer is called where no programme says it (trip, claim, ride)."""

OUTCOMES = {Outcome.ASKED: "Asked", Outcome.WAITING: "Waiting", Outcome.REFUSED: "Refused"}

MESSAGE_STATES = {
    MessageState.PLANNED: "planned",
    MessageState.SENDING: "being sent",
    MessageState.SENT: "sent",
    MessageState.DELIVERED: "delivered",
    MessageState.UNKNOWN: "outcome unknown",
    MessageState.UNKNOWN_FINAL: "outcome unknown for good",
    MessageState.REFUSED: "not sent: refused",
    MessageState.FAILED: "failed",
    MessageState.DEAD: "given up",
    MessageState.CANCELLED: "cancelled",
}


def reason_label(code: str, instance: str = INSTANCE) -> str:
    """The reason in words that stand alone; an unknown code is itself, spelled out."""
    words = REASONS.get(code)
    return words.label.format(instance=instance) if words else code.replace("_", " ").capitalize()


def rule_name(code: str, instance: str = INSTANCE) -> str:
    """The rule of that reason as a table of verdicts names it."""
    words = REASONS.get(code)
    return words.rule.format(instance=instance) if words else code.replace("_", " ").capitalize()


def reason_icon(code: str) -> str:
    """The icon beside the reason."""
    words = REASONS.get(code)
    return words.icon if words else "circle-off"
