"""A person's own judgement of an answer, over what the evidence said. Audited; the answer itself is never changed."""

from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Invitation, Response, ResponseChange
from surveyapp.services import audit, rollups, webhooks
from surveyapp.services.responses import note_answered
from surveyapp.services.together import Together
from surveyapp.services.transaction import transaction

WHY_LIMIT = 500


class ResponseUnknown(Exception):
    """There is no answer with this id."""


class ReasonMissing(Exception):
    """A judgement needs a reason in words, of at most 500 characters."""


def override(uid: str, status: ResponseStatus, why: str) -> None:
    """The answer counts as `status` from now on; its cell and its history follow. The same status changes nothing.

    Raises ResponseUnknown, ReasonMissing.
    """
    why = why.strip()
    if not why or len(why) > WHY_LIMIT:
        raise ReasonMissing
    with transaction() as session:
        owner = select(Response.invitation_id).where(Response.uid == uid).scalar_subquery()
        invitation = session.scalar(select(Invitation).where(Invitation.id == owner).with_for_update())
        response = session.scalar(select(Response).where(Response.uid == uid).with_for_update())
        if response is None:
            raise ResponseUnknown
        before = ResponseStatus(response.status)
        if before is status:
            return
        now = clock.database_now(session)
        kept = {name: getattr(response, name) for name in ("score", "comment", "answers", "status", "channel")}
        session.add(ResponseChange(response_id=response.id, at=now, **kept))
        with rollups.moving(session, response):
            response.status = status
            response.updated_at = now
        if status is ResponseStatus.CONFIRMED and invitation is not None and invitation.answered_at is None:
            together = Together(session)
            note_answered(together, invitation.id, now)
            together.send()
        if status is ResponseStatus.CONFIRMED:
            webhooks.tell_confirmed(session, uid)
        audit.note(session, "response.judged", uid, {"from": str(before), "to": str(status), "why": why})
