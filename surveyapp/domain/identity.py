"""Who a customer is to us: exact ids, one spelling per e-mail address, and the keys that make records one person.

Phone numbers are parsed by `services/customers`, which knows the numbering plans.
"""

import hashlib
import hmac
import re
import unicodedata

EMAIL_LIMIT = 254
LOCAL_LIMIT = 64
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+)*"
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?")
_TEXT_ERRORS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def has_control(text: str) -> bool:
    """Whether the text holds a control character, a line break or half a surrogate pair."""
    return not text.isprintable() and any(unicodedata.category(c) in _TEXT_ERRORS for c in text)


def normalise_email(text: str) -> str:
    """The one spelling of an address: case-folded as a whole, its domain as A-labels.

    Raises ValueError with a sentence when the text is no single plain address.
    """
    if has_control(text):
        raise ValueError("an address holds no control characters or line breaks")
    text = unicodedata.normalize("NFC", text.strip())
    if any(c.isspace() or c in '<>,;:"()[]\\' for c in text):
        raise ValueError("give one plain address such as ada@example.org, without name, quotes or brackets")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise ValueError("an address reads name@domain")
    local = local.casefold()
    if not _LOCAL.fullmatch(local) or len(local.encode()) > LOCAL_LIMIT:
        raise ValueError("the part before @ is no valid mailbox name")
    address = f"{local}@{_ascii_domain(domain)}"
    if len(address.encode()) > EMAIL_LIMIT:
        raise ValueError(f"an address has at most {EMAIL_LIMIT} characters")
    return address


def _ascii_domain(domain: str) -> str:
    try:
        ascii_domain = domain.lower() if domain.isascii() else domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("the part after @ is no valid domain") from None
    labels = ascii_domain.split(".")
    if len(labels) < 2 or len(ascii_domain) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("the part after @ is no valid domain")
    if labels[-1].isdigit():
        raise ValueError("the part after @ is a number, not a domain")
    return ascii_domain


def hashed(kind: str, text: str, pepper: str) -> str:
    """`kind:` and 32 hex digits of HMAC-SHA256(pepper, kind:text): stable, and no way back without the pepper."""
    digest = hmac.digest(pepper.encode(), f"{kind}:{text}".encode(), hashlib.sha256)
    return f"{kind}:{digest.hex()[:32]}"


def contact_keys(customer_id: int, email: str | None, phone: str | None, pepper: str) -> list[str]:
    """The keys of one record, sorted: `c:` itself, `e:` its hashed address, `p:` its hashed number.

    `email` and `phone` are in their normalised spelling.
    """
    keys = [f"c:{customer_id}"]
    if email:
        keys.append(hashed("e", email, pepper))
    if phone:
        keys.append(hashed("p", phone, pepper))
    return sorted(keys)


def tombstone(external_id: str, pepper: str) -> str:
    """The key that remembers an erased external id without holding it: `x:` and 32 hex digits."""
    return hashed("x", external_id, pepper)
