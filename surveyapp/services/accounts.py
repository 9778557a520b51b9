"""Makes and changes users and their passwords. Signing in is `sign_in`; API keys and partners are `keys`."""

import secrets
from datetime import timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session, scoped_session

import config
from surveyapp import clock
from surveyapp.domain.identity import normalise_email
from surveyapp.domain.passwords import weakness
from surveyapp.domain.vocabulary import Role
from surveyapp.models import PasswordLink, SignIn, User
from surveyapp.services import audit
from surveyapp.services.keys import hashed, partner_id
from surveyapp.services.transaction import transaction

LINK_OPEN = timedelta(hours=24)
DEMO_EMAIL = "admin@demo.example"
Database = Session | scoped_session[Session]


class UserRefused(Exception):
    """The user cannot be made or changed so; the message says why in a sentence."""


class EmailTaken(Exception):
    """Somebody signs in with this address already."""


class UserUnknown(Exception):
    """There is no such user."""


class LastAdmin(Exception):
    """Nobody could administer this installation any more."""


class LinkClosed(Exception):
    """The password link was used, has expired, or never existed."""


class PasswordRefused(Exception):
    """The password is too weak; the message says how to choose a better one."""


def create_user(email: str, role: str, partner: str | None = None, name: str | None = None) -> str:
    """A user without a password yet; returns the token of their one-time password link, open for 24 h.

    Raises UserRefused, EmailTaken, keys.PartnerUnknown.
    """
    try:
        email = normalise_email(email)
    except ValueError as reason:
        raise UserRefused(f"'{email}' is no e-mail address: {reason}.") from reason
    with transaction() as session:
        if session.scalar(select(User.id).where(User.email == email)) is not None:
            raise EmailTaken(f"{email} has a sign-in already.")
        user = User(email=email, name=name, created_at=clock.now())
        _give_role(session, user, role, partner)
        session.add(user)
        session.flush()
        audit.note(session, "user.created", email, {"role": role, "partner": partner})
        return _open_link(session, user)


def new_password_link(user_id: int) -> str:
    """The token of a fresh one-time password link; earlier ones close. Raises UserUnknown."""
    with transaction() as session:
        user = _locked(session, user_id)
        audit.note(session, "user.password_link", user.email)
        return _open_link(session, user)


def link_owner(session: Database, token: str) -> User:
    """The user whom an open password link belongs to; reads only. Raises LinkClosed."""
    user = session.scalar(
        select(User)
        .join(PasswordLink)
        .where(
            PasswordLink.token_hash == hashed(token),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > clock.now(),
            User.disabled_at.is_(None),
        )
    )
    if user is None:
        raise LinkClosed("This link has been used or is no longer open.")
    return user


def set_password(token: str, password: str) -> None:
    """The link's owner has this password, every session of theirs ends, the link is used up.

    A second factor stays as it is. Raises LinkClosed, PasswordRefused (the link stays open).
    """
    with transaction() as session:
        user = link_owner(session, token)
        if (reason := weakness(password, user.email)) is not None:
            raise PasswordRefused(reason)
    password_hash = hasher().hash(password)
    with transaction() as session:
        user = _locked(session, link_owner(session, token).id)
        used = session.execute(
            update(PasswordLink)
            .where(PasswordLink.token_hash == hashed(token), PasswordLink.used_at.is_(None))
            .values(used_at=clock.now())
            .returning(PasswordLink.id)
        )
        if used.first() is None:
            raise LinkClosed("This link has been used or is no longer open.")
        user.password_hash = password_hash
        end_sessions(session, user)
        audit.note(session, "user.password_set", user.email)


def change_role(user_id: int, role: str, partner: str | None = None) -> None:
    """The user has another role from their next sign-in on.

    Raises UserRefused, UserUnknown, LastAdmin, keys.PartnerUnknown.
    """
    with transaction() as session:
        if role != Role.ADMIN:
            _keep_an_admin(session, user_id)
        user = _locked(session, user_id)
        before = user.role
        _give_role(session, user, role, partner)
        end_sessions(session, user)
        audit.note(session, "user.role_changed", user.email, {"from": before, "to": role, "partner": partner})


def disable_user(user_id: int) -> None:
    """The user is out at the next request, and their open links close. Raises UserUnknown, LastAdmin."""
    with transaction() as session:
        _keep_an_admin(session, user_id)
        user = _locked(session, user_id)
        user.disabled_at = clock.now()
        _close_links(session, user)
        end_sessions(session, user)
        audit.note(session, "user.disabled", user.email)


def enable_user(user_id: int) -> None:
    """The user may sign in again with the password they had. Raises UserUnknown."""
    with transaction() as session:
        user = _locked(session, user_id)
        user.disabled_at = None
        audit.note(session, "user.enabled", user.email)


def ensure_demo_admin() -> tuple[str, str]:
    """The demo's administrator: e-mail address and password, made at the first call and the same ever after.

    A password they have chosen since is left alone; then the second value says so in words.
    """
    password = config.made_secret("DEMO_PASSWORD")
    with transaction() as session:
        user = session.scalar(select(User).where(User.email == DEMO_EMAIL))
        if user is None:
            user = User(email=DEMO_EMAIL, name="Demo admin", role=Role.ADMIN, created_at=clock.now())
            user.password_hash = hasher().hash(password)
            session.add(user)
            audit.note(session, "user.created", DEMO_EMAIL, {"role": Role.ADMIN})
        return DEMO_EMAIL, password if fits(user.password_hash, password) else "(the password you chose)"


def hasher() -> PasswordHasher:
    """argon2id with the library's parameters, or with cheap ones where PASSWORD_HASH_COST says so."""
    return _hasher(current_app.config["PASSWORD_HASH_COST"])


def fits(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; without a hash the same work is done for nothing."""
    try:
        good = hasher().verify(password_hash or _nobody(current_app.config["PASSWORD_HASH_COST"]), password)
    except (VerificationError, InvalidHashError):
        return False
    return good and password_hash is not None


@lru_cache(maxsize=2)
def _hasher(cost: str) -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cost == "cheap" else PasswordHasher()


@lru_cache(maxsize=2)
def _nobody(cost: str) -> str:
    return _hasher(cost).hash(secrets.token_urlsafe(16))


def _locked(session: Database, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise UserUnknown("There is no such user.")
    return user


def _give_role(session: Database, user: User, role: str, partner: str | None) -> None:
    if role not in set(Role):
        raise UserRefused(f"'{role}' is no role of a user; the roles are {', '.join(Role)}.")
    if (role == Role.PARTNER) != (partner is not None):
        raise UserRefused("A user of the role 'partner' names their partner, and no other user does.")
    user.partner_id = partner_id(session, partner) if partner else None
    user.role = role


def _open_link(session: Database, user: User) -> str:
    _close_links(session, user)
    token = secrets.token_urlsafe(32)
    link = PasswordLink(user_id=user.id, token_hash=hashed(token), expires_at=clock.now() + LINK_OPEN)
    session.add(link)
    return token


def _close_links(session: Database, user: User) -> None:
    session.execute(
        update(PasswordLink)
        .where(PasswordLink.user_id == user.id, PasswordLink.used_at.is_(None))
        .values(used_at=clock.now())
    )


def end_sessions(session: Database, user: User) -> None:
    """Inside the caller's transaction: every session of this user is over at its next request."""
    user.auth_epoch = User.auth_epoch + 1
    session.execute(
        update(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None)).values(ended_at=clock.now())
    )


def _keep_an_admin(session: Database, user_id: int) -> None:
    """Refuse to take the last administrator away; all admins are locked, in order, so that two cannot do it at once."""
    admins = session.scalars(
        select(User.id).where(User.role == Role.ADMIN, User.disabled_at.is_(None)).order_by(User.id).with_for_update()
    ).all()
    if list(admins) == [user_id]:
        raise LastAdmin("This is the last administrator. Make another one first.")
