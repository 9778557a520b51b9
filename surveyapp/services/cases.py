"""Cases are opened, taken and closed: while one is open, a policy that says so asks its customer nothing."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.questions import YES, Definition, Kind
from surveyapp.domain.vocabulary import CaseOutcome, ResponseStatus
from surveyapp.models import Case, Customer, Response, Step
from surveyapp.models.journeys import Journey
from surveyapp.queries.cases import BY_ANSWER, wish_uid
from surveyapp.queries.customers import customer as customer_named
from surveyapp.services import audit, webhooks
from surveyapp.services.first_answers import FirstAnswer
from surveyapp.services.inserts import insert_new
from surveyapp.services.outreach import new_uid
from surveyapp.services.transaction import transaction

WISH = "asked to be contacted"


class CaseUnknown(Exception):
    """There is no case of this id."""


class CaseClosed(Exception):
    """Nobody looks after it any more: it is closed."""


class CaseTaken(Exception):
    """Somebody else looks after it."""


class CustomerUnknown(Exception):
    """There is no customer of this id, or the person was erased."""


class StepUnknown(Exception):
    """There is no such step in the programme."""


def open_case(external_id: str, reason: str | None = None, step: str | None = None, uid: str | None = None) -> Case:
    """A new open case of the customer, about a step (`journey.step`) where one is given.

    Where a case of this `uid` is there already, that one. Raises CustomerUnknown or StepUnknown. What waits for the
    customer is judged again when it is due.
    """
    with transaction() as session:
        customer: Customer | None = customer_named(session, external_id)
        if customer is None or customer.erased_at is not None:
            raise CustomerUnknown
        if step is not None:
            journey, _, key = step.partition(".")
            known = select(Step.id).join(Journey).where(Journey.key == journey, Step.key == key)
            if session.scalar(known) is None:
                raise StepUnknown
        if uid is not None and (before := session.scalar(select(Case).where(Case.uid == uid))) is not None:
            return before
        case = Case(
            uid=uid or new_uid(),
            customer_id=customer.id,
            reason=reason,
            step=step,
            opened_at=clock.database_now(session),
            opened_by=audit.actor.get()[:254],
        )
        session.add(case)
        webhooks.tell_case(session, case.uid)
        audit.note(session, "case.opened", case.uid, {"step": step})
    return case


def take_case(uid: str, previous: str | None = None) -> Case:
    """The case, looked after by whoever acts now; one of their own stays as it is.

    `previous` is who had it when they looked, None for a free one. Raises CaseUnknown, CaseClosed, or CaseTaken where
    somebody else has taken it meanwhile.
    """
    with transaction() as session:
        case, me = _open_one(session, uid), audit.actor.get()[:254]
        if case.taken_by != me:
            if case.taken_by not in (None, previous):
                raise CaseTaken(case.taken_by)
            audit.note(session, "case.taken", uid, {"from": case.taken_by} if case.taken_by else {})
            case.taken_at, case.taken_by = clock.database_now(session), me
    return case


def give_back_case(uid: str) -> Case:
    """The case, free again; a free one stays as it is. Raises CaseUnknown, CaseClosed, or CaseTaken by another."""
    with transaction() as session:
        case = _open_one(session, uid)
        if case.taken_by is not None:
            if case.taken_by != audit.actor.get()[:254]:
                raise CaseTaken(case.taken_by)
            audit.note(session, "case.given_back", uid, {})
            case.taken_at, case.taken_by = None, None
    return case


def _open_one(session: scoped_session[Session], uid: str) -> Case:
    case = _locked(session, uid)
    if case.closed_at is not None:
        raise CaseClosed
    return case


def _locked(session: scoped_session[Session], uid: str) -> Case:
    case = session.scalars(select(Case).where(Case.uid == uid).with_for_update()).one_or_none()
    if case is None:
        raise CaseUnknown
    return case


def close_case(uid: str, outcome: CaseOutcome | None = None) -> Case:
    """The case, closed; closing it again changes nothing. How it ended stands in the audit. Raises CaseUnknown."""
    with transaction() as session:
        case = _locked(session, uid)
        if case.closed_at is None:
            case.closed_at, case.closed_by = clock.database_now(session), audit.actor.get()[:254]
            audit.note(session, "case.closed", uid, {"outcome": outcome} if outcome else {})
    return case


def note_wish(
    session: Session | scoped_session[Session],
    response: Response | FirstAnswer,
    definition: Definition,
    now: datetime,
    cleared: Collection[str] = (),
) -> None:
    """Open the answer's one case after a yes in it to a consent; close it again when that one was `cleared`.

    Joins the caller's transaction. A robot's yes, and one of an answer not confirmed yet, opens nothing.
    """
    consents = [q for q in (*definition.questions, *definition.thanks.questions) if q.kind is Kind.CONSENT]
    agreed = [q for q in consents if response.answers.get(q.key) == YES]
    if not consents or response.customer_id is None or response.status != ResponseStatus.CONFIRMED:
        return
    uid = wish_uid(response.uid)
    with audit.acting(BY_ANSWER):
        if agreed:
            own = next((f" ({q.key})" for q in agreed if q.ask), "") if all(q.ask for q in agreed) else ""
            values = {"uid": uid, "customer_id": response.customer_id, "reason": WISH + own, "step": response.step}
            values |= {"opened_at": now, "opened_by": BY_ANSWER}
            if insert_new(session, Case, [values], ["uid"]):
                webhooks.tell_case(session, uid)
                audit.note(session, "case.opened", uid, {"step": response.step, "answer": response.uid})
            else:
                _open_again(session, uid)
        elif any(q.key in cleared for q in consents):
            case = session.scalars(select(Case).where(Case.uid == uid, Case.closed_at.is_(None))).one_or_none()
            if case is not None:
                case.closed_at, case.closed_by = now, BY_ANSWER
                audit.note(session, "case.closed", uid, {"answer": response.uid})


def _open_again(session: Session | scoped_session[Session], uid: str) -> None:
    """Open the case where the person's own change had closed it; what somebody else closed stays closed."""
    case = session.scalars(select(Case).where(Case.uid == uid, Case.closed_by == BY_ANSWER)).one_or_none()
    if case is not None:
        case.closed_at, case.closed_by = None, None
        webhooks.tell_case(session, uid)
        audit.note(session, "case.opened", uid, {"step": case.step})
