"""Ids for answers that nobody was invited to: they carry the survey's version and their own hour, so that opening a
public link stores nothing. The signature around them is `domain/tokens`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

OPEN_FOR = timedelta(minutes=30)
TEST_OPEN_FOR = timedelta(hours=24)
_SHAPE = re.compile(r"([ltd])\.([0-9]{1,10})\.([0-9]{1,11})\.([A-Za-z0-9_-]{16})")


@dataclass(frozen=True, slots=True)
class PublicLink:
    """What a public id says: which version of a survey is asked, until when, and whether it is only a trial.

    A trial of a draft names the draft (`draft_id`) and no version.
    """

    survey_version_id: int | None
    open_until: datetime
    test: bool = False
    draft_id: int | None = None


def public_uid(survey_version_id: int, now: datetime, nonce: str, *, test: bool = False) -> str:
    """A fresh id for one visitor, or for a trial that never counts; `nonce` is 16 random URL-safe characters."""
    return f"{'t' if test else 'l'}.{survey_version_id}.{int(now.timestamp())}.{nonce}"


def draft_uid(draft_id: int, now: datetime, nonce: str) -> str:
    """A fresh id for a trial of a draft."""
    return f"d.{draft_id}.{int(now.timestamp())}.{nonce}"


def read_public(uid: str) -> PublicLink | None:
    """What a public id says, or None for an invitation's id."""
    if (found := _SHAPE.fullmatch(uid)) is None:
        return None
    test = found[1] in ("t", "d")
    until = datetime.fromtimestamp(int(found[3]), UTC) + (TEST_OPEN_FOR if test else OPEN_FOR)
    draft = int(found[2]) if found[1] == "d" else None
    return PublicLink(int(found[2]) if draft is None else None, until, test, draft)
