"""Lets people in and out: password, throttle, second factor, sessions. What they may do then is the web's table."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain import totp
from surveyapp.domain.networks import network_of
from surveyapp.models import SignIn, SignInFailure, User
from surveyapp.services import accounts, audit, vault
from surveyapp.services.keys import hashed
from surveyapp.services.transaction import transaction

SESSION_OPEN = timedelta(days=7)
THROTTLE_WINDOW = timedelta(minutes=15)
TRIES = {"account": 10, "browser": 10, "second": 10, "address": 100}
ISSUER = "surveyapp"
Database = Session | scoped_session[Session]


class SignInRefused(Exception):
    """The address and password do not belong together, or nobody may sign in so."""


class TooManyTries(Exception):
    """There were too many failed tries of late; the next one may be made after `retry_after` seconds."""

    retry_after = int(THROTTLE_WINDOW.total_seconds())


class CodeRefused(Exception):
    """The six digits are wrong, too old, or were used before."""


class FactorExists(Exception):
    """This person has a second factor already."""


def check_password(email: str, password: str, address: str, browser: str | None = None) -> int:
    """The id of the user whose e-mail address and password these are.

    Costs the same and refuses the same whether or not the address is known. `address` is the caller's network
    address; `browser` the user id and mark of a browser this person has signed in from (`known_browser`), whose
    tries are counted apart, so that strangers cannot keep the owner out. Raises SignInRefused, TooManyTries.
    """
    email = email.strip().casefold()[:254]
    mine = f"browser:{browser}" if browser else f"account:{email}"
    scopes = [mine, f"address:{network_of(address)}"]
    with transaction() as session:
        _count_try(session, scopes)
        user = session.scalar(select(User).where(User.email == email))
        enabled = user is not None and user.disabled_at is None
        password_hash = user.password_hash if user is not None and enabled else None
        user_id = user.id if user is not None else None
    if not accounts.fits(password_hash, password) or user_id is None:
        raise SignInRefused("The e-mail address or the password is not right.")
    with transaction() as session:
        _forgive(session, scopes)
    return user_id


def known_browser(session: Database, email: str, mark: str) -> str | None:
    """`mark` if it was given to a browser that signed in as this person before; reads only."""
    user_id, _, rest = mark.partition(".")
    owner = session.scalar(select(User.id).where(User.email == email.strip().casefold()[:254]))
    return mark if rest and owner is not None and user_id == str(owner) else None


def browser_mark(user_id: int) -> str:
    """A fresh mark for the browser of a person who has just signed in; the web signs it before it leaves."""
    return f"{user_id}.{secrets.token_urlsafe(12)}"


def open_session(user_id: int) -> str:
    """The token of a new session, valid 7 days or until the person's access changes. Raises SignInRefused."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None or user.disabled_at is not None:
            raise SignInRefused("The e-mail address or the password is not right.")
        row = SignIn(
            user_id=user.id,
            token_hash=hashed(token),
            auth_epoch=user.auth_epoch,
            created_at=now,
            expires_at=now + SESSION_OPEN,
        )
        session.add(row)
        audit.note(session, "user.signed_in", user.email)
    return token


def end_session(token: str) -> None:
    """The session of this token opens nothing any more; an unknown token changes nothing."""
    with transaction() as session:
        session.execute(
            update(SignIn)
            .where(SignIn.token_hash == hashed(token), SignIn.ended_at.is_(None))
            .values(ended_at=clock.now())
        )


def check_code(user_id: int, given: str) -> None:
    """The six digits of the person's authenticator app are right and now used up. Raises CodeRefused, TooManyTries."""
    scope = [f"second:{user_id}"]
    with transaction() as session:
        _count_try(session, scope)
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None or user.totp_secret is None or user.disabled_at is not None:
            raise CodeRefused("This code is not right.")
        step = totp.matching_step(vault.unseal(user.totp_secret), given, clock.now(), user.totp_step)
        if step is None:
            raise CodeRefused("This code is not right. Wait for the next one, then try again.")
        user.totp_step = step
        _forgive(session, scope)


def has_factor(session: Database, user_id: int) -> bool:
    """Whether this person signs in with a code as well; reads only."""
    return session.scalar(select(User.totp_secret).where(User.id == user_id)) is not None


def fresh_factor() -> str:
    """A secret for an authenticator app. Nothing is kept until `enrol`."""
    return totp.secret_from(secrets.token_bytes(20))


def factor_address(secret: str, email: str) -> str:
    """The `otpauth://` address under which an authenticator app takes the secret."""
    return totp.address(secret, email, ISSUER)


def enrol(user_id: int, secret: str, given: str) -> None:
    """From now on the person signs in with a code as well; their sessions end. Raises CodeRefused, FactorExists."""
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None or user.totp_secret is not None:
            raise FactorExists("There is a second factor already.")
        step = totp.matching_step(secret, given, clock.now(), None)
        if step is None:
            raise CodeRefused("This code is not right. Check the clock of your phone, then try the next code.")
        user.totp_secret = vault.seal(secret)
        user.totp_step = step
        accounts.end_sessions(session, user)
        audit.note(session, "user.second_factor_set", user.email)


def drop_factor(user_id: int) -> None:
    """The person signs in without a code until they set one up again; their sessions end.

    Raises accounts.UserUnknown.
    """
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None:
            raise accounts.UserUnknown("There is no such user.")
        user.totp_secret = None
        user.totp_step = None
        accounts.end_sessions(session, user)
        audit.note(session, "user.second_factor_dropped", user.email)


def _count_try(session: Database, scopes: Sequence[str]) -> None:
    """Count one try under each scope, before it is known whether it fails. Raises TooManyTries."""
    now = clock.now()
    session.execute(delete(SignInFailure).where(SignInFailure.at < now - 2 * THROTTLE_WINDOW))
    for scope in scopes:
        tries = session.scalar(
            select(func.count())
            .select_from(SignInFailure)
            .where(SignInFailure.scope == _opaque(scope), SignInFailure.at > now - THROTTLE_WINDOW)
        )
        if (tries or 0) >= TRIES[scope.partition(":")[0]]:
            raise TooManyTries("There were too many tries. Wait a quarter of an hour, then try again.")
    for scope in scopes:
        session.add(SignInFailure(scope=_opaque(scope), at=now))


def _forgive(session: Database, scopes: Sequence[str]) -> None:
    """A success wipes the tries of this account or browser, and takes its own one off the network address."""
    for scope in scopes:
        rows = select(SignInFailure.id).where(SignInFailure.scope == _opaque(scope))
        if scope.startswith("address:"):
            rows = rows.order_by(SignInFailure.at.desc()).limit(1)
        session.execute(delete(SignInFailure).where(SignInFailure.id.in_(rows)))


def _opaque(scope: str) -> str:
    return hmac.digest(
        current_app.config["CONTACT_PEPPER"].encode(), scope.encode("utf-8", "replace"), hashlib.sha256
    ).hex()
