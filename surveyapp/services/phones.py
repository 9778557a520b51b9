"""Telephone numbers as E.164, by the numbering plans. A number that would have to be guessed is refused."""

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

_COSTLY = {PhoneNumberType.PREMIUM_RATE: "a premium-rate", PhoneNumberType.SHARED_COST: "a shared-cost"}
_ALLOWED = frozenset("+0123456789 ().-/\u00a0\u202f\u2011")


@lru_cache(maxsize=8192)
def normalise_phone(text: str) -> str:
    """The number as `+33612345678`. Raises ValueError with a sentence for anything that is not one full number."""
    text = text.strip()
    if not text.startswith("+"):
        raise ValueError("start with + and the country code, such as +33612345678; a national number is not guessed")
    if not _ALLOWED.issuperset(text):
        raise ValueError("a number holds digits, spaces and + only; letters are not translated")
    try:
        number = phonenumbers.parse(text, None)
    except NumberParseException:
        raise ValueError("is no telephone number") from None
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        raise ValueError("is no number in use in its country")
    if kind in _COSTLY:
        raise ValueError(f"is {_COSTLY[kind]} number; give the customer's own")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
