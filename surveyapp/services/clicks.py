"""Keeps what was fetched and posted over links, and weighs a post by it. The weighing itself is `domain/clicks`.

A fetch is noted in a transaction of its own and is never worth waiting for: the page must show. Nothing here holds an
address or a browser's name.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from flask import current_app
from sqlalchemy import bindparam, case, delete, insert, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, logs
from surveyapp.domain.clicks import (
    REACH,
    HitKind,
    LinkFacts,
    Verdict,
    VisitFacts,
    classify,
    needs_arrival,
    visit_started,
)
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import LinkHit, Visit
from surveyapp.models.base import table_of
from surveyapp.queries import clicks as queries
from surveyapp.services.together import Together, Write
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
PATIENCE_MS = 100
BATCH = 5_000
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a post says of itself: the visit it comes from, its visitor (today's and yesterday's hash), who made it.

    `gesture` names the event by which a person showed themselves.
    """

    visit: str | None
    visitors: tuple[str, ...]
    scripted: bool = False
    gesture: str | None = None
    ahead: bool = False

    @property
    def evidence_since(self) -> datetime | None:
        """From when on what came over the link bears on this post; None where it came from no page of ours."""
        started = visit_started(self.visit) if self.visit else None
        return started - REACH if started else None

    @property
    def facts(self) -> VisitFacts:
        return VisitFacts(self.visit, frozenset(self.visitors), self.scripted, self.gesture is not None, self.ahead)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The verdict on a post, and what of the stored answer it may touch.

    `settled`: this visit was confirmed before, so a late script or gesture of its page changes nothing. `own`: the
    provisional answer, if there is one, is this visitor's, so that it may be set aside with them.
    """

    verdict: Verdict
    settled: bool = False
    own: bool = False


def note_fetch(
    invitation: str, visit: str | None, visitor: str, kind: HitKind, method: str, value: int | None = None
) -> bool:
    """Add one fetch of a link; False when the database was busy for longer than a page may wait."""
    row = {
        "invitation": invitation,
        "visit": visit,
        "visitor": visitor,
        "at": clock.now(),
        "method": method[:10],
        "kind": str(kind),
        "value": value,
    }
    try:
        with transaction() as session:
            session.connection(execution_options={"sqlite_patience_ms": PATIENCE_MS})
            session.execute(insert(LinkHit).values(row))
    except OperationalError as problem:
        log.warning("link_hit_not_noted", kind=str(kind), error=type(problem).__name__)
        return False
    return True


def weigh(session: AnySession, invitation: str, claim: Claim, evidence: queries.Evidence, now: datetime) -> Weighed:
    """How the post counts, from what came over its link since `claim.evidence_since`, read by the caller."""
    hits, earlier = evidence
    facts = claim.facts
    if claim.evidence_since is None:
        return Weighed(classify(facts, LinkFacts(), now))
    arrivals = queries.handed_over(session, invitation) if needs_arrival(facts, hits) else []
    verdict = classify(facts, LinkFacts(hits, earlier, arrivals), now)
    waiting = [one for one in earlier if one.status is ResponseStatus.PROVISIONAL]
    return Weighed(
        verdict,
        settled=(claim.scripted or claim.gesture is not None)
        and any(one.visit == claim.visit and one.status is ResponseStatus.CONFIRMED for one in earlier),
        own=bool(waiting) and all(one.visit == claim.visit or one.visitor in claim.visitors for one in waiting),
    )


def conclude(
    together: Together, invitation: str, claim: Claim, verdict: Verdict, score: int | None, now: datetime
) -> None:
    """Keep what the visit posted and what was made of it, with what else is sent together.

    A confirmed visit stays so unless evidence comes up.
    """
    if claim.visit is None:
        return
    if claim.scripted:
        hit = {"link": invitation, "visit": claim.visit, "visitor": claim.visitors[0], "at": now, "value": score}
        together.add(_SCRIPT, {f"hit_{name}": value for name, value in hit.items()})
    row = {
        "uid": claim.visit,
        "invitation": invitation,
        "visitor": claim.visitors[0],
        "at": now,
        "status": verdict.status.value,
        "reasons": [str(reason) for reason in verdict.reasons],
        "gesture": claim.gesture,
    }
    together.add(_kept(together.dialect), {f"visit_{name}": value for name, value in row.items()})


_SCRIPT = (
    insert(table_of(LinkHit))
    .values({name: bindparam(f"hit_{name}") for name in ("visit", "visitor", "at", "value")})
    .values(invitation=bindparam("hit_link"), method=literal_column("'POST'"), kind=literal_column("'script'"))
    .inline()
)


@cache
def _kept(dialect: str) -> Write:
    """Built once for each kind of database: adds the visit, or says of the one we know what is made of it now."""
    table = table_of(Visit)
    columns = ("uid", "invitation", "visitor", "at", "status", "reasons", "gesture")
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table).inline()
    statement = statement.values({name: bindparam(f"visit_{name}") for name in columns})
    new, old = statement.excluded, table.c
    confirmed, provisional = ResponseStatus.CONFIRMED.value, ResponseStatus.PROVISIONAL.value
    falls_back = (old.status == confirmed) & (new.status == provisional)
    kept: Write = statement.on_conflict_do_update(
        index_elements=["uid"],
        set_={
            "at": new.at,
            "status": case((falls_back, old.status), else_=new.status),
            "reasons": new.reasons,
            "gesture": case((new.gesture.is_(None), old.gesture), else_=new.gesture),
        },
    )
    return kept


def forget() -> int:
    """Delete what is older than LINK_EVIDENCE_DAYS, in batches; returns how many rows went."""
    before = clock.now() - timedelta(days=int(current_app.config["LINK_EVIDENCE_DAYS"]))
    gone = 0
    for model in (LinkHit, Visit):
        while True:
            with transaction() as session:
                old = select(model.id).where(model.at < before).order_by(model.id).limit(BATCH)
                ids = list(session.scalars(old))
                session.execute(delete(model).where(model.id.in_(ids)))
            gone += len(ids)
            if len(ids) < BATCH:
                break
    return gone
