"""Was it a person who clicked? Weighs what was fetched and posted over one link, and says how an answer counts.

Mail gateways fetch every link, some run the scripts, some submit the forms. Evidence belongs to a *visit*: the id that
each page carries in its form. Whoever else opens the link has visits of their own. Evidence can only lower trust.
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from surveyapp.domain.networks import GATEWAY, network_of
from surveyapp.domain.vocabulary import ResponseStatus

BURST = timedelta(seconds=60)
SOON = timedelta(seconds=10)
REACH = timedelta(minutes=10)
SUSPECTED = ResponseStatus.SUSPECTED_BOT
_UID = re.compile(r"([0-9a-f]{11})\.[A-Za-z0-9_-]{12}")
_EARLY = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)


class HitKind(StrEnum):
    """What came over a link without anybody having to be there."""

    PAGE = "page"
    HEAD = "head"
    PREFETCH = "prefetch"
    HONEYPOT = "honeypot"
    SCRIPT = "script"


class Evidence(StrEnum):
    """Why a post is not believed, or not believed yet."""

    HONEYPOT = "honeypot"
    VALUES = "several_values"
    SOON = "too_soon"
    PREFETCH = "prefetch"
    VISITOR = "suspected_before"
    LOOKED_AHEAD = "looked_ahead"


@dataclass(frozen=True, slots=True)
class Hit:
    """One fetch of a link, or one post by a page's script. `value` is the score in the address or the form."""

    at: datetime
    kind: HitKind
    visitor: str
    visit: str | None = None
    value: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was made of an earlier post over the same link; the latest post of that visit."""

    at: datetime
    visit: str
    visitor: str
    status: ResponseStatus


@dataclass(frozen=True, slots=True)
class HandedOver:
    """When a message with this link left us, and when its provider says it arrived."""

    sent_at: datetime
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The visit that posts now. `visit` is None when the post carried no id of ours: then nothing was fetched by it.

    `scripted` marks what the page posts by itself, `gesture` what it posts at the first touch, pointer move, key or
    scroll; a form that was sent is neither. `ahead` says that the post itself claims to be a prefetch.
    """

    visit: str | None
    visitors: frozenset[str] = frozenset()
    scripted: bool = False
    gesture: bool = False
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What is known of the link, whoever opened it."""

    hits: Sequence[Hit] = ()
    earlier: Sequence[Earlier] = ()
    handed_over: Sequence[HandedOver] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the post counts, and why not more."""

    status: ResponseStatus
    reasons: tuple[Evidence, ...] = ()


def classify(visit: VisitFacts, link: LinkFacts, now: datetime) -> Verdict:
    """How a post at `now` counts.

    Suspected: its visitor fetched a link that no person sees or two values within a minute, was suspected just before,
    or let a script post within ten seconds of the arrival; or the post calls itself a prefetch. Otherwise a form that
    was sent is confirmed, so is a gesture unless its visitor looked ahead (HEAD, prefetch), and a script's post alone
    is provisional. A form without a visit is confirmed: nothing was fetched by it.
    """
    if visit.ahead:
        return Verdict(SUSPECTED, (Evidence.PREFETCH,))
    if visit.visit is None or (started := visit_started(visit.visit)) is None:
        by_itself = visit.scripted or visit.gesture
        return Verdict(ResponseStatus.PROVISIONAL if by_itself else ResponseStatus.CONFIRMED)
    visitors = visit.visitors | {hit.visitor for hit in link.hits if hit.visit == visit.visit}
    hits = [hit for hit in link.hits if hit.visitor in visitors and hit.at >= started - REACH]
    earlier = [one for one in link.earlier if one.visitor in visitors and one.at >= started - REACH]
    believed = {one.visit for one in earlier if one.status is ResponseStatus.CONFIRMED}
    near = [hit for hit in hits if hit.at >= started - BURST and hit.visit not in believed]
    scripts = [hit.at for hit in hits if hit.kind is HitKind.SCRIPT] + [now] * visit.scripted
    found = {
        Evidence.HONEYPOT: any(hit.kind is HitKind.HONEYPOT for hit in hits),
        Evidence.VALUES: _several_values(near),
        Evidence.SOON: any(_soon(at, link.handed_over) for at in scripts),
        Evidence.VISITOR: any(one.status is SUSPECTED and one.visit != visit.visit for one in earlier),
    }
    if reasons := tuple(reason for reason, holds in found.items() if holds):
        return Verdict(SUSPECTED, reasons)
    if not (visit.scripted or visit.gesture):
        return Verdict(ResponseStatus.CONFIRMED)
    ahead = any(hit.kind in (HitKind.HEAD, HitKind.PREFETCH) for hit in near)
    if visit.scripted or ahead:
        return Verdict(ResponseStatus.PROVISIONAL, (Evidence.LOOKED_AHEAD,) if ahead else ())
    return Verdict(ResponseStatus.CONFIRMED)


def needs_arrival(visit: VisitFacts, hits: Iterable[Hit]) -> bool:
    """Whether `classify` must know when the message arrived: only where a script has posted."""
    return visit.scripted or any(hit.kind is HitKind.SCRIPT for hit in hits)


def _several_values(hits: Iterable[Hit]) -> bool:
    fetched = sorted((hit.at, hit.value) for hit in hits if hit.kind is not HitKind.SCRIPT and hit.value is not None)
    return any(
        later - earlier <= BURST and one != other
        for (earlier, one), (later, other) in zip(fetched, fetched[1:], strict=False)
    )


def _soon(at: datetime, handed_over: Iterable[HandedOver]) -> bool:
    """Whether `at` lies within ten seconds after an arrival: the delivery if one is reported by then, else sending."""
    for message in handed_over:
        delivered = message.delivered_at
        arrived = delivered if delivered is not None and delivered <= at else message.sent_at
        if timedelta(0) <= at - arrived <= SOON:
            return True
    return False


def visit_uid(now: datetime, nonce: str) -> str:
    """The id of a visit that begins now; `nonce` is 12 random URL-safe characters."""
    return f"{int(now.timestamp() * 1000):011x}.{nonce}"


def visit_started(uid: str) -> datetime | None:
    """When the page with this id was opened, or None for anything that is no such id."""
    if (found := _UID.fullmatch(uid)) is None:
        return None
    return datetime.fromtimestamp(int(found[1], 16) / 1000, UTC)


def visitor(key: str, link: str, address: str, agent: str, at: datetime) -> str:
    """Who opened this link today: 32 hex digits that name no address and fit no other link and no other day.

    The network is a /24 (IPv6: /64), since a gateway fetches from several machines of one network.
    """
    return _on(at.date(), key, f"{link}\0{network_of(address, GATEWAY)}\0{agent[:400]}")


def visitors(key: str, link: str, address: str, agent: str, at: datetime) -> tuple[str, ...]:
    """The same visitor under today's salt and yesterday's."""
    today, who = at.date(), f"{link}\0{network_of(address, GATEWAY)}\0{agent[:400]}"
    return _on(today, key, who), _on(today - timedelta(days=1), key, who)


def _on(day: date, key: str, who: str) -> str:
    return hmac.new(_salt(day, key), who.encode(), sha256).hexdigest()[:32]


@lru_cache(maxsize=4)
def _salt(day: date, key: str) -> bytes:
    return hmac.new(key.encode(), f"surveyapp\0visitor\0{day}".encode(), sha256).digest()


def is_ahead(headers: Iterable[str]) -> bool:
    """Whether a request says that nobody has asked for it yet (Sec-Purpose, Purpose, X-Purpose, X-Moz)."""
    return any(_EARLY.search(value) for value in headers)
