"""Asks on a partner's page: decided, reserved and recorded like every other ask. The browser decides nothing.

A visitor is a customer only by the partner's signature; without one nobody they ever were or will be. What a page
may be told about a refusal is said here, what its partner may be told too.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints, logs
from surveyapp.domain import triggers as rules
from surveyapp.domain.eligibility import decide, rank
from surveyapp.domain.events import CustomerIn
from surveyapp.domain.facts import Decision as Ruling
from surveyapp.domain.facts import Facts
from surveyapp.domain.sampling import coin, period_number
from surveyapp.domain.vocabulary import Channel, MessageState, Outcome, Reason
from surveyapp.models import Brand, Customer, Event, Message, Step
from surveyapp.queries import contact_history
from surveyapp.queries import partners as queries
from surveyapp.queries import triggers as trigger_queries
from surveyapp.queries.partners import PartnerFacts
from surveyapp.queries.triggers import Planned, as_rule
from surveyapp.services import vault
from surveyapp.services.customers import add_stranger, again_if_erased, refuse_erased, upsert_customers
from surveyapp.services.dispatch import (
    Batch,
    Claim,
    PeopleChanged,
    Setting,
    language_for,
    read_setting,
    short_waits,
    write_ruling,
)
from surveyapp.services.inserts import insert_new
from surveyapp.services.outreach import write_plans
from surveyapp.services.tickets import OWN_SOURCE, TO_SHOW, on_page_only, release_stale, ticket
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)

SHARE_OVER = timedelta(days=7)
SHARE_FREE = 10  # asks a week that no share takes away, so that a new partner can begin
SAMPLE_PER = timedelta(days=90)
PRIVATE = "not_now"
TOLD = frozenset(
    (Reason.GAP, Reason.CAP, Reason.JOURNEY_CAP, Reason.ALREADY_ASKED, Reason.SURVEY_CLOSED, Reason.EXPIRED)
) | {Reason.SAMPLED_OUT, Reason.BUDGET, Reason.YIELDED}


class NotOffered(Exception):
    """Nothing is shown. `reason` is what the page hears; `sign` is what the partner's console counts, if anything."""

    def __init__(self, reason: str, sign: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sign = sign


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page says of its visitor. `properties` were checked already; `language` is the page's own."""

    journey: str
    step: str
    customer: str | None = None
    signature: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    instance: str | None = None
    language: str | None = None

    @property
    def path(self) -> str:
        return f"{self.journey}.{self.step}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A question reserved for this visitor: the ticket that shows and answers it, and the invitation behind it."""

    ticket: str
    invitation: str
    survey_version: int
    language: str
    known: bool


def offer(partner: PartnerFacts, visit: Visit, origin: str) -> Offer:
    """The question to show now, its contact reserved for a minute. Raises NotOffered."""
    known = identified(partner, visit.customer, visit.signature)
    try:
        return again_if_erased(lambda: _offer(partner, visit, origin, known))
    except PeopleChanged:
        return again_if_erased(lambda: _offer(partner, visit, origin, known))


def identified(partner: PartnerFacts, customer: str | None, signature: str | None) -> bool:
    """Whether the visitor is who the page says: by signature only. Raises NotOffered for a wrong one."""
    if signature is None:
        return False
    valid = False
    for sealed in partner.sealed:
        expected = hmac.digest(vault.unseal(sealed).encode(), (customer or "").encode(), hashlib.sha256).hex()
        valid |= hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    if not valid or not customer:
        raise NotOffered("refused", "bad_signature")
    return True


def _offer(partner: PartnerFacts, visit: Visit, origin: str, known: bool) -> Offer:
    with transaction() as session:
        short_waits(session)
        now = clock.database_now(session)
        step, listening = _listening(session, partner, visit, known)
        customer = _customer(session, visit, known)
        _refuse_by_partner(session, partner, customer, now)
        if customer is None:
            customer = add_stranger(session, f"web:{secrets.token_urlsafe(16)}", visit.language)
        message = _choose(session, customer, step, listening, visit, known, now)
        batch = _PageBatch(read_setting(session, [message]), partner, visit)
        batch.settle(message)
        batch.write()
        ruling = batch.said
        if ruling is not None and ruling.outcome is Outcome.ASKED:
            row = batch.invitations[0][1]
            made = Offer(
                ticket(partner.id, origin, row["uid"]), row["uid"], row["survey_version_id"], row["language"], known
            )
        else:
            made = None
    failpoints.reached("offer_committed")
    if made is None:
        raise NotOffered(told(ruling.reason if ruling else None), "policy")
    return made


def told(reason: str | None) -> str:
    """What a page may hear of a refusal: nothing about consent, cases or what else happened to the person."""
    return str(reason) if reason in TOLD else PRIVATE


def _listening(session: AnySession, partner: PartnerFacts, visit: Visit, known: bool) -> tuple[Step, list[Planned]]:
    """The step, and the triggers that may ask there: its own, and of somebody known also the recurring ones.

    A partner who is held to certain steps asks nothing that belongs to none.
    """
    step = queries.step_at(session, visit.journey, visit.step)
    if step is None:
        raise NotOffered("refused", "unknown_step")
    if not partner.may_ask_at(visit.path):
        raise NotOffered("refused", "step_not_allowed")
    recurring = known and not partner.settings.get("steps")
    found = trigger_queries.active(session, {step.id}, recurring=recurring)
    listening = [t for t in found if Channel.WEB in t.rule.channels]
    if not listening:
        raise NotOffered("no_survey", "no_survey")
    return step, listening


def _customer(session: AnySession, visit: Visit, known: bool) -> Customer | None:
    """The customer of a signed visit, made if new; None for a visitor nobody knows."""
    if not known or visit.customer is None:
        return None
    customer = upsert_customers(session, [CustomerIn(visit.customer)]).get(visit.customer)
    if customer is None or customer.erased_at is not None:
        raise NotOffered(PRIVATE, "policy")
    return customer


def _refuse_by_partner(session: AnySession, partner: PartnerFacts, customer: Customer | None, now: datetime) -> None:
    """What the partner was given: a share of visitors, a share of the week's asks."""
    if partner.sample < 1.0:
        person = (customer.external_id if customer else None) or secrets.token_hex(8)
        draw = f"partner:{partner.id}|contact:{person}|period:{period_number(now, SAMPLE_PER)}"
        if coin(current_app.config["CONTACT_PEPPER"], draw) >= partner.sample:
            raise NotOffered(Reason.SAMPLED_OUT, "sampled_out")
    if partner.share < 1.0:
        mine = queries.asked_since(session, now - SHARE_OVER, partner.id)
        if mine >= max(SHARE_FREE, partner.share * queries.asked_since(session, now - SHARE_OVER)):
            raise NotOffered(Reason.BUDGET, "share_used_up")


def _choose(
    session: AnySession,
    customer: Customer,
    step: Step,
    listening: Sequence[Planned],
    visit: Visit,
    known: bool,
    now: datetime,
) -> Message:
    """The ask to decide, its row locked: what waits for the customer here, else one about this very visit."""
    triggers = [t.id for t in listening]
    zone = session.scalar(select(Brand.timezone)) or "UTC"
    midnight = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    if known:
        release_stale(session, customer, triggers, now)
        ids = queries.offerable(session, customer.id, triggers, visit.instance)
        waiting = [m for m in contact_history.load(session, ids) if _may_take(m, now)]
        if waiting:
            return min(waiting, key=_order)
        if queries.on_page(session, customer.id, triggers, midnight):
            raise NotOffered(Reason.ALREADY_ASKED)
    return _own_event(session, customer, step, listening, visit, f"{midnight:%Y-%m-%d}", now)


def _may_take(message: Message, now: datetime) -> bool:
    """Whether the ask has come of age and is not over; `delay` holds on pages, too."""
    assert message.decision is not None
    due = message.decision.event.occurred_at + as_rule(message.trigger).delay
    return due <= now and (message.expires_at is None or now <= message.expires_at)


def _order(message: Message) -> tuple[Any, ...]:
    assert message.decision is not None
    occurred_at = message.decision.event.occurred_at
    return (*rank(message.tier, message.priority, message.expires_at, occurred_at), message.id)


def _own_event(
    session: AnySession,
    customer: Customer,
    step: Step,
    listening: Sequence[Planned],
    visit: Visit,
    day: str,
    now: datetime,
) -> Message:
    """The visit as an event of its own: at most one per customer, step, day and instance."""
    context = {**customer.attributes, **visit.properties}
    matching = [t for t in listening if t.step_id == step.id and rules.matches(t.rule, visit.path, context)]
    if not matching:
        raise NotOffered("no_survey", "no_survey")
    whose = "\0".join((str(customer.id), visit.path, day, visit.instance or ""))
    event_id = "web:" + hashlib.sha256(whose.encode()).hexdigest()[:40]
    row = {
        "event_id": event_id,
        "customer_id": customer.id,
        "step_id": step.id,
        "instance": visit.instance,
        "occurred_at": now,
        "received_at": now,
        "properties": dict(visit.properties),
        "attributes": customer.attributes,
        "source": OWN_SOURCE,
    }
    kept = insert_new(session, Event, [row], ["event_id"])
    refuse_erased(session, [customer])
    if not kept:
        raise NotOffered(told(queries.reason_of(session, event_id) or Reason.ALREADY_ASKED))
    plans = [(kept[0], customer, t._replace(rule=on_page_only(t.rule))) for t in matching]
    write_plans(session, plans, now)
    ids = queries.offerable(session, customer.id, [t.id for t in matching], None)
    mine = [m for m in contact_history.load(session, ids) if m.decision and m.decision.event_id == kept[0].id]
    ready = [m for m in mine if _may_take(m, now)]
    if not ready:
        raise NotOffered("not_yet")
    return min(ready, key=_order)


class _PageBatch(Batch):
    """One ask decided for a page. A refusal spoils only what no other channel could ask."""

    def __init__(self, setting: Setting, partner: PartnerFacts, visit: Visit) -> None:
        super().__init__(setting, Claim())
        self.partner = partner
        self.visit = visit
        self.lease = TO_SHOW
        self.said: Ruling | None = None

    def ruling(self, message: Message) -> tuple[Facts, Ruling]:
        facts = contact_history.facts_of(self.history, message, self.now, self.rivals.of(message))
        blocked = "wait" if facts.candidate.blocked == "wait" else "drop"
        candidate = replace(facts.candidate, channels=(str(Channel.WEB),), blocked=blocked)
        facts = replace(facts, candidate=candidate)
        return facts, decide(facts, self.policy, self.now, self.pepper)

    def settle(self, message: Message) -> None:
        facts, ruling = self.ruling(message)
        self.said = ruling
        if ruling.outcome is Outcome.ASKED:
            self.ask(message, facts, ruling)
        elif message.channel != Channel.WEB:
            return  # its other channels are still to be tried when it is due
        elif ruling.outcome is Outcome.REFUSED:
            message.state, message.reason = MessageState.REFUSED, ruling.reason
        write_ruling(message, ruling, self.policy, self.now)

    def invitation(self, message: Message, ruling: Ruling) -> dict[str, Any]:
        wanted = self.visit.language
        offered = self.brand is not None and wanted is not None and _spoken(wanted, self.brand)
        return super().invitation(message, ruling) | {
            "partner_id": self.partner.id,
            "language": language_for(wanted if offered else message.customer.language, self.brand),
            "inclusion": ruling.inclusion * self.partner.sample,
            "open_until": self.now + TO_SHOW,
        }


def _spoken(language: str, brand: Brand) -> bool:
    return language.replace("_", "-").partition("-")[0].lower() in {str(one).lower() for one in brand.languages}
