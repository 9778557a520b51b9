"""Changes to partners: what they may ask, where and how it looks, new keys; and the signs of life of their pages."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.palette import palette
from surveyapp.models import Partner, WidgetSign
from surveyapp.queries import partners as queries
from surveyapp.services import audit, vault
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.keys import PartnerUnknown, origin
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
OVERLAP = timedelta(days=7)
FORMS = ("popover", "inline", "tab")
MODES = ("auto", "light", "dark")
ORIGINS_A_DAY = 20
OTHER = "other"
LOOK = ("form", "mode", "colour")
_STEP = re.compile(r"[a-z0-9_-]{1,80}\.(\*|[a-z0-9_-]{1,80})")


class SettingRefused(Exception):
    """The settings do not fit; the message says which and why in a sentence."""


def read_settings(given: Mapping[str, Any], steps: Sequence[str]) -> dict[str, Any]:
    """The partner's settings as they are kept, those that limit nothing left out. Raises SettingRefused."""
    kept: dict[str, Any] = {}
    chosen = [str(one) for one in given.get("steps") or ()]
    journeys = {f"{step.partition('.')[0]}.*" for step in steps}
    for one in chosen:
        if not _STEP.fullmatch(one) or (one not in steps and one not in journeys):
            raise SettingRefused(f"'{one[:80]}' is no step that asks on the web.")
    if chosen:
        kept["steps"] = sorted(set(chosen))
    for name in ("sample", "share"):
        value = given.get(name, 1.0)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise SettingRefused(f"The {name} is a share between 0 and 1.")
        if value < 1:
            kept[name] = round(float(value), 4)
    for name, choices in (("form", FORMS), ("mode", MODES)):
        value = given.get(name) or choices[0]
        if value not in choices:
            raise SettingRefused(f"The {name} is one of {', '.join(choices)}.")
        if value != choices[0]:
            kept[name] = value
    if colour := given.get("colour"):
        try:
            palette(str(colour))
        except ValueError as problem:
            raise SettingRefused(f"The colour: {problem}.") from None
        kept["colour"] = str(colour).lower()
    return kept


def change_settings(key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace what the partner may ask and how it looks. Raises PartnerUnknown, SettingRefused."""
    with transaction() as session:
        kept = read_settings(given, queries.web_steps(session))
        row = _locked(session, key)
        row.settings = kept
        audit.note(session, "partner.settings_changed", key, kept)
    return kept


def change_look(key: str, given: Mapping[str, Any]) -> None:
    """What a partner may change alone: form, light or dark, colour. Raises PartnerUnknown, SettingRefused."""
    with transaction() as session:
        row = _locked(session, key)
        kept = {name: value for name, value in (row.settings or {}).items() if name not in LOOK}
        look = read_settings({name: given.get(name) for name in LOOK if given.get(name)}, ())
        row.settings = kept | look
        audit.note(session, "partner.look_changed", key, look)


def change_origins(key: str, texts: Sequence[str]) -> list[str]:
    """Replace the origins whose pages may ask. Raises PartnerUnknown, KeyRefused, SettingRefused."""
    allowed = sorted({origin(text) for text in texts})
    if not allowed:
        raise SettingRefused("Name at least one origin, such as https://www.example.org.")
    with transaction() as session:
        _locked(session, key).origins = allowed
        audit.note(session, "partner.origins_changed", key, {"origins": allowed})
    return allowed


def rotate_publishable(key: str) -> str:
    """A new publishable key; the one before counts for another seven days. Raises PartnerUnknown."""
    made = "pk_" + secrets.token_urlsafe(18)
    with transaction() as session:
        row = _locked(session, key)
        row.former_publishable, row.publishable = row.publishable, made
        row.former_publishable_until = clock.now() + OVERLAP
        audit.note(session, "partner.key_rotated", key)
    return made


def rotate_secret(key: str) -> str:
    """A new secret, shown this once; signatures by the one before count for another seven days.

    Raises PartnerUnknown.
    """
    made = "sk_" + secrets.token_urlsafe(32)
    with transaction() as session:
        row = _locked(session, key)
        row.former_secret_encrypted, row.secret_encrypted = row.secret_encrypted, vault.seal(made)
        row.former_secret_until = clock.now() + OVERLAP
        audit.note(session, "partner.secret_rotated", key)
    return made


def end_former_keys(key: str) -> None:
    """The keys before count no more from now on, as when one was stolen. Raises PartnerUnknown."""
    with transaction() as session:
        row = _locked(session, key)
        row.former_publishable = row.former_secret_encrypted = None
        row.former_publishable_until = row.former_secret_until = None
        audit.note(session, "partner.former_keys_ended", key)


def _locked(session: AnySession, key: str) -> Partner:
    row = session.scalar(select(Partner).where(Partner.key == key, Partner.archived_at.is_(None)).with_for_update())
    if row is None:
        raise PartnerUnknown(f"There is no partner '{key}'.")
    return row


def note_sign(partner_id: int, origin_told: str, what: str, at: datetime) -> None:
    """Count one sign of life. The twentieth stranger of a day is counted as `other`, so that nobody fills the table."""
    with transaction() as session:
        day = at.date()
        named = origin_told[:200]
        known = select(WidgetSign.origin).where(WidgetSign.partner_id == partner_id, WidgetSign.day == day)
        if session.scalar(known.where(WidgetSign.origin == named).limit(1)) is None:
            distinct = select(func.count(WidgetSign.origin.distinct()))
            if (
                session.scalar(distinct.where(WidgetSign.partner_id == partner_id, WidgetSign.day == day)) or 0
            ) >= ORIGINS_A_DAY:
                named = OTHER
        row = {"partner_id": partner_id, "day": day, "origin": named, "what": what}
        insert_quietly(session, WidgetSign, [row | {"n": 0, "last_at": at}], list(row))
        session.execute(
            update(WidgetSign)
            .filter_by(**row)
            .values(n=WidgetSign.n + 1, last_at=at)
            .execution_options(synchronize_session=False)
        )
