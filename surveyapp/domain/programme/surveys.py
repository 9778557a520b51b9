"""Reads surveys from a programme file: metric, subject, further questions, limits."""

import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from surveyapp.domain.programme.brand import unique, zones
from surveyapp.domain.programme.fields import Fields, Reading, shown
from surveyapp.domain.programme.follow_up import read_follow_up, read_thanks
from surveyapp.domain.programme.specs import Programme, SurveySpec
from surveyapp.domain.programme.tree import Node, Path
from surveyapp.domain.questions import parse_definition, unasked
from surveyapp.domain.scores import METRICS

SURVEY_FIELDS = ("key", "metric", "about", "follow_up", "thanks", "group", "public", "quota", "closes")
STANDARD = {  # surveys that a trigger may name without the file writing them
    "relational_nps": SurveySpec("relational_nps", "nps", {}, group="relationship"),
}
NEEDS_ABOUT = frozenset({"csat5", "csat7", "disconfirmation"})
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


def read_surveys(reading: Reading, top: Fields, timezone: str, context: Collection[str] = ()) -> tuple[SurveySpec, ...]:
    """The surveys in file order; keys and public slugs are unique. `context` are fields that events bring along."""
    seen: dict[str, int] = {}
    slugs: dict[str, int] = {}
    found = top.items("surveys", 1000)
    return tuple(_survey(reading, node, path, seen, slugs, timezone, context) for node, path in found)


def _survey(
    reading: Reading,
    node: Node,
    path: Path,
    seen: dict[str, int],
    slugs: dict[str, int],
    timezone: str,
    context: Collection[str],
) -> SurveySpec:
    fields = Fields(reading, node, path, SURVEY_FIELDS, "A survey")
    key = unique(reading, fields, "survey", seen) or ""
    metric = _metric(fields)
    if metric in NEEDS_ABOUT and not fields.given("about"):
        fields.refuse("about", f"A {metric} survey needs 'about': its question names what was experienced.")
    return SurveySpec(
        key=key,
        metric=metric or "",
        about=fields.texts("about", 120),
        follow_up=read_follow_up(reading, fields, metric, context),
        thanks=read_thanks(reading, fields),
        group=fields.key("group") if fields.given("group") else None,
        public=_slug(fields, slugs),
        quota=fields.integer("quota", 1, 1_000_000_000),
        closes=_closes(fields, timezone),
    )


def channel_notes(programme: Programme) -> list[str]:
    """What the channels of the triggers leave out of their surveys, a sentence each; no problem, but worth knowing."""
    notes = []
    for survey in programme.surveys:
        used = {
            channel for trigger in programme.triggers if trigger.survey == survey.key for channel in trigger.channels
        }
        follow_up = survey.follow_up if isinstance(survey.follow_up, str) else list(survey.follow_up)
        definition = parse_definition({"metric": survey.metric, "follow_up": follow_up})
        notes += [f"survey {survey.key}: {sentence}" for sentence in unasked(definition.questions, used)]
    return notes


def _metric(fields: Fields) -> str | None:
    if fields.missing("metric"):
        return None
    node = fields.scalar("metric")
    if node is not None and isinstance(node.value, str) and node.value in METRICS:
        return node.value
    near = fields.reading.nearest(node.text, METRICS) if node else "."
    sentence = f"There is no metric {shown(fields.nodes['metric'])}{near}"
    fields.refuse("metric", f"{sentence} The metrics are {', '.join(METRICS)}.")
    return None


def _slug(fields: Fields, slugs: dict[str, int]) -> str | None:
    slug = fields.text("public", 80)
    if slug is None:
        return None
    if not _SLUG.fullmatch(slug):
        fields.refuse("public", f"'public' is a slug of small letters, digits, - and _, not {slug!r}.")
    elif slug in slugs:
        fields.refuse("public", f"The public link {slug!r} is used twice; the first is on line {slugs[slug]}.")
    else:
        slugs[slug] = fields.nodes["public"].line
    return slug


def _closes(fields: Fields, timezone: str) -> datetime | None:
    """The instant from which the survey is closed; a bare date closes when that day ends in the brand's zone."""
    text = fields.text("closes", 40)
    if text is None:
        return None
    zone = ZoneInfo(timezone) if timezone in zones() else ZoneInfo("UTC")
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(0), zone)
        moment = datetime.fromisoformat(text)
        # an instant must be representable in every zone, so the outermost years are no use
        if not 1970 <= moment.year <= 9000:
            raise ValueError
    except (ValueError, OverflowError):
        sentence = '\'closes\' is a date such as "2027-03-31" or a time such as "2027-03-31T18:00+01:00"'
        fields.refuse("closes", f"{sentence}, not {text!r}.")
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
