"""The brand as the console's shell needs it. Read only."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.models import Brand


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """The brand's name, its own language and the clock on which its days are written."""

    name: str
    language: str
    languages: tuple[str, ...]
    timezone: str


def brand_facts(session: Session) -> BrandFacts | None:
    """The one brand of this installation, or None before a programme is applied."""
    query = select(Brand.name, Brand.language, Brand.languages, Brand.timezone).order_by(Brand.id).limit(1)
    row = session.execute(query).first()
    return BrandFacts(row[0], row[1], tuple(row[2]), row[3]) if row else None
