"""Turns the tree of a programme file into a Programme, or into every problem it has. Pure; opens no file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from surveyapp.domain.policy_reading import Holidays, PolicyProblems, parse_policy
from surveyapp.domain.programme.brand import attribute_keys, read_brand, read_dimensions, read_reporting_attributes
from surveyapp.domain.programme.fields import Fields, Reading, shown
from surveyapp.domain.programme.journeys import read_journeys
from surveyapp.domain.programme.specs import BrandSpec, Programme
from surveyapp.domain.programme.surveys import STANDARD, read_surveys
from surveyapp.domain.programme.tree import Listing, Node, Problem, Scalar, Table, locate, plain, written
from surveyapp.domain.programme.triggers import read_triggers
from surveyapp.domain.vocabulary import Channel

FORMAT = 1
TOP_FIELDS = (
    "programme", "brand", "reporting_attributes", "dimensions", "journeys", "surveys", "triggers", "policy",
)  # fmt: skip


def read_programme(
    tree: Node, spoken: Sequence[str] = (), holidays: Holidays | None = None
) -> tuple[Programme, list[Problem]]:
    """The programme and all its problems in file order; the programme is only good when there are none.

    `spoken` are the languages that standard questions exist in (empty: any), `holidays` the dates that a policy may
    name by country.
    """
    reading = Reading(tuple(spoken))
    if not isinstance(tree, Table):
        reading.refuse(tree, (), f"A programme file is a mapping that starts with 'programme: 1', not {shown(tree)}.")
        return Programme(BrandSpec("")), reading.problems
    top = Fields(reading, *_without_stray_steps(reading, tree), TOP_FIELDS, "A programme")
    if not top.missing("programme"):
        top.integer("programme", FORMAT, FORMAT)
    brand = BrandSpec("")
    if not top.missing("brand"):
        brand = read_brand(reading, top.nodes["brand"])
    attributes = read_reporting_attributes(reading, top)
    programme = Programme(
        brand=brand,
        reporting_attributes=attributes,
        dimensions=read_dimensions(reading, top),
        journeys=read_journeys(reading, top, attribute_keys(tree)),
        surveys=read_surveys(reading, top, brand.timezone, attributes),
    )
    written_keys = [survey.key for survey in programme.surveys if survey.key]
    triggers = read_triggers(reading, top, programme.steps(), dict.fromkeys([*written_keys, *STANDARD]))
    named = {trigger.survey for trigger in triggers}.difference(written_keys)
    standard = tuple(survey for key, survey in STANDARD.items() if key in named)
    programme = replace(programme, surveys=(*programme.surveys, *standard), triggers=triggers)
    programme = replace(programme, policy=_policy(reading, top, programme, holidays))
    return programme, sorted(set(reading.problems))


def _without_stray_steps(reading: Reading, tree: Table) -> tuple[Table, tuple[str, ...]]:
    """The file without a top-level list of steps, which has a sentence of its own."""
    key = tree.key("steps")
    if key is not None:
        sentence = "A step belongs to a journey: write the steps under 'journeys', each in the journey it is part of."
        reading.refuse(key, ("steps",), sentence)
    return Table(tree.line, tree.column, tuple(entry for entry in tree.entries if entry[0].text != "steps")), ()


def _policy(reading: Reading, top: Fields, programme: Programme, holidays: Holidays | None) -> Mapping[str, object]:
    node = top.nodes.get("policy")
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return {}
    if not isinstance(node, Table):
        top.refuse("policy", f"The policy is a mapping of rules, not {shown(node)}.")
        return {}
    definition = {str(name): value for name, value in _mapping(node).items()}
    try:
        parse_policy(definition, holidays=holidays)
    except PolicyProblems as refusal:
        for path, sentence in refusal.problems:
            if path[:2] == ("gap", "tiers"):  # the file's short form of a gap has its tiers one level higher
                path = ("gap", *path[2:])
            reading.refuse(locate(node, path), ("policy", *path), _sentence(("policy", *path), sentence))
    known = {
        "journey": [journey.key for journey in programme.journeys],
        "step": list(programme.steps()),
        "survey": [survey.key for survey in programme.surveys],
        "group": sorted({survey.group for survey in programme.surveys if survey.group}),
        "channel": [channel.value for channel in Channel],
    }
    for part in ("caps", "rules"):
        listing = node.get(part)
        for index, rule in enumerate(listing.items if isinstance(listing, Listing) else ()):
            _scope(reading, rule, ("policy", part, index), known)
    return definition


def _mapping(node: Table) -> dict[str, object]:
    return {name.text: plain(value) for name, value in node.entries}


def _scope(reading: Reading, rule: Node, path: tuple[str | int, ...], known: Mapping[str, Sequence[str]]) -> None:
    """Refuses a rule about something that the file does not name; shapes are the policy's own affair."""
    for name, words in known.items():
        value = rule.get(name) if isinstance(rule, Table) else None
        if isinstance(value, Scalar) and isinstance(value.value, str) and value.value not in words:
            sentence = f"There is no {name} {value.value[:80]!r}{reading.nearest(value.value, words)}"
            reading.refuse(value, (*path, name), sentence)


def _sentence(path: Sequence[object], text: str) -> str:
    text = f"{written(path)}: {text}"
    return text if text.endswith((".", "?", "!")) else text + "."
