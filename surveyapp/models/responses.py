"""Answers with the journey context they were given in, frozen, the history of every change to them, and who may have
given them: what was fetched and posted over each link."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from surveyapp.models.base import Base, BigId
from surveyapp.models.customers import Customer
from surveyapp.models.invitations import Invitation
from surveyapp.models.surveys import Survey, SurveyVersion


class Response(Base):
    """One submission. `context` is the event's properties and the customer's attributes when the step was reached.

    `reporting_day` and `reporting_hour` (0 to 23) are those of the event on the clock of its place.
    """

    __tablename__ = "response"
    __table_args__ = (
        Index("ix_response_survey_answered", "survey_id", "answered_at"),
        Index("ix_response_step_day", "step", "reporting_day"),
        Index("ix_response_day", "reporting_day"),
        Index("ix_response_answered", "answered_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    import_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"), unique=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    survey_version_id: Mapped[int] = mapped_column(ForeignKey("survey_version.id"))
    metric: Mapped[str] = mapped_column(String(20))
    score: Mapped[int | None]
    comment: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(String(15))
    channel: Mapped[str] = mapped_column(String(10))
    language: Mapped[str | None] = mapped_column(String(20))
    layout: Mapped[str | None] = mapped_column(String(10))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"))
    trigger: Mapped[str | None] = mapped_column(String(80))
    journey: Mapped[str | None] = mapped_column(String(80))
    step: Mapped[str | None] = mapped_column(String(161))
    phase: Mapped[str | None] = mapped_column(String(80))
    instance: Mapped[str | None] = mapped_column(String(200))
    event: Mapped[str | None] = mapped_column(String(200))
    event_at: Mapped[datetime]
    reporting_day: Mapped[date]
    reporting_hour: Mapped[int | None] = mapped_column(SmallInteger)
    answered_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decision: Mapped[str | None] = mapped_column(String(40))
    inclusion: Mapped[float | None]
    source: Mapped[str] = mapped_column(String(20))

    invitation: Mapped[Invitation | None] = relationship()
    survey: Mapped[Survey] = relationship()
    survey_version: Mapped[SurveyVersion] = relationship()
    customer: Mapped[Customer | None] = relationship()


class ResponseChange(Base):
    """What an answer was before it was changed."""

    __tablename__ = "response_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    response_id: Mapped[int] = mapped_column(ForeignKey("response.id"), index=True)
    at: Mapped[datetime]
    score: Mapped[int | None]
    comment: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(String(15))
    channel: Mapped[str] = mapped_column(String(10))


class Visit(Base):
    """What one page that was opened did when it posted, and what was made of it. `uid` travelled in the page's form.

    Kept, like every link hit, for LINK_EVIDENCE_DAYS. `visitor` is a hash whose salt changes daily and from link to
    link; there is no address and no browser's name behind it that we hold.
    """

    __tablename__ = "visit"
    __table_args__ = (Index("ix_visit_invitation", "invitation"), Index("ix_visit_at", "at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    invitation: Mapped[str] = mapped_column(String(80))
    visitor: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(15))
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    gesture: Mapped[str | None] = mapped_column(String(20))


class LinkHit(Base):
    """One fetch of a question's link, or a post that no person made. Only ever added; it can only lower trust.

    `invitation` is the uid that the link carries, without a foreign key: an open page must never wait for the lock of
    an answer, and a public link is fetched before there is a row.
    """

    __tablename__ = "link_hit"
    __table_args__ = (Index("ix_link_hit_invitation", "invitation", "id"), Index("ix_link_hit_at", "at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invitation: Mapped[str] = mapped_column(String(80))
    visit: Mapped[str | None] = mapped_column(String(40))
    visitor: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    method: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[int | None]
