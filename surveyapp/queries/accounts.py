"""Reads users, sessions, API keys and partners. Returns frozen facts that outlive the transaction; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, scoped_session

from surveyapp.models import ApiKey, Partner, SignIn, User

Database = Session | scoped_session[Session]


@dataclass(frozen=True)
class KeyFacts:
    """What an API key may do. `usable` is false for a revoked or expired key."""

    id: int
    name: str
    role: str
    partner_id: int | None
    partner: str | None
    last_used_at: datetime | None
    usable: bool


@dataclass(frozen=True)
class UserFacts:
    """A person with a sign-in."""

    id: int
    email: str
    name: str | None
    role: str
    partner_id: int | None
    partner: str | None
    has_password: bool
    second_factor: bool
    preferences: dict[str, Any]
    disabled_at: datetime | None


def key_by_hash(session: Database, key_hash: str, now: datetime) -> KeyFacts | None:
    """The API key with this SHA-256, also when it may no longer be used; None when there is none."""
    row = session.execute(
        select(ApiKey, Partner.key)
        .outerjoin(Partner, ApiKey.partner_id == Partner.id)
        .where(ApiKey.key_hash == key_hash)
    ).first()
    if row is None:
        return None
    key, partner = row
    usable = key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
    return KeyFacts(key.id, key.name, key.role, key.partner_id, partner, key.last_used_at, usable)


def signed_in_user(session: Database, token_hash: str, now: datetime) -> UserFacts | None:
    """The person of one session token; None when it ended, ran out, or the person's access changed since."""
    user = session.scalar(
        _users()
        .join(SignIn, SignIn.user_id == User.id)
        .where(
            SignIn.token_hash == token_hash,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now,
            SignIn.auth_epoch == User.auth_epoch,
            User.disabled_at.is_(None),
        )
    )
    return None if user is None else _facts(user)


def user_by_email(session: Database, email: str) -> UserFacts | None:
    """The person with this e-mail address, case-folded by the caller."""
    user = session.scalar(_users().where(User.email == email))
    return None if user is None else _facts(user)


def wants_digest(session: Database, user_id: int) -> bool:
    """Whether this person asked for the weekly digest."""
    preferences = session.scalar(select(User.preferences).where(User.id == user_id))
    return bool((preferences or {}).get("digest"))


def users(session: Database) -> Sequence[UserFacts]:
    """Everyone with a sign-in, by e-mail address."""
    return [_facts(user) for user in session.scalars(_users().order_by(User.email))]


def _users() -> Select[User]:
    return select(User).options(joinedload(User.partner))


def _facts(user: User) -> UserFacts:
    return UserFacts(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        partner_id=user.partner_id,
        partner=user.partner.key if user.partner is not None else None,
        has_password=user.password_hash is not None,
        second_factor=user.totp_secret is not None,
        preferences=dict(user.preferences),
        disabled_at=user.disabled_at,
    )


@dataclass(frozen=True)
class KeyRow:
    """One line of the list of keys."""

    id: int
    name: str
    prefix: str
    role: str
    partner: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class PartnerRow:
    """One line of the list of partners, without the secret."""

    key: str
    name: str
    publishable: str
    origins: Sequence[str]
    created_at: datetime


def keys(session: Database) -> Sequence[KeyRow]:
    """All API keys, those in use first, then the newest first."""
    rows = session.execute(
        select(ApiKey, Partner.key)
        .outerjoin(Partner, ApiKey.partner_id == Partner.id)
        .order_by(ApiKey.revoked_at.is_not(None), ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return [
        KeyRow(
            k.id, k.name, k.prefix, k.role, partner, k.created_at, k.expires_at, k.revoked_at, k.last_used_at
        )  # fmt: skip
        for k, partner in rows
    ]


def partners(session: Database) -> Sequence[PartnerRow]:
    """All partners that are not archived, by key."""
    rows = session.scalars(select(Partner).where(Partner.archived_at.is_(None)).order_by(Partner.key))
    return [PartnerRow(p.key, p.name, p.publishable, list(p.origins), p.created_at) for p in rows]
