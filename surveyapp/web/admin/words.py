"""Words and links shared by pages: reasons, channels, steps. A template's vocabulary; no database."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from surveyapp.domain.indicators import Kind
from surveyapp.domain.reasons import MESSAGE_STATES, OUTCOMES, reason_icon, reason_label, rule_name
from surveyapp.web.admin import figures, params, shell
from surveyapp.web.admin.formats import in_language, key_words

CHANNELS = {"email": "e-mail", "sms": "SMS", "web": "web page", "link": "public link", "import": "import"}
CHANNEL_ICONS = {"email": "mail", "sms": "message", "web": "device-desktop", "link": "qrcode"}
KINDS = {
    Kind.PERCEPTION: "perception: what customers say",
    Kind.DESCRIPTIVE: "descriptive: what happened",
    Kind.PREDICTION: "prediction: what they say they will do",
    Kind.CONSEQUENCE: "consequence: what the business shows",
}
STATUSES = {"confirmed": "confirmed", "provisional": "provisional", "suspected_bot": "set aside as a bot"}


def channel_words(code: str | None) -> str:
    return CHANNELS.get(code or "", code or "no channel")


def channel_pair(code: str) -> tuple[str, str]:
    """A channel as an option of a select."""
    return code, channel_words(code)


def channel_icon(code: str | None) -> str:
    return CHANNEL_ICONS.get(code or "", "send")


def step_words(name: Mapping[str, Any] | None, path: str | None, trigger: str | None = None) -> str:
    """The step's name in the brand's language; its path when it has gone; a recurring trigger's key in words."""
    return in_language(name, shell.language()) or path or key_words(trigger or "")


def masked(address: str | None) -> str:
    """An address with only enough shown to recognise it."""
    if not address:
        return ""
    name, at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}" if at else f"{address[:4]}…{address[-2:]}"


def install(blueprint: Blueprint) -> None:
    """Give every template these words."""
    for function in (reason_label, reason_icon, rule_name, channel_words, channel_icon, step_words, masked):
        blueprint.add_app_template_global(function, function.__name__)
    blueprint.add_app_template_filter(channel_pair, "channel_pair")
    blueprint.add_app_template_global(params.here, "here_with")
    blueprint.add_app_template_global(figures.score_words, "score_words")
    blueprint.add_app_template_global(figures.kept_context, "kept_context")
    tables = {
        "outcome_words": OUTCOMES,
        "status_words": STATUSES,
        "message_words": MESSAGE_STATES,
        "verdict_icons": figures.VERDICT_ICONS,
        "metric_words": figures.METRIC_WORDS,
    }
    blueprint.record_once(lambda state: state.app.jinja_env.globals.update(tables))
