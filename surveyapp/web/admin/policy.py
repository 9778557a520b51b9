"""The contact policy's page: rules as sentences whose values can be changed into a draft, which is compared, then put
in force. Nothing goes live from the page itself."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain.policy_editing import (
    KIND_WORDS,
    NEEDS_SCOPE,
    SCOPED,
    NoSuchRule,
    find,
    switched,
    with_rule,
    with_value,
    without,
)
from surveyapp.domain.policy_reading import DAYS, EXEMPTABLE, PolicyProblems
from surveyapp.domain.policy_value_words import CHANNEL_WORDS
from surveyapp.domain.policy_words import in_groups, sentence
from surveyapp.domain.programme.tree import plain
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.models import Customer
from surveyapp.queries import policy as policies
from surveyapp.queries.console import customers as customer_queries
from surveyapp.queries.console import policy as queries
from surveyapp.services import audit
from surveyapp.services import policy as services
from surveyapp.services.programme_file import read_tree
from surveyapp.services.transaction import transaction
from surveyapp.web.admin import params, policy_forms, policy_page, shell, strips
from surveyapp.web.admin.policy_forms import Unreadable, place_of
from surveyapp.web.admin.policy_page import Standing

blueprint = Blueprint("policy", __name__)
EDITORS = frozenset({Role.ADMIN, Role.EDITOR})
LONGEST_FILE = 100_000
Definition = dict[str, Any]
Rendered = str | tuple[str, int] | Response


@blueprint.get("/")
def index() -> Rendered:
    customer, missing = _example()
    return _page(policy_page.standing(), customer=customer, missing=missing)


def _example() -> tuple[Customer | None, str]:
    """The customer whose weeks are drawn, and the id that nobody has. Looking at a person is written down."""
    wanted = params.text("customer")
    if wanted is None:
        return None, ""
    customer = customer_queries.customer_named(db.session(), wanted)
    if customer is None or customer.erased_at is not None:
        return None, wanted
    with transaction() as session:
        audit.note(session, "customer.opened", wanted, {"page": "contact policy"})
    return customer, ""


def _page(
    stand: Standing,
    problems: dict[str, list[str]] | None = None,
    typed: dict[str, Any] | None = None,
    customer: Customer | None = None,
    missing: str = "",
) -> str:
    session = db.session()
    choices = queries.choices(session)
    names = policy_page.names_of(choices)
    policy = policy_page.readable(stand.definition)
    drawn = strips.show(session, policy, customer, shell.now()) if policy else None
    live = policy_page.readable(stand.base) if stand.draft and stand.live and drawn else None
    before = strips.show(session, live, customer, shell.now()) if live else None
    return render_template(
        "admin/policy.html",
        stand=stand,
        groups=policy_page.groups(stand, names),
        parts_of=policy_page.parts_of,
        changes=policy_page.compared(stand),
        checks=policy_page.checks(stand, choices),
        versions=policy_page.versions(stand),
        drawn=drawn,
        strip_change=strips.difference(drawn, before, stand.live.number) if drawn and before and stand.live else "",
        changed=policy_page.minutes_ago(stand.draft.updated_at) if stand.draft else "",
        may_edit=current_user.role in EDITORS,
        may_exempt=current_user.role == Role.ADMIN,
        problems=problems or {},
        typed=typed or {},
        customer=customer.external_id if customer else "",
        scoping=params.text("scope") or "",
        missing=missing,
        scopes=_scopes(choices),
        kinds=[(kind, words) for kind, words in KIND_WORDS.items() if kind != "exemption"],
        scoped=SCOPED,
        needs_scope=NEEDS_SCOPE,
        countries=["customer", *policies.holidays()],
        weekdays=DAYS,
        exemptable=EXEMPTABLE,
        forms=policy_forms,
    )


def _scopes(choices: queries.Choices) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What a rule may cover: field, label, options."""
    named = policy_page.names_of(choices)
    rows = (("journey", choices.journeys), ("step", choices.steps), ("survey", choices.surveys))
    found = [
        (kind, kind.capitalize(), [(key, named.get(f"{kind}:{key}", key)) for key, _ in rows_]) for kind, rows_ in rows
    ]
    found.append(("group", "Survey group", [(key, named.get(f"group:{key}", key)) for key, _ in choices.groups]))
    found.append(("channel", "Channel", list(CHANNEL_WORDS.items())))
    return found


@blueprint.post("/value")
def change_value() -> Rendered:
    """One value of one rule, as its popover sends it."""
    place = tuple((request.form.get("value") or "").split("."))

    def change(definition: Definition) -> Definition:
        path = place_of(request.form.get("rule", ""))
        said = sentence(find(definition, path))
        controls = {token.path: token.control for token in said.tokens} | {("scope",): "scope"}
        if place not in controls:
            raise NoSuchRule
        value = policy_forms.value_of(controls[place], request.form)
        if value is policy_forms.EMPTY:
            flash("Left empty, so there is no limit: the rule is off.")
            return switched(definition, path, False)
        return with_value(definition, path, place, value)

    return _change(change, ".".join(place))


@blueprint.post("/switch")
def switch_rule() -> Rendered:
    wanted = request.form.get("on") == "yes"
    return _change(lambda definition: switched(definition, place_of(request.form.get("rule", "")), wanted))


@blueprint.post("/remove")
def remove_rule() -> Rendered:
    return _change(lambda definition: without(definition, place_of(request.form.get("rule", ""))))


@blueprint.post("/add")
def add_rule() -> Rendered:
    """A rule of a kind, covering what was chosen; an exemption also says from what, why, by whom and until when."""

    def change(definition: Definition) -> Definition:
        kind = request.form.get("kind", "")
        scope = policy_forms.scope_of(request.form)
        if kind in NEEDS_SCOPE and not scope:
            raise Unreadable("Such a rule covers something: choose a journey, step, survey, group or channel.")
        values: dict[str, Any] = {}
        if kind == "exemption":
            values = {
                "from_rules": policy_forms.value_of("rules", request.form),
                "reason": (request.form.get("reason") or "").strip()[:200],
                "author": current_user.email,
                "until": policy_forms.day_of(request.form.get("until_day", "")),
            }
        return with_rule(definition, kind, scope, **values)

    return _change(change, "add")


def _change(change: Callable[[Definition], Definition], value: str = "") -> Rendered:
    """Save the draft with one change. What cannot be is told beside the rule, and nothing is saved."""
    stand = policy_page.standing()
    place = request.form.get("rule") or "add"
    typed = {"rule": place, "value": value, "form": request.form}
    try:
        definition = change(stand.definition)
        saved = services.save_draft(definition, current_user.email, params_revision())
    except NoSuchRule:
        return _refused(stand, place, ["This rule is not there any more. The page shows what is."], typed, 409)
    except Unreadable as problem:
        return _refused(stand, place, [str(problem)], typed, 422)
    except PolicyProblems as found:
        return _refused(stand, place, [policy_sentence(text) for _, text in found.problems], typed, 422)
    except services.DraftChanged:
        stand = policy_page.standing()
        who = f"{stand.draft.updated_by} saved another draft meanwhile" if stand.draft else "The draft was closed"
        return _refused(stand, place, [f"{who}. Your change is not in it; the page shows what is."], typed, 409)
    anchor = place if place != "add" else policy_forms.written(("rules", len(saved.definition.get("rules", [])) - 1))
    customer = request.form.get("customer") or None
    return redirect(url_for("policy.index", customer=customer, _anchor=f"r-{anchor}"), 303)


def params_revision() -> int:
    """The revision of the draft that the form was made from; 0 where there was none."""
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _refused(stand: Standing, place: str, sentences: list[str], typed: dict[str, Any], status: int) -> tuple[str, int]:
    return _page(stand, {place: list(dict.fromkeys(sentences))}, typed), status


def policy_sentence(text: str) -> str:
    """A rule's complaint as a sentence of its own."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


@blueprint.post("/discard")
def discard() -> Rendered:
    try:
        services.discard_draft(params_revision())
    except services.DraftChanged:
        flash("The draft was saved by somebody else meanwhile, so it was not discarded.")
    else:
        flash("The draft is discarded. The policy in force was never touched.")
    return redirect(url_for("policy.index"), 303)


@blueprint.get("/draft")
def compare() -> Rendered:
    """The draft beside the policy in force, in words, with the way to put it in force."""
    return _compare({})


def _compare(errors: dict[str, str]) -> Rendered:
    stand = policy_page.standing()
    if stand.draft is None:
        return redirect(url_for("policy.index"), 303)
    choices = queries.choices(db.session())
    return render_template(
        "admin/policy_draft.html",
        stand=stand,
        changes=policy_page.compared(stand),
        checks=policy_page.checks(stand, choices),
        changed=policy_page.minutes_ago(stand.draft.updated_at),
        broken=policy_page.readable(stand.definition) is None,
        waiting=queries.waiting(db.session()),
        number=(policies.versions(db.session(), 1)[0].number if stand.live else 0) + 1,
        may_edit=current_user.role in EDITORS,
        zone=shell.zone(),
        today=shell.today(),
        errors=errors,
        typed=request.form,
    )


@blueprint.post("/draft")
def activate() -> Rendered:
    """Put the draft in force, now or from a day on."""
    errors: dict[str, str] = {}
    begins = _begins(errors)
    if not errors:
        try:
            version = services.activate_draft(
                current_user.email, params_revision(), begins, may_exempt=current_user.role == Role.ADMIN
            )
            when = (
                "from now on"
                if begins is None
                else f"from {begins.astimezone(ZoneInfo(shell.zone())):%-d %B %Y, %H:%M} on"
            )
            flash(f"Version {version.number} holds {when}.")
            return redirect(url_for("policy.index"), 303)
        except services.DraftMissing:
            return redirect(url_for("policy.index"), 303)
        except services.DraftChanged:
            errors["when"] = (
                "The draft was saved by somebody else meanwhile. Read the differences again, then activate."
            )
        except services.ExemptionNeedsAdmin:
            errors["when"] = "This draft exempts asks from a rule. Only an administrator may put that in force."
        except PolicyProblems as found:
            errors["when"] = policy_sentence(found.problems[0][1])
    shown = _compare(errors)
    return (shown, 422) if isinstance(shown, str) else shown


def _begins(errors: dict[str, str]) -> datetime | None:
    """From when it shall hold, on the brand's clock; None for at once."""
    if request.form.get("when") != "later":
        return None
    try:
        local = datetime.fromisoformat(f"{request.form.get('day', '')}T{request.form.get('time') or '00:00'}")
    except ValueError:
        errors["day"] = "Choose a day and a time, or activate now."
        return None
    moment = local.replace(tzinfo=ZoneInfo(shell.zone())).astimezone(UTC)
    if moment <= shell.now():
        errors["day"] = "This moment has passed. Choose a later one, or activate now."
    return moment


@blueprint.get("/file")
def show_file() -> str:
    """The policy as it is written in the programme file, for those who prefer that."""
    stand = policy_page.standing()
    return _file(stand, _yaml(stand.definition), {})


def _file(stand: Standing, text: str, errors: dict[str, str], told: Any = None) -> str:
    return render_template(
        "admin/policy_file.html",
        stand=stand,
        text=text,
        errors=errors,
        told=told,
        may_edit=current_user.role in EDITORS,
    )


def _yaml(definition: Definition) -> str:
    return yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=100) if definition else ""


@blueprint.post("/file")
def save_file() -> Rendered:
    """Check what was written, or save it as the draft."""
    stand = policy_page.standing()
    text = request.form.get("policy", "").replace("\r\n", "\n")
    errors: dict[str, str] = {}
    definition = _read_file(text, errors)
    if not errors:
        try:
            services.read_policy(definition)
            if request.form.get("do") == "save":
                services.save_draft(definition, current_user.email, params_revision())
                return redirect(url_for("policy.index"), 303)
            return _file(stand, text, {}, in_groups(definition))
        except PolicyProblems as found:
            for path, sentence_ in found.problems:
                where = ".".join(map(str, path)) or "policy"
                errors.setdefault("policy", "")
                errors["policy"] += f"{' ' if errors['policy'] else ''}{where}: {policy_sentence(sentence_)}"
        except services.DraftChanged:
            errors["policy"] = (
                "The draft was saved by somebody else meanwhile. Copy your text, then load the page again."
            )
    return _file(stand, text[:LONGEST_FILE], errors), 422


def _read_file(text: str, errors: dict[str, str]) -> Definition:
    if len(text) > LONGEST_FILE:
        errors["policy"] = f"A policy has at most {LONGEST_FILE:,} characters."
        return {}
    tree, problems = read_tree(text)
    if tree is None or problems:
        errors["policy"] = " ".join(f"Line {problem.line}: {problem.sentence}" for problem in problems[:5])
        return {}
    found = plain(tree)
    if found is None:
        return {}
    if not isinstance(found, dict):
        errors["policy"] = "The policy is a mapping with gap, caps, quiet_hours, holding and rules."
        return {}
    definition: Definition = json.loads(json.dumps(found, default=str))
    return definition


@blueprint.get("/versions/<int:number>")
def version(number: int) -> str:
    """One version as it was, in sentences."""
    found = policies.version_numbered(db.session(), number) if number < 2**31 else None
    if found is None:
        abort(404, "There is no version of the policy with this number.")
    choices = queries.choices(db.session())
    return render_template(
        "admin/policy_version.html",
        version=found,
        groups=in_groups(found.definition, policy_page.names_of(choices)),
        stand=policy_page.standing(),
        text=_yaml(found.definition),
        may_edit=current_user.role in EDITORS,
    )


@blueprint.post("/versions/<int:number>")
def take_version(number: int) -> Rendered:
    """Begin the draft anew from that version; it is compared and activated like any other."""
    found = policies.version_numbered(db.session(), number) if number < 2**31 else None
    if found is None:
        abort(404, "There is no version of the policy with this number.")
    try:
        services.save_draft(found.definition, current_user.email, params_revision())
    except (services.DraftChanged, PolicyProblems):
        flash("The draft was saved by somebody else meanwhile, so it was left alone.")
    return redirect(url_for("policy.index"), 303)
