"""What customers would see of a survey, by the true templates: page, e-mail, text message, widget. Nothing is kept.

Each is shown in a frame of the designer. Its links open nothing: the ids in them belong to nobody.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from surveyapp import clock
from surveyapp.domain.questions import CONTEXT, Definition, DefinitionProblems, parse_definition
from surveyapp.domain.scores import METRICS
from surveyapp.domain.survey_conditions import sample_choices
from surveyapp.domain.survey_editing import expanded
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.queries import respond
from surveyapp.queries import surveys as drafts
from surveyapp.queries.console import surveys as queries
from surveyapp.queries.respond import Asked
from surveyapp.services import message_preview
from surveyapp.services.message_preview import UID
from surveyapp.web.admin import frames, shell
from surveyapp.web.admin.surveys import blueprint, one
from surveyapp.web.respond import screens as customer_screens
from surveyapp.web.respond import shell as customer_pages
from surveyapp.web.widget.payload import survey as widget_survey

CHANNELS = {"page": "Page", "email": "E-mail", "sms": "Text", "widget": "Widget"}
DEVICES = {"phone": "Phone", "desk": "Desktop"}
SCHEMES = {"light": "Light", "dark": "Dark"}
DARK_QUERY = "(prefers-color-scheme:dark)"
TOKEN = "preview"
_SCRIPT = re.compile(r"<script[^>]*></script>")


@dataclass(frozen=True)
class Chosen:
    """What is to be shown, read from the address; anything unknown is the usual."""

    channel: str
    device: str
    language: str
    scheme: str
    screen: str
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, str]:
        """The choices that are not the usual ones, as they stand in an address."""
        usual = {"channel": "page", "device": "phone", "language": shell.language(), "scheme": "light", "screen": "1"}
        plain = {name: value for name, value in vars(self).items() if name in usual and value != usual[name]}
        return plain | {CONTEXT + name: value for name, value in self.context.items()}

    def but(self, **changes: str) -> dict[str, str]:
        """The address with something else chosen."""
        return Chosen(**{**vars(self), **changes}).kept

    def where(self, name: str, value: str) -> dict[str, str]:
        """The address with another value of a context field."""
        return replace(self, context={**self.context, name: value}).kept


@dataclass(frozen=True)
class Sample:
    """A context field, the values worth trying, and the one assumed; the empty text is any other value."""

    name: str
    values: list[str]
    value: str


def chosen() -> Chosen:
    def of(name: str, known: Any) -> str:
        value = request.args.get(name, "")
        return value if value in known else next(iter(known))

    screen = request.args.get("screen", "1")
    return Chosen(
        of("channel", CHANNELS),
        of("device", DEVICES),
        of("language", shell.languages()),
        of("scheme", SCHEMES),
        screen if len(screen) < 12 else "1",
        {name.removeprefix(CONTEXT): value for name, value in request.args.items() if name.startswith(CONTEXT)},
    )


def samples(definition: dict[str, Any], wanted: Chosen) -> list[Sample]:
    """What conditions ask of the context, each with the value that the preview assumes."""
    offered = sample_choices(expanded(definition)["follow_up"])
    return [
        Sample(name, [*choices], wanted.context[name] if wanted.context.get(name) in choices else next(iter(choices)))
        for name, choices in offered.items()
    ]


def _sampled(definition: dict[str, Any], wanted: Chosen) -> dict[str, object]:
    """The context of the customer that the preview is for."""
    offered = sample_choices(expanded(definition)["follow_up"])
    return {sample.name: offered[sample.name][sample.value] for sample in samples(definition, wanted)}


def screens(definition: dict[str, Any]) -> list[tuple[str, str]]:
    """The screens worth looking at: the rating, what follows a low and a high score, and the thanks."""
    metric = METRICS.get(str(definition.get("metric")))
    if metric is None:
        return [("1", "Rating")]
    low, high = str(metric.low).replace("-", "−"), str(metric.high)
    ends = [(f"2.{metric.low}", f"After {low}"), (f"2.{metric.high}", f"After {high}")]
    return [("1", "Rating"), *ends, ("3", "Thanks")]


@blueprint.get("/<key>/preview")
def preview(key: str) -> Response:
    """One preview. What cannot be asked yet is left out of it."""
    one(key)
    session = db.session()
    draft, live = drafts.draft_of(session, key), drafts.live_definition(session, key)
    said = draft.definition if draft else live[1] if live else {}
    wanted, definition = chosen(), _readable(said)
    if definition is None:
        return _nothing("Choose a metric to see the question.", wanted)
    if wanted.channel == "widget":
        return _widget(definition, wanted)
    if wanted.channel == "page":
        return _customer_page(definition, wanted, _sampled(said, wanted))
    return _message(key, said, wanted)


def _readable(said: dict[str, Any]) -> Definition | None:
    """The definition without the questions that cannot be asked yet; None without a metric."""
    draft = expanded(said)
    if draft.get("metric") not in METRICS:
        return None
    kept: list[Any] = []
    asked: dict[str, Any] = {"metric": draft["metric"], "about": draft.get("about") or {}}
    for question in draft["follow_up"]:
        try:
            parse_definition({**asked, "follow_up": [*kept, question]})
        except DefinitionProblems:
            continue
        kept.append(question)
    whole = {name: value for name, value in draft.items() if name not in ("public", "group", "quota", "closes")}
    try:
        return parse_definition({**whole, **asked, "follow_up": kept})
    except DefinitionProblems:
        return parse_definition({**asked, "follow_up": kept})


def _customer_page(definition: Definition, wanted: Chosen, context: Mapping[str, object]) -> Response:
    brand = respond.brand_facts(db.session)
    page = customer_pages.frame(brand, wanted.language, token=TOKEN, uid=UID)
    page_number, _, score_text = wanted.screen.partition(".")
    scale = METRICS[definition.metric]
    known = score_text.removeprefix("-").isdigit() and len(score_text) < 4
    score = min(max(int(score_text), scale.low), scale.high) if known else scale.high
    asked = Asked(
        brand,
        definition,
        wanted.language,
        public=False,
        score=score,
        answers={},
        status=ResponseStatus.CONFIRMED,
        answered_at=clock.now(),
        context=context,
    )
    if page_number == "2" and (questions := definition.on_page(2, asked.known)):
        response = customer_screens.more_screen(page, asked, 2, questions, score)
    elif page_number in ("2", "3"):
        response = customer_screens.thanks_screen(page, asked)
    else:
        response = customer_screens.score_screen(page, asked, None, "")
    return _framed(response.get_data(as_text=True), wanted.scheme)


def _message(key: str, said: dict[str, Any], wanted: Chosen) -> Response:
    [row, *_] = queries.listed(db.session(), shell.now(), key)
    step = next((use.key for use in row.uses if use.path), None)
    found = message_preview.preview_definition({**said, "about": said.get("about") or {}}, wanted.language, step)
    if wanted.channel == "email" and found and found.email:
        return _framed(found.email.html, wanted.scheme)
    if wanted.channel == "sms" and found and found.text:
        values = {"text": found.text, "language": wanted.language, "scheme": wanted.scheme}
        return _framed(render_template("admin/survey_text.html", **values), wanted.scheme)
    return _nothing(f"It cannot be written yet: {found.problem if found else 'apply a programme first'}.", wanted)


def _nothing(sentence: str, wanted: Chosen) -> Response:
    return _framed(render_template("admin/survey_nothing.html", sentence=sentence, scheme=wanted.scheme))


def _widget(definition: Definition, wanted: Chosen) -> Response:
    brand = respond.brand_facts(db.session)
    look = {"form": "inline", "mode": wanted.scheme}
    payload = widget_survey(definition, brand, wanted.language, look, None)
    response = make_response(
        render_template("admin/survey_widget.html", survey=json.dumps(payload), brand=brand, scheme=wanted.scheme)
    )
    response.headers["Content-Security-Policy"] = frames.framed()
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _framed(html: str, scheme: str = "light") -> Response:
    """A document that may stand in our frame and do nothing, in the light that was chosen."""
    html = _SCRIPT.sub("", html)  # it would not run there, and the browser would complain of it
    html = html.replace(DARK_QUERY, "all" if scheme == "dark" else "not all")
    html = html.replace(DARK_QUERY.replace(":", ": "), "all" if scheme == "dark" else "not all")
    response = make_response(html)
    response.headers["Content-Security-Policy"] = frames.SHOWN
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
