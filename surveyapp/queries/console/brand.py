"""The brand as the console's shell needs it. Read only."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from surveyapp.models import Brand, Case


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """The brand's name, its languages, the clock on which its days are written, and how many cases wait for it."""

    name: str
    language: str
    languages: tuple[str, ...]
    timezone: str
    open_cases: int


def brand_facts(session: Session) -> BrandFacts | None:
    """The one brand of this installation, or None before a programme is applied."""
    waiting = select(func.count(Case.id)).where(Case.closed_at.is_(None)).scalar_subquery()
    query = select(Brand.name, Brand.language, Brand.languages, Brand.timezone, waiting).order_by(Brand.id).limit(1)
    row = session.execute(query).first()
    return BrandFacts(row[0], row[1], tuple(row[2]), row[3], row[4]) if row else None
