"""The words of the product: channels, outcomes, reasons, states, roles. One word per thing, everywhere the same."""

from enum import StrEnum


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    WEB = "web"


LOCAL_PROVIDERS = ("mailbox", "phone")  # what they keep has arrived: nobody reports it later


class Outcome(StrEnum):
    ASKED = "asked"
    WAITING = "waiting"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why an ask is refused, in the order in which the first one becomes the stored reason."""

    NO_CONSENT = "no_consent"
    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    SUPPRESSED_ADDRESS = "suppressed_address"
    PAUSED = "paused"
    STOPPED = "stopped"
    SURVEY_CLOSED = "survey_closed"
    SENSITIVE = "sensitive"
    OPEN_CASE = "open_case"
    HOLDOUT = "holdout"
    EXPIRED = "expired"
    ALREADY_ASKED = "already_asked"
    ASKED_ELSEWHERE = "asked_elsewhere"
    JOURNEY_CAP = "journey_cap"
    GAP = "gap"
    CAP = "cap"
    BUDGET = "budget"
    YIELDED = "yielded"
    SAMPLED_OUT = "sampled_out"


class MessageState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    UNKNOWN_FINAL = "unknown_final"
    REFUSED = "refused"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class MessageKind(StrEnum):
    FIRST = "first"
    REMINDER = "reminder"
    FOLLOW_UP = "follow_up"


class LedgerState(StrEnum):
    RESERVED = "reserved"
    SENT = "sent"
    UNKNOWN = "unknown"
    RELEASED = "released"


class ResponseStatus(StrEnum):
    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    SUSPECTED_BOT = "suspected_bot"


class CaseOutcome(StrEnum):
    """How a case ended for its customer."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    COMPENSATED = "compensated"
    OUT_OF_OUR_HANDS = "out_of_our_hands"


class Role(StrEnum):
    """Who a signed-in person is."""

    ADMIN = "admin"
    EDITOR = "editor"
    ANALYST = "analyst"
    AGENT = "agent"
    PARTNER = "partner"


class KeyRole(StrEnum):
    """What an API key may do."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"
    PARTNER = "partner"
