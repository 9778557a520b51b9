"""Out of it, or less of it: /u/TOKEN stops every question at once, /p/TOKEN says where and when we may ask."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from surveyapp import clock
from surveyapp.domain import tokens
from surveyapp.domain.masking import masked_email, masked_phone
from surveyapp.domain.promise import at_most, in_words
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import Customer
from surveyapp.queries import preferences, respond
from surveyapp.queries.catalog import read_yaml
from surveyapp.queries.policy import policy_in_force
from surveyapp.queries.preferences import AskedBefore, Person
from surveyapp.services.customers import ALL, opt_out
from surveyapp.services.preferences import BREAKS, answer_kind, save_preferences
from surveyapp.web.respond import shell
from surveyapp.web.respond.shell import Frame

blueprint = Blueprint("preferences", __name__)

KEEP = "keep"


@blueprint.get("/u/<token>")
def opt_out_page(token: str) -> Response:
    found = _open("opt_out", token)
    if found is None:
        return shell.unknown()
    page, _ = found
    return shell.show(
        page,
        "opt_out",
        (),
        action=page.address("preferences.leave", token=token),
        preferences=page.link_to("preferences.preferences_page", "preferences"),
    )


@blueprint.post("/u/<token>")
def leave(token: str) -> Response:
    """Nothing of the body is needed: the address says it all, whether a person or a mail program posts it."""
    found = _open("opt_out", token)
    if found is None:
        return shell.unknown()
    return _left(*found)


@blueprint.get("/p/<token>")
def preferences_page(token: str) -> Response:
    found = _open("preferences", token, whole=True)
    if found is None:
        return shell.unknown()
    page, person = found
    now = clock.now()
    policy = policy_in_force(db.session, now)
    dates = [person.paused_until, respond.earliest_ask(db.session, person.customer_id, policy, now)]
    earliest = max((moment for moment in dates if moment), default=None)
    return shell.show(
        page,
        "preferences",
        ("preferences",),
        action=page.address("preferences.save", token=token),
        saved="saved" in request.args,
        channels=_channels(page, person),
        kinds=_kinds(page, person),
        paused=page.words.full_day(page.brand.local_day(person.paused_until)) if person.paused_until else None,
        pauses=[{"value": days, "text": page.words.say(f"preferences.pause_{days}")} for days in BREAKS],
        history=[_line(page, one) for one in person.history],
        contact=shell.contact_address(page.brand.contact),
        next_day=page.words.full_day(page.brand.local_day(earliest)) if earliest else None,
        promise=in_words(at_most(policy), read_yaml(f"messages/{page.words.texts['language']}.yaml")["promise"]),
    )


@blueprint.post("/p/<token>")
def save(token: str) -> Response:
    request.max_content_length = shell.BODY_LIMIT
    found = _open("preferences", token, whole=True)
    if found is None:
        return shell.unknown()
    page, person = found
    if request.form.get("all") == "off":
        return _left(page, person)
    customer = _customer(person)
    if customer is not None:
        if "set" in request.form:
            _tapped(page, person, customer, request.form["set"])
        elif "channel" in request.form or "pause" in request.form:
            chosen = request.form.get("pause", KEEP)
            days = int(chosen) if chosen in {"0", *map(str, BREAKS)} else None
            save_preferences(customer, {*request.form.getlist("channel"), *_not_shown(page, person)}, days)
    return redirect(page.address("preferences.preferences_page", token=token, saved=1), 303)


def _tapped(page: Frame, person: Person, customer: Customer, what: str) -> None:
    """One button of the page: `email:off`, `pause:90`, `kind:NAME:on`. Anything else changes nothing."""
    name, _, value = what.rpartition(":")
    channels = {c["key"] for c in _channels(page, person)}
    if name in channels and value in ("on", "off"):
        kept = {str(c) for c in Channel if not person.closed_channels & {str(c), ALL}} - {name}
        save_preferences(customer, kept | ({name} if value == "on" else set()), None)
    elif name == "pause" and value in {"0", *map(str, BREAKS)}:
        everywhere = {str(c) for c in Channel if not person.closed_channels & {str(c), ALL}}
        save_preferences(customer, everywhere, int(value)) if everywhere else None
    elif name in {kind.key for kind in preferences.kinds(db.session, person.customer_id)} and value in ("on", "off"):
        answer_kind(customer, name, ask=value == "on")


def _open(purpose: str, token: str, *, whole: bool = False) -> tuple[Frame, Person] | None:
    """The person behind a token, expired invitation or not; None when the token opens nothing."""
    uid = tokens.read(purpose, token, shell.keys())
    person = preferences.person(db.session, uid, clock.now(), whole=whole) if uid else None
    if person is None:
        return None
    return shell.frame(person.brand, person.language, token=token, uid=uid), person


def _left(page: Frame, person: Person) -> Response:
    customer = _customer(person)
    if customer is not None:
        opt_out(customer, ALL, source="link")
    choose = page.link_to("preferences.preferences_page", "preferences")
    aside = {"text": page.say("opt_out.mistake"), "href": choose, "link": page.say("opt_out.choose")}
    return shell.ended(page, 200, "opt_out.done", page.say("opt_out.done_more"), mark="ok", aside=aside)


def _customer(person: Person) -> Customer | None:
    """The record, unless there is nobody left to ask."""
    return None if person.erased else respond.customer(db.session, person.customer_id)


def _channels(page: Frame, person: Person) -> list[dict[str, Any]]:
    say = page.words.say
    offered = [
        ("email", masked_email(person.email) if person.email else None, ""),
        ("sms", masked_phone(person.phone) if person.phone else None, ""),
        ("web", "", say("preferences.web_more")),
    ]
    return [
        {
            "key": key,
            "name": say(f"preferences.{key}"),
            "small": Markup('<bdi dir="ltr">{}</bdi>').format(address) if address else hint,
            "open": not person.closed_channels & {key, ALL},
        }
        for key, address, hint in offered
        if address is not None
    ]


def _not_shown(page: Frame, person: Person) -> set[str]:
    """Channels that stand open but have no address yet, so that the page could not offer them."""
    shown = {channel["key"] for channel in _channels(page, person)}
    return {str(c) for c in Channel if c not in shown and not person.closed_channels & {str(c), ALL}}


def _kinds(page: Frame, person: Person) -> list[dict[str, Any]]:
    """The kinds of questions that may reach this person, each named by what its surveys ask about."""
    shown = []
    for kind in preferences.kinds(db.session, person.customer_id):
        titles = dict.fromkeys(_title(page, metric, about) for metric, about in kind.asked_about)
        shown.append({"key": kind.key, "name": Markup(" · ").join(titles), "open": kind.key not in person.closed_kinds})
    return shown


def _title(page: Frame, metric: str, about: Mapping[str, str]) -> Markup:
    """What a question is about, short enough for a list."""
    if metric in ("nps", "tnps"):
        return page.say("preferences.recommend")
    title = page.own({language: text[:1].upper() + text[1:] for language, text in about.items()})
    return title or page.say("preferences.effort" if metric.startswith("ces") else "preferences.other")


def _line(page: Frame, one: AskedBefore) -> dict[str, str]:
    channel = page.words.say(f"preferences.by_{one.channel}")
    return {
        "title": _title(page, one.metric, one.about),
        "when": page.say("page.context", s=page.words.full_day(one.day), date=channel),
        "answered": page.words.say("preferences.answered" if one.answered else "preferences.unanswered"),
    }
