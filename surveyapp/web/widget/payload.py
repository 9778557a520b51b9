"""A question as a partner's page receives it: texts in the visitor's language, the scale, the look. No decision."""

from collections.abc import Mapping
from typing import Any

from flask import current_app

from surveyapp.domain import tokens
from surveyapp.domain.questions import (
    COMMENT_LIMIT,
    LONG_LIMIT,
    OTHER,
    TEXT_LIMIT,
    Condition,
    Definition,
    Kind,
    Question,
    by_widget,
)
from surveyapp.domain.scores import METRICS
from surveyapp.domain.wording import in_language
from surveyapp.queries.respond import BrandFacts
from surveyapp.queries.words import Words
from surveyapp.web.respond.shell import WORDED, keys, web_address
from surveyapp.web.widget.look import look


def survey(
    definition: Definition,
    brand: BrandFacts,
    language: str | None,
    settings: Mapping[str, Any],
    person: str | None = None,
    theme: str | None = None,
) -> dict[str, Any]:
    """Everything the panel shows. `person` is the invitation of somebody known, who may opt out for good."""
    words = brand.words(language)
    metric = definition.metric
    horizontal = METRICS[metric].layout == "horizontal"
    labels = words.labels(metric)
    order = METRICS[metric].scale if horizontal else reversed(METRICS[metric].scale)
    about = in_language(definition.about, words.language, brand.language)
    links = []
    if person:
        out = f"{current_app.config['BASE_URL']}/u/{tokens.mint('opt_out', person, keys())}"
        links.append([words.texts["short"]["opt_out"], out])
    if privacy := web_address(brand.privacy_url):
        links.append([words.say("page.privacy"), privacy])
    return {
        "metric": metric,
        "lang": words.language,
        "dir": words.direction,
        "title": words.say("page.title_more" if definition.several else "page.title", b=brand.name),
        "question": words.question(metric, brand.name, about),
        "row": horizontal,
        "values": [_value(metric, value, labels.get(value, "")) for value in order],
        "more": [_further(question, metric, words, brand.language) for question in by_widget(definition.questions)],
        "words": {
            "close": words.say("widget.close"),
            "tab": words.say("widget.tab"),
            "saved": words.text("page.saved"),
            "more": words.say("page.saved_more"),
            "send": words.say("page.send"),
            "skip": words.say("page.skip"),
            "thanks": words.say("page.thanks"),
            "failed": words.say("page.failed"),
        },
        "links": links,
        "look": look(settings, brand.colours, theme),
    }


def _value(metric: str, value: int, label: str) -> list[Any]:
    """A value, its label, and what its button says: the page's own words for it."""
    if METRICS[metric].layout == "horizontal":
        return [value, label, str(value)]
    return [value, label, label if metric in WORDED else f"{value}\u2002{label}"]


def _further(question: Question, metric: str, words: Words, own: str) -> dict[str, Any]:
    """One further question: how its field is made, and the earlier answers under which it applies."""
    standard = words.texts["standard"]["emotion"] if question.kind is Kind.EMOTION else {}
    ask = in_language(question.ask, words.language, own) or standard.get("ask")
    shown: dict[str, Any] = {
        "key": question.key,
        "ask": ask or words.texts["short"]["reason"],
        "when": {key: _values(fit, metric) for key, fit in question.when.items()},
    }
    match question.kind:
        case Kind.COMMENT:
            return shown | {"kind": "textarea", "maxLength": COMMENT_LIMIT}
        case Kind.LONG:
            return shown | {"kind": "textarea", "maxLength": LONG_LIMIT}
        case Kind.TEXT:
            return shown | {"kind": "input", "maxLength": TEXT_LIMIT}
    names = standard.get("labels", {})
    options = [[o.key, names.get(o.key) or in_language(o.label, words.language, own)] for o in question.options]
    if question.other:
        options.append([OTHER, words.say("page.other")])
    one = question.kind in (Kind.ONE, Kind.EMOTION)
    return shown | {"kind": "radio" if one else "checkbox", "options": options[::-1] if standard else options}


def _values(condition: Condition, metric: str) -> list[object]:
    """The values that meet a condition, as the browser compares them; a range is one of scores."""
    values = [score for score in METRICS[metric].scale if score in condition]
    return sorted(condition, key=str) if isinstance(condition, frozenset) else list(values)
