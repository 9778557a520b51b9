"""How much is more than people do: offers, answers and signs by network, key and ticket. Counts; refuses nothing.

A network is shared (an office, a school, a train), so what it may do at once is what forty people do. Answers beyond
are kept apart, never turned away: who stuffs ballots learns nothing, who does not loses nothing that cannot be mended.
"""

from datetime import timedelta

from surveyapp.web import limits

OFFERS_A_MINUTE = 240
OFFERS_A_MINUTE_BY_KEY = 6_000
ANSWERS_A_MINUTE, ANSWERS_AT_ONCE = 30, 100
ANSWERS_A_MINUTE_BY_KEY = 1_200
HASTE = timedelta(seconds=1)  # nobody reads, chooses and taps in less
HASTY_A_MINUTE, HASTY_AT_ONCE = 10, 80
HASTY_A_MINUTE_BY_KEY, HASTY_AT_ONCE_BY_KEY = 60, 200
CALLS_A_MINUTE_BY_TICKET = 20
SIGNS_A_MINUTE = 30


def too_many_offers(partner_id: int, network: str) -> bool:
    """Whether this network, or the pages with this key, ask for offers faster than people load pages."""
    by_network = _limiter().wait(f"offer:{network}", OFFERS_A_MINUTE)
    return bool(by_network or _limiter().wait(f"offer-key:{partner_id}", OFFERS_A_MINUTE_BY_KEY))


def stuffing(partner_id: int, network: str, in_sight: timedelta) -> bool:
    """Whether first answers come faster, from this network or by this key, than people give them.

    Of answers within a second of the question's coming into sight there may be few: a flood over many networks is made
    of them, and people who answer during the flood are not among them.
    """
    limiter = _limiter()
    if in_sight < HASTE and (
        limiter.wait(f"hasty:{network}", HASTY_A_MINUTE, HASTY_AT_ONCE)
        or limiter.wait(f"hasty-key:{partner_id}", HASTY_A_MINUTE_BY_KEY, HASTY_AT_ONCE_BY_KEY)
    ):
        return True  # what is set aside takes nothing from those who do read
    by_network = limiter.wait(f"answer:{network}", ANSWERS_A_MINUTE, ANSWERS_AT_ONCE)
    return bool(by_network or limiter.wait(f"answer-key:{partner_id}", ANSWERS_A_MINUTE_BY_KEY))


def too_many_calls(ticket: str) -> bool:
    """Whether one question is answered over and over."""
    return bool(_limiter().wait(f"ticket:{ticket}", CALLS_A_MINUTE_BY_TICKET))


def too_many_signs(partner_id: int, what: str, origin: str | None) -> bool:
    """Whether this sign of life was written down often enough; what every visit of an `origin` does, once a minute."""
    return bool(_limiter().wait(f"sign:{partner_id}:{what}:{origin or ''}", 1 if origin else SIGNS_A_MINUTE))


def _limiter() -> limits.Limiter:
    return limits.limiter("widget")
