"""The contact policy as it changes: a draft is written, compared, and takes force as the next version.

No version ever changes, and nothing that cannot be read becomes one.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_difference import differences
from surveyapp.domain.policy_reading import PolicyProblems, parse_policy
from surveyapp.domain.policy_words import entries
from surveyapp.models import Brand, PolicyDraft, PolicyVersion
from surveyapp.queries.policy import draft, holidays, nameable, policy_in_force, version_in_force
from surveyapp.services import audit
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]


class DraftMissing(Exception):
    """Nobody is writing a policy."""


class DraftChanged(Exception):
    """The draft was saved by somebody else since it was read."""


class ExemptionNeedsAdmin(Exception):
    """The policy brings an exemption that is not in force, and whoever activates it is no admin."""


def activate_policy(
    definition: Mapping[str, Any], actor: str, effective_from: datetime | None = None, *, may_exempt: bool = True
) -> PolicyVersion:
    """The version that now stands (or will from `effective_from` on).

    Raises PolicyProblems when the definition cannot be, ExemptionNeedsAdmin, and changes nothing then.
    """
    parse_policy(definition, 0, holidays())
    with transaction() as session:
        _in_line(session)
        now = clock.database_now(session)
        return add_version(session, definition, actor, now, effective_from, may_exempt=may_exempt)


def add_version(
    session: AnySession,
    definition: Mapping[str, Any],
    actor: str,
    now: datetime,
    effective_from: datetime | None = None,
    *,
    may_exempt: bool = True,
) -> PolicyVersion:
    """Write the next version inside the caller's transaction, which holds the brand's row.

    The audit trail says in words what changes, and names every new exemption on its own.
    """
    before = policy_in_force(session, now)
    after = parse_policy(definition, 0, holidays())
    _no_strangers(session, definition)
    fresh = [exemption for exemption in after.exemptions if exemption not in before.exemptions]
    if fresh and not may_exempt:
        raise ExemptionNeedsAdmin
    number = (session.scalar(select(func.max(PolicyVersion.number))) or 0) + 1
    version = PolicyVersion(
        number=number,
        definition=dict(definition),
        effective_from=max(effective_from, now) if effective_from else now,
        created_at=now,
        created_by=actor[:254],
    )
    session.add(version)
    told = {"effective_from": str(version.effective_from), "changes": [d.text for d in differences(before, after)][:50]}
    audit.note(session, "policy.activate", f"policy {number}", told)
    for exemption in fresh:
        detail = {"rules": sorted(exemption.rules), "reason": exemption.reason, "author": exemption.author}
        detail |= {"until": str(exemption.until), "covers": exemption.scope.words().strip()}
        audit.note(session, "policy.exempt", f"policy {number}", detail)
    return version


def save_draft(definition: Mapping[str, Any], actor: str, revision: int | None = None) -> PolicyDraft:
    """Keep what is being written; it must be a policy that can be.

    `revision` is the one that was read (0: there was none). Raises PolicyProblems, and DraftChanged when another one
    is there by now; without `revision` the last to save wins.
    """
    parse_policy(definition, 0, holidays())
    with transaction() as session:
        _in_line(session)
        _no_strangers(session, definition)
        now = clock.database_now(session)
        found = draft(session)
        if revision is not None and revision != (found.revision if found else 0):
            raise DraftChanged
        if found is None:
            version = version_in_force(session, now)
            found = PolicyDraft(base_version=version.number if version else 0, revision=0)
            session.add(found)
        found.definition, found.revision = dict(definition), found.revision + 1
        found.updated_at, found.updated_by = now, actor[:254]
        audit.note(session, "policy.draft", "policy draft", {"revision": found.revision})
    return found


def discard_draft(revision: int | None = None) -> None:
    """Throw the draft away. Without one nothing happens. Raises DraftChanged."""
    with transaction() as session:
        _in_line(session)
        found = draft(session)
        if found is None:
            return
        if revision is not None and revision != found.revision:
            raise DraftChanged
        session.delete(found)
        audit.note(session, "policy.discard", "policy draft", {"revision": found.revision})


def activate_draft(
    actor: str, revision: int | None = None, effective_from: datetime | None = None, *, may_exempt: bool
) -> PolicyVersion:
    """Put the draft in force, now or from `effective_from` on; it is a draft no more.

    Raises DraftMissing, DraftChanged, ExemptionNeedsAdmin, and PolicyProblems should it not be readable any more.
    """
    with transaction() as session:
        _in_line(session)
        found = draft(session)
        if found is None:
            raise DraftMissing
        if revision is not None and revision != found.revision:
            raise DraftChanged
        now = clock.database_now(session)
        version = add_version(session, found.definition, actor, now, effective_from, may_exempt=may_exempt)
        session.delete(found)
    return version


def read_policy(definition: Mapping[str, Any]) -> Policy:
    """The rules of a definition that may become a version. Raises PolicyProblems."""
    return parse_policy(definition, 0, holidays())


def _no_strangers(session: AnySession, definition: Mapping[str, Any]) -> None:
    """Raise PolicyProblems where a rule is about something that the programme never had."""
    known = nameable(session)
    strangers = [
        ((*entry.path, name), f"the programme has no {name} '{entry.table[name]}': write {_one_of(keys)}")
        for entry in entries(definition)
        for name, keys in known.items()
        if entry.table.get(name) is not None and entry.table[name] not in keys
    ]
    if strangers:
        raise PolicyProblems(strangers)


def _one_of(keys: Collection[str]) -> str:
    listed = sorted(keys)
    return f"one of {', '.join(listed[:12])}{' …' if len(listed) > 12 else ''}" if listed else "the rule without it"


def _in_line(session: AnySession) -> None:
    """One change of the policy follows the other."""
    session.execute(select(Brand.id).where(Brand.id == 1).with_for_update())
