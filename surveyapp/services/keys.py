"""Makes, notes and ends API keys and partners. A key is shown once and kept as its hash; who may enter is elsewhere."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.vocabulary import KeyRole
from surveyapp.models import ApiKey, Partner
from surveyapp.queries.accounts import KeyFacts
from surveyapp.services import audit, vault
from surveyapp.services.transaction import transaction

USE_NOTED_EVERY = timedelta(minutes=1)


class KeyRefused(Exception):
    """The key or partner cannot be made so; the message says why in a sentence."""


class PartnerUnknown(Exception):
    """There is no partner under this key."""


class PartnerExists(Exception):
    """A partner of this key exists already."""


class KeyUnknown(Exception):
    """There is no such API key, or it was revoked before."""


@dataclass(frozen=True)
class NewPartner:
    """What a partner puts into their page and their server; the secret is not shown again."""

    key: str
    publishable: str
    secret: str


def hashed(secret: str) -> str:
    """SHA-256 in hex: enough for secrets of 128 random bits and more, which nobody can guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(name: str, role: str, partner: str | None = None, expires_at: datetime | None = None) -> str:
    """A new API key, in clear for this one time. Raises KeyRefused, PartnerUnknown."""
    name = name.strip()
    if not name or len(name) > 200:
        raise KeyRefused("A key needs a name of at most 200 characters.")
    if role not in set(KeyRole):
        raise KeyRefused(f"'{role}' is no role of a key; the roles are {', '.join(KeyRole)}.")
    if (role == KeyRole.PARTNER) != (partner is not None):
        raise KeyRefused("A key of the role 'partner' names its partner, and no other key does.")
    secret = "svk_" + secrets.token_urlsafe(32)
    with transaction() as session:
        row = ApiKey(
            name=name,
            prefix=secret[:12],
            key_hash=hashed(secret),
            role=role,
            partner_id=partner_id(session, partner) if partner else None,
            created_at=clock.now(),
            expires_at=expires_at,
        )
        session.add(row)
        audit.note(session, "key.created", row.prefix, {"name": name, "role": role, "partner": partner})
    return secret


def touch_key(key: KeyFacts, now: datetime) -> None:
    """Note that the key is in use, at most once a minute, in a transaction of its own."""
    if key.last_used_at is not None and key.last_used_at > now - USE_NOTED_EVERY:
        return
    with transaction() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))


def revoke_key(key_id: int) -> None:
    """The key opens nothing from the next request on. Raises KeyUnknown."""
    with transaction() as session:
        key = session.get(ApiKey, key_id, with_for_update=True, populate_existing=True)
        if key is None or key.revoked_at is not None:
            raise KeyUnknown("There is no such key in use.")
        key.revoked_at = clock.now()
        audit.note(session, "key.revoked", key.prefix, {"name": key.name, "role": key.role})


def create_partner(key: str, name: str, origins: Sequence[str]) -> NewPartner:
    """A partner with a publishable key for their page and a secret for their server.

    Raises KeyRefused, PartnerExists.
    """
    if not (key.isascii() and 0 < len(key) <= 80 and key.replace("_", "").replace("-", "").isalnum()):
        raise KeyRefused("A partner's key is made of letters, digits, '-' and '_', at most 80.")
    if not name.strip() or len(name) > 200:
        raise KeyRefused("A partner needs a name of at most 200 characters.")
    if not origins:
        raise KeyRefused("Name at least one origin, such as https://www.example.org.")
    allowed = sorted({origin(text) for text in origins})
    made = NewPartner(key, "pk_" + secrets.token_urlsafe(18), "sk_" + secrets.token_urlsafe(32))
    with transaction() as session:
        if session.scalar(select(Partner.id).where(Partner.key == key)) is not None:
            raise PartnerExists(f"There is a partner '{key}' already.")
        row = Partner(
            key=key,
            name=name.strip(),
            publishable=made.publishable,
            secret_encrypted=vault.seal(made.secret),
            origins=allowed,
            created_at=clock.now(),
        )
        session.add(row)
        audit.note(session, "partner.created", key, {"origins": allowed})
    return made


def origin(text: str) -> str:
    """The exact origin `scheme://host[:port]` in lower case. Raises KeyRefused for anything more or less."""
    parts = urlsplit(text.strip())
    plain = f"{parts.scheme}://{parts.netloc}".lower()
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or plain != text.strip().rstrip("/").lower()
        or "@" in plain
    ):
        raise KeyRefused(f"'{text}' is no origin; write scheme and host, such as https://www.example.org.")
    if "*" in plain or not plain.isascii():
        raise KeyRefused(f"'{text}': name each origin in full, in its ASCII form, without a wildcard.")
    return plain


def partner_id(session: Session | scoped_session[Session], key: str) -> int:
    """The partner's row number. Raises PartnerUnknown."""
    found = session.scalar(select(Partner.id).where(Partner.key == key))
    if found is None:
        raise PartnerUnknown(f"There is no partner '{key}'; `flask partners create` makes one.")
    return found
