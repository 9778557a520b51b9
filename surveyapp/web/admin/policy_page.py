"""What the contact policy's page shows: sentences with counts and changes, checks, versions, one customer's weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_contradictions import remarks
from surveyapp.domain.policy_difference import Difference, differences
from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.domain.policy_words import Sentence, in_groups
from surveyapp.extensions import db
from surveyapp.models import PolicyDraft, PolicyVersion
from surveyapp.queries import policy as policies
from surveyapp.queries.console import policy as queries
from surveyapp.services.policy import read_policy
from surveyapp.web.admin import formats, shell
from surveyapp.web.admin.policy_forms import typed_parts, written

DAYS = 28


@dataclass(frozen=True)
class Line:
    """A sentence as a row: its place, its count and what it was before."""

    said: Sentence
    place: str
    was: str = ""
    count: int | None = None
    link: str | None = None
    together: bool = False


@dataclass(frozen=True)
class Standing:
    """The policy in force, the draft if there is one, and the definition that the page shows."""

    live: PolicyVersion | None
    draft: PolicyDraft | None

    @property
    def definition(self) -> dict[str, Any]:
        row = self.draft or self.live
        return dict(row.definition) if row else {}

    @property
    def revision(self) -> int:
        return self.draft.revision if self.draft else 0

    @property
    def base(self) -> Mapping[str, Any]:
        return self.live.definition if self.live else {}


def standing() -> Standing:
    """What holds now and what is being written."""
    session = db.session()
    return Standing(policies.version_in_force(session, shell.now()), policies.draft(session))


def names_of(choices: queries.Choices) -> dict[str, str]:
    """What the programme calls its journeys, steps and their instances; surveys and groups by their keys in words."""
    language = shell.language()
    found = {f"journey:{key}": formats.in_language(name, language) for key, name in choices.journeys}
    found |= {f"step:{key}": formats.in_language(name, language) for key, name in choices.steps}
    found |= {f"instance:{key}": formats.in_language(name, language) for key, name in choices.instances.items() if name}
    found |= {f"survey:{key}": formats.key_words(key) for key, _ in choices.surveys}
    found |= {f"group:{key}": formats.key_words(key) for key, _ in choices.groups}
    return {key: name for key, name in found.items() if name}


def groups(stand: Standing, names: Mapping[str, str], counting: bool = True) -> list[tuple[str, list[Line]]]:
    """The rules of the shown definition in their groups, each with what it refused and what it was before."""
    since = formats.day_start(formats.days_back(shell.today(), DAYS - 1), shell.zone())
    counts = queries.refusals(db.session(), since) if counting else []
    before = [said for group in in_groups(stand.base, names) for said in group.sentences if said.path]
    seen: set[tuple[Any, ...]] = set()
    found = []
    for group in in_groups(stand.definition, names):
        lines = []
        was = _before(group.sentences, before) if stand.draft else {}
        for position, said in enumerate(group.sentences):
            lines.append(_line(said, was.get(position, ""), counts, seen, stand.live))
        found.append((group.name, lines))
    return found


def _line(
    said: Sentence, was: str, counts: Sequence[queries.Refusals], seen: set[tuple[Any, ...]], live: PolicyVersion | None
) -> Line:
    place = written(said.path) if said.path else ""
    if was and live:
        was += f" in v{live.number}" if was != "new" else ""
    if not said.on or not said.reason or not counts or was == "new":
        return Line(said, place, was)
    scope = dict(said.scope or {})
    rows = [row for row in counts if row.reason == said.reason and row.covered_by(scope)]
    total, same = sum(row.count for row in rows), (said.reason, tuple(rows))
    if rows and same in seen:
        return Line(said, place, was, None, None, True)
    seen.add(same)
    linkable = total and set(scope) <= {"journey", "step"}
    link = url_for("decisions.index", outcome="refused", reason=said.reason, **scope) if linkable else None
    return Line(said, place, was, total, link)


def _before(now: Sequence[Sentence], before: Sequence[Sentence]) -> dict[int, str]:
    """For each changed sentence what it was; unchanged ones are left out.

    Rules are the same when kind and scope are; among several the one that reads alike, else the next in order.
    """
    left = list(before)
    pending = []
    for position, said in enumerate(now):
        match = next((old for old in left if (old.text, old.on, old.kind) == (said.text, said.on, said.kind)), None)
        if match is not None:
            left.remove(match)
        elif said.path is not None:
            pending.append(position)
    found = {}
    for position in pending:
        said = now[position]
        same_kind = [old for old in left if old.kind == said.kind]
        match = next((old for old in same_kind if old.scope == said.scope), same_kind[0] if same_kind else None)
        if match is None:
            found[position] = "new"
            continue
        left.remove(match)
        found[position] = _was(said, match)
    return found


def _was(said: Sentence, old: Sentence) -> str:
    if said.parts == old.parts or (said.on != old.on and said.kind in ("holding", "reminders_count")):
        return "was on" if old.on else "was off"
    if said.parts[::2] == old.parts[::2] and said.on == old.on:
        changed = [old.parts[n] for n in range(1, len(old.parts), 2) if old.parts[n] != said.parts[n]]
        if len(changed) == 1:
            return f"was {changed[0]}"
    return f"was “{old.text}”" + ("" if old.on else " (off)")


def parts_of(said: Sentence) -> list[dict[str, Any]]:
    """The sentence as plain words and tokens in turn; punctuation after a token stays with it."""
    found: list[dict[str, Any]] = []
    for number, text in enumerate(said.parts):
        if number % 2:
            token = said.tokens[number // 2]
            typed, unit = typed_parts(token.control, token.value)
            found.append({"token": token, "text": text, "typed": typed, "unit": unit, "tail": ""})
            continue
        if found and text[:1] in (".", ",", ";", ":"):
            found[-1]["tail"], text = text[0], text[1:]
        if text:
            found.append({"token": None, "text": text})
    return found


def readable(definition: Mapping[str, Any]) -> Policy | None:
    """The rules of the definition, or none when it cannot be."""
    try:
        return read_policy(definition)
    except PolicyProblems:
        return None


def compared(stand: Standing) -> list[Difference]:
    """The draft against the policy in force, in words."""
    before, after = readable(stand.base), readable(stand.definition)
    return differences(before, after) if stand.draft and before and after else []


def checks(stand: Standing, choices: queries.Choices) -> list[tuple[str, str]]:
    """What speaks for and against the shown policy: an icon and a sentence each."""
    policy = readable(stand.definition)
    if policy is None:
        return [("alert-triangle", "This policy cannot be: open it as a file and check it.")]
    told = [("alert-triangle", text) for text in (*_strangers(stand.definition, choices), *remarks(policy))]
    if not told:
        told = [("check", "No rule contradicts another.")]
    if stand.draft and stand.live and stand.draft.base_version != stand.live.number:
        text = f"Begun from v{stand.draft.base_version}; v{stand.live.number} has come since and is compared with here."
        told.append(("info-circle", text))
    if stand.draft:
        n = queries.waiting(db.session())
        text = f"{formats.counted(n, 'waiting ask')} will be decided under whatever is in force then."
        told.append(("info-circle", text))
    return told


def _strangers(definition: Mapping[str, Any], choices: queries.Choices) -> list[str]:
    """Rules about something that the programme does not have: they never matter."""
    known = {
        "journey": {key for key, _ in choices.journeys},
        "step": {key for key, _ in choices.steps},
        "survey": {key for key, _ in choices.surveys},
        "group": {key for key, _ in choices.groups},
    }
    found = []
    for group in in_groups(definition):
        for said in group.sentences:
            for name, value in (said.scope or {}).items():
                if name in known and value not in known[name]:
                    found.append(f"The programme has no {name} “{value}”, so this rule never matters: {said.text}")
    return found


@dataclass(frozen=True)
class VersionLine:
    number: int
    label: str
    note: str
    live: bool


def versions(stand: Standing) -> list[VersionLine]:
    """The versions there are, newest first, with since when each held."""
    rows = policies.versions(db.session(), 12)
    found = []
    for position, row in enumerate(rows):
        newer = rows[position - 1] if position else None
        live = stand.live is not None and row.number == stand.live.number
        since = formats.moment_words(row.effective_from, shell.now(), shell.zone())
        if row.effective_from > shell.now():
            label = f"from {since}"
        elif live:
            label = f"live since {since}"
        else:
            until = newer.effective_from if newer else None
            end = formats.moment_words(until, shell.now(), shell.zone()) if until else "now"
            label = f"{since} – {end}"
        older = rows[position + 1] if position + 1 < len(rows) else None
        found.append(VersionLine(row.number, label, _note(row, older), live))
    return found


def _note(row: PolicyVersion, older: PolicyVersion | None) -> str:
    """Who made it, and its first change in words."""
    before, after = readable(older.definition if older else {}), readable(row.definition)
    changed = differences(before, after) if before and after and older else []
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"{changed[0].text}{more}. {row.created_by}" if changed else row.created_by


def minutes_ago(moment: datetime) -> str:
    """`12 minutes ago`, later the moment itself."""
    return formats.ago(moment, shell.now(), shell.zone())
