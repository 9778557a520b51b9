"""The further questions with options that a metric's surveys ask, and what was chosen at one. Read only."""

from collections.abc import Container, Hashable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.domain.choices import CHOICES, Told, chosen, gaps_of
from surveyapp.domain.questions import Question, group_of, parse_definition
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Survey, SurveyVersion
from surveyapp.queries.console.responses import ResponseFilter
from surveyapp.queries.console.tallies import QUESTION, tallies
from surveyapp.queries.metrics import Sums

SCORE = "score"
"""The dimension of the three classes of scores."""


@dataclass(slots=True)
class Chosen:
    """What all told who answered, and each group of them; their scores, and those of who chose each option.

    `unoffered` of them chose only what no version of a survey offers.
    """

    whole: Told = field(default_factory=Told)
    groups: dict[Hashable, Told] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)
    scores: dict[str, Sums] = field(default_factory=dict)
    unoffered: int = 0


def questions_of(session: Session, metric: str) -> dict[str, list[Question]]:
    """The further questions with options, by key, as the versions of the metric's surveys ask them, newest first."""
    query = (
        select(SurveyVersion.definition)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .where(Survey.metric == metric)
        .order_by(SurveyVersion.published_at.desc(), SurveyVersion.id.desc())
    )
    found: dict[str, list[Question]] = {}
    for definition in session.scalars(query):
        for question in parse_definition(definition).questions:
            if question.kind in CHOICES:
                found.setdefault(question.key, []).append(question)
    return found


def chosen_at(
    session: Session, wanted: ResponseFilter, asked: Sequence[Question], over: str | None, offered: Container[str]
) -> Chosen:
    """What confirmed answers chose among the options offered, by `over` (a name as of `tallies`, or SCORE).

    Raises TooManyAnswers.
    """
    found, gap_of = Chosen(), gaps_of(asked)
    by = [over] if over not in (None, SCORE) else []
    for (value, *group), status, score, n in tallies(session, wanted, [QUESTION + asked[0].key, *filter(None, by)]):
        said = chosen(value)
        if not said or status != ResponseStatus.CONFIRMED:
            continue
        options = [option for option in dict.fromkeys(said) if option in offered]
        found.whole.add(options, n, gap_of)
        found.unoffered += 0 if options else n
        if over:
            key = group[0] if group else group_of(wanted.metric or "", score)
            found.groups.setdefault(key, Told()).add(options, n, gap_of)
        for sums in (found.sums, *(found.scores.setdefault(option, Sums()) for option in options)):
            sums.add(score, n, 0, 0)
    return found
