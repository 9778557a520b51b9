"""Keeps the folded words of comments beside their answers, and the themes. Searches nothing; sends nothing anywhere."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.verbatims import Theme as Meaning
from surveyapp.domain.verbatims import folded
from surveyapp.models import Theme, Verbatim
from surveyapp.services import audit
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]


class ThemeUnknown(Exception):
    """There is no theme of this id."""


class NameTaken(Exception):
    """Another theme has this name."""


def keep(session: AnySession, comments: Mapping[int, str | None]) -> None:
    """Fold the comments, by the ids of their answers, in the caller's transaction; an empty one leaves no row."""
    words = {number: folded(comment) for number, comment in comments.items()}
    forget(session, [number for number, told in words.items() if not told])
    rows = [{"response_id": number, "words": told} for number, told in sorted(words.items()) if told]
    if not rows:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Verbatim)
    told = {"words": insert.excluded.words}
    session.execute(insert.on_conflict_do_update(index_elements=["response_id"], set_=told), rows)


def forget(session: AnySession, numbers: Sequence[int]) -> None:
    """Take the words of these answers out of the search, in the caller's transaction."""
    for start in range(0, len(numbers), 500):
        session.execute(
            delete(Verbatim)
            .where(Verbatim.response_id.in_(numbers[start : start + 500]))
            .execution_options(synchronize_session=False)
        )


def erase(session: AnySession, numbers: Sequence[int]) -> None:
    """Forget the words of these answers, and let the index drop what it still holds of them."""
    forget(session, numbers)
    if session.get_bind().dialect.name == "sqlite":  # otherwise old segments keep the words until they are merged
        session.execute(text("INSERT INTO verbatim_words(verbatim_words) VALUES ('optimize')"))


def save_theme(uid: str | None, meaning: Meaning) -> str:
    """The id of the theme with this meaning, made where no id is given. Raises ThemeUnknown, NameTaken."""
    rules: dict[str, Any] = {language: list(words) for language, words in meaning.rules.items() if words}
    try:
        with transaction() as session:
            if uid is None:
                theme = Theme(uid=secrets.token_hex(10), created_at=clock.now())
                session.add(theme)
            else:
                theme = _theme(session, uid)
            theme.name, theme.gap, theme.rules = meaning.name, meaning.gap, rules
            audit.note(session, "theme.saved", meaning.name, {"gap": meaning.gap, "rules": rules})
    except IntegrityError:
        raise NameTaken from None
    return theme.uid


def remove_theme(uid: str) -> None:
    """The theme is gone; answers keep nothing of it. Raises ThemeUnknown."""
    with transaction() as session:
        theme = _theme(session, uid)
        session.delete(theme)
        audit.note(session, "theme.removed", theme.name, {"rules": theme.rules})


def _theme(session: AnySession, uid: str) -> Theme:
    theme = session.scalars(select(Theme).where(Theme.uid == uid)).one_or_none()
    if theme is None:
        raise ThemeUnknown
    return theme
