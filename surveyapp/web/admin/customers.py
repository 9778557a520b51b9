"""Customers: found by an exact id or address; one timeline of what happened, what we asked, refused and heard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain.vocabulary import Channel, Role
from surveyapp.extensions import db
from surveyapp.queries.console import customers as queries
from surveyapp.queries.console.journeys import step_names
from surveyapp.services import audit
from surveyapp.services.transaction import transaction
from surveyapp.web.admin import params, shell
from surveyapp.web.admin.words import step_words

blueprint = Blueprint("customers", __name__)
KINDS: dict[str, frozenset[str]] = {
    "all": frozenset({"event", "asked", "waiting", "refused", "answer"}),
    "asks": frozenset({"asked", "waiting"}),
    "answers": frozenset({"answer"}),
    "refusals": frozenset({"refused"}),
    "events": frozenset({"event"}),
}
SAME = timedelta(minutes=1)
MAY_SEE_ADDRESSES = frozenset({Role.ADMIN, Role.EDITOR, Role.AGENT})


@blueprint.get("/")
def index() -> str:
    """The page with the box; what is typed into it goes to `home.find`, so that no address enters a URL."""
    recent = queries.recent_customers(db.session(), shell.now())
    return render_template("admin/customers.html", recent=recent, found=None, sought="")


@blueprint.get("/<path:external_id>")
def timeline(external_id: str) -> str | Response:
    session = db.session()
    customer = queries.customer_named(session, external_id)
    if customer is None:
        abort(404, "There is no customer with this id.")
    if customer.merged_into_id is not None:
        other = queries.external_id_of(session, customer.merged_into_id)
        return redirect(url_for("customers.timeline", external_id=other), 303)
    kind = params.choice("show", KINDS) or "all"
    before = params.instant("before")
    if before is None and kind == "all":
        with transaction() as writing:
            audit.note(writing, "customer.opened", external_id)
    found = queries.timeline(session, customer.id, KINDS[kind], before)
    blocks = queries.blocks_of(session, customer)
    names = step_names(session)
    return render_template(
        "admin/customer.html",
        customer=customer,
        timeline=found,
        entries=_together(found.entries, names),
        kind=kind,
        kinds=list(KINDS),
        before=before,
        blocks=[block for block in blocks if block.reason != "erased"],
        channels=_channels(customer, blocks),
        open_addresses=current_user.role in MAY_SEE_ADDRESSES,
    )


@dataclass(frozen=True)
class Line:
    """One line of the page: an entry, what it is about, and further refusals of the same moment and reason."""

    at: datetime
    e: queries.Entry
    about: str
    also: tuple[str, ...] = ()


def _together(entries: Iterable[queries.Entry], names: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """The entries as lines; neighbouring refusals with the same reason, decided within a minute, become one."""
    lines: list[Line] = []
    for entry in entries:
        path = (
            entry.step_key
            if entry.kind == "answer"
            else f"{entry.journey}.{entry.step_key}"
            if entry.step_key
            else None
        )
        about = step_words(entry.step or names.get(path or ""), path, entry.trigger or entry.name)
        last = lines[-1] if lines else None
        if (
            last
            and entry.kind == last.e.kind == "refused"
            and entry.reason == last.e.reason
            and last.at - entry.at < SAME
        ):
            lines[-1] = replace(last, also=(*last.also, about))
        else:
            lines.append(Line(entry.at, entry, about))
    return lines


def _channels(customer: Any, blocks: list[Any]) -> list[dict[str, Any]]:
    """What we may use to reach this person, channel by channel, and what speaks against it."""
    address = {Channel.EMAIL: customer.email, Channel.SMS: customer.phone, Channel.WEB: None}
    lines = []
    for channel in Channel:
        against = next((block for block in blocks if block.channel in (channel, "all")), None)
        refused = (customer.consent or {}).get(channel) is False
        lines.append(
            {
                "channel": channel,
                "address": address[channel],
                "block": against,
                "refused": refused,
                "preferred": customer.preferred_channel == channel,
                "usable": not against and not refused and (channel == Channel.WEB or bool(address[channel])),
            }
        )
    return lines
