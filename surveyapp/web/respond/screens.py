"""The screens of a question: the score alone, the further questions, the thanks, and the calm ends. Renders; records
nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import current_app
from werkzeug.wrappers import Response

from surveyapp import clock
from surveyapp.domain.questions import COMMENT_LIMIT, NOT_APPLICABLE, Group, Problem, Question
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.queries import respond
from surveyapp.queries.policy import policy_in_force
from surveyapp.queries.respond import Asked
from surveyapp.services import responses
from surveyapp.web.respond import shell, visits
from surveyapp.web.respond.asks import Ask, asks
from surveyapp.web.respond.shell import Frame

Form = Mapping[str, list[str]]


def primary(asked: Asked) -> int | str | None:
    """The first answer as it is stored: a score, `na`, or nothing yet."""
    return NOT_APPLICABLE if asked.answered and asked.score is None else asked.score


def score_screen(page: Frame, asked: Asked, chosen: int | str | None, visit: str, error: str | None = None) -> Response:
    """Step 1: one question and its scale."""
    metric, action = asked.definition.metric, page.address("respond.answer", token=page.token)
    scale = page.scale(metric)
    live = {} if chosen is None else _live(page, asked, chosen, action)
    return shell.show(
        page,
        "score",
        ("bar" if scale.horizontal else "rows", *(("more", "live") if live else ())),
        422 if error else 200,
        scripted=True,
        question=page.question(metric, asked.definition.about),
        context=_context(page, asked),
        scale=scale,
        chosen=chosen,
        error=error,
        action=action,
        visit=visit,
        trap=page.address("respond.honeypot", token=page.token),
        several=asked.definition.several,
        **live,
        **_foot(page),
    )


def _live(page: Frame, asked: Asked, chosen: int | str, action: str) -> dict[str, Any]:
    """The second step inside the first page, for a score that was clicked in a message and is posted by the script."""
    score = chosen if isinstance(chosen, int) else None
    questions = asked.definition.on_page(2, {**asked.known, "score": score})
    further = page.address("respond.answer", token=page.token, number=2) if questions else action
    return {
        "live": True,
        "posts": action,
        "number": 2,
        "asks": asks(page, questions, asked.definition.group(score), stored=asked.answers),
        "further_action": further,
    }


def more_screen(
    page: Frame,
    asked: Asked,
    number: int,
    questions: tuple[Question, ...],
    chosen: int | str | None,
    form: Form | None = None,
    problems: Mapping[str, Problem] | None = None,
    *,
    cut: bool = False,
) -> Response:
    """Step 2 and on: the score, still open to change, and the questions of this page; `cut` as on the thanks."""
    scale = page.scale(asked.definition.metric)
    unsure = asked.status == ResponseStatus.PROVISIONAL and form is None and number == 2
    group = asked.definition.group(chosen if isinstance(chosen, int) else None)
    shown = asks(page, questions, group, stored=asked.answers, form=form, problems=problems)
    return shell.show(
        page,
        "more",
        ("bar" if scale.horizontal else "rows", "more"),
        422 if problems else 200,
        scripted=True,
        posts=page.address("respond.answer", token=page.token) if unsure else None,
        visit=visits.carried(str(page.uid)),
        asks=shown,
        first_error=_first_error(shown),
        scale=scale,
        chosen=chosen,
        number=number,
        cut=_cut(page) if cut else None,
        several=asked.definition.several,
        further_action=page.address("respond.answer", token=page.token, number=number),
        **_foot(page),
    )


def thanks_screen(
    page: Frame,
    asked: Asked,
    *,
    saved: bool = False,
    cut: bool = False,
    form: Form | None = None,
    problems: Mapping[str, Problem] | None = None,
) -> Response:
    """What becomes of the answer, until when it may be changed, and what the survey still offers.

    `cut`: the comment that was just sent is kept only in part, which is said.
    """
    until = min((end for end in (edit_until(asked), asked.closes_at) if end is not None), default=None)
    open_still = until is not None and until > clock.now()
    answer = {
        "name": page.scale(asked.definition.metric).name(primary(asked)),
        "href": _way_back(page, asked) if open_still else None,
        "until": page.words.day(page.brand.local_day(until)) if until else "",
    }
    earliest = None if asked.public or asked.customer_id is None else _earliest(asked.customer_id)
    thanks, group = asked.definition.thanks, asked.definition.group(asked.score)
    offered = thanks.questions if open_still or problems else ()
    shown = asks(page, offered, group, stored=asked.answers, form=form, problems=problems)
    path = None
    if thanks.link and group is Group.PROMOTER:
        path = {"text": page.own(thanks.text), "label": page.own(thanks.label), "href": thanks.link}
    return shell.show(
        page,
        "thanks",
        ("end", *(("more",) if shown else ())),
        422 if problems else 200,
        scripted=bool(shown),
        heading=page.say("page.thanks"),
        mark="ok",
        lines=[page.say("page.goes_to"), *([_cut(page)] if cut else ())],
        saved=saved,
        several=asked.definition.several,
        answer=answer,
        next_day=page.words.full_day(page.brand.local_day(earliest)) if earliest else None,
        asks=shown,
        first_error=_first_error(shown),
        visit=visits.carried(str(page.uid)) if shown else None,
        action=page.address("respond.closing_answer", token=page.token),
        path=path,
        **_foot(page),
    )


def closed_screen(page: Frame, until: datetime | None) -> Response:
    """The question is over (410): since when, nothing to do, one way to write. No personal data."""
    bare = shell.frame(page.brand, page.words.language)
    line = page.say("page.closed_more")
    if until is not None:
        line = page.say("page.closed_until", date=page.words.full_day(page.brand.local_day(until)))
    return shell.ended(bare, 410, "page.closed", line, aside=_write_to(page))


def settled_screen(page: Frame, asked: Asked, status: int) -> Response:
    """The answer stands."""
    until = edit_until(asked)
    day = page.words.full_day(page.brand.local_day(until)) if until else ""
    line = page.say("page.kept_more", date=day)
    return shell.ended(page, status, "page.kept", line, mark="ok", aside=_write_to(page))


def edit_until(asked: Asked) -> datetime | None:
    """Until when a confirmed answer may be changed."""
    if asked.answered_at is None or asked.status != ResponseStatus.CONFIRMED:
        return None
    return responses.edit_until(asked.answered_at, current_app.config["RESPONSE_EDIT_HOURS"])


def _cut(page: Frame) -> str:
    return page.say("page.cut", k=page.words.number(COMMENT_LIMIT))


def _first_error(shown: list[Ask]) -> str | None:
    return next((ask.error for ask in shown if ask.error), None)


def _context(page: Frame, asked: Asked) -> str | None:
    """What happened and when, above the question; nothing for a question about the relation as a whole."""
    if asked.journey is None or asked.event_day is None:
        return None
    return page.say("page.context", s=page.own(asked.journey), date=page.words.day(asked.event_day))


def _write_to(page: Frame) -> dict[str, Any] | None:
    href = shell.contact_address(page.brand.contact)
    return {"text": page.say("page.write_first"), "href": href, "link": page.say("page.write")} if href else None


def _way_back(page: Frame, asked: Asked) -> str:
    """Where the answer can be changed: the page that shows it beside the further questions, else the question."""
    if asked.definition.next_page(1, asked.known) == 2:
        return page.address("respond.more_page", token=page.token, number=2)
    return page.address("respond.question_page", token=page.token, score=primary(asked))


def _earliest(customer_id: int) -> datetime | None:
    now = clock.now()
    return respond.earliest_ask(db.session, customer_id, policy_in_force(db.session, now), now)


def _foot(page: Frame) -> dict[str, Any]:
    return {"who": True, "links": shell.footer(page, ways_out=True)}
