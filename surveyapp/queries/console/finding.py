"""One thing of ours by its exact name: a decision, an answer or a journey. Read only."""

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from surveyapp.models import Decision, Journey, Response


def exact(session: Session, name: str) -> tuple[str, str] | None:
    """What carries this very number or key: its kind (decision, response, journey) and its key; None for nothing."""
    found = union_all(
        select(literal("decision").label("kind"), Decision.uid.label("key")).where(Decision.uid == name),
        select(literal("response"), Response.uid).where(Response.uid == name),
        select(literal("journey"), Journey.key).where(Journey.key == name),
    )
    row = session.execute(found.limit(1)).first()
    return (row[0], row[1]) if row else None
