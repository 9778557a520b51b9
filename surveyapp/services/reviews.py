"""Brings in reviews that others published, and takes them away again. Touches no answer, no customer and no figure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, scoped_session
from uuid_utils import uuid7

from surveyapp import clock
from surveyapp.domain.reporting_day import place_time
from surveyapp.domain.reviews import CONTEXT, ReviewIn, read_review
from surveyapp.domain.verbatims import folded
from surveyapp.models import Brand, Journey, ReportingAttribute, Review, Step
from surveyapp.services import audit
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]

AT_ONCE = 2_500
"""Rows per transaction: few enough that nobody waits long for the database."""


class ReviewUnknown(Exception):
    """There is no such review, or none of this source."""


@dataclass(slots=True)
class Imported:
    """How many reviews came in and how many were there already; problems by place in the list, in its order."""

    imported: int = 0
    duplicates: int = 0
    rejected: dict[int, list[str]] = field(default_factory=dict)


def import_reviews(values: Sequence[object]) -> Imported:
    """Keep the reviews that are right and new; each id of a source once, in this call or an earlier one.

    The same id again changes nothing, also when its text differs. Reviews are stored in parts, so that an import cut
    short is continued by sending it again.
    """
    done = Imported()
    now = clock.now()
    for start in range(0, len(values), AT_ONCE):
        with transaction() as session:
            _import_part(session, values, range(start, min(start + AT_ONCE, len(values))), now, done)
    return done


def remove_review(uid: str) -> None:
    """The review is gone, and its words with it. Raises ReviewUnknown."""
    with transaction() as session:
        review = session.scalars(select(Review).where(Review.uid == uid)).one_or_none()
        if review is None:
            raise ReviewUnknown
        audit.note(session, "review.removed", f"{review.source} {review.external_id}")
        session.delete(review)
        session.flush()
        _drop_words(session)


def remove_source(source: str) -> int:
    """Every review of the source is gone; how many they were. Raises ReviewUnknown."""
    with transaction() as session:
        gone = session.execute(
            delete(Review).where(Review.source == source).execution_options(synchronize_session=False)
        )
        n = gone.rowcount if isinstance(gone, CursorResult) else 0
        if not n:
            raise ReviewUnknown
        _drop_words(session)
        audit.note(session, "reviews.removed", source, {"removed": n})
    return n


def _import_part(session: AnySession, values: Sequence[object], places: range, now: datetime, done: Imported) -> None:
    steps = {f"{row[0]}.{row[1]}" for row in session.execute(select(Journey.key, Step.key).join(Step.journey))}
    named = select(ReportingAttribute.name).where(ReportingAttribute.slot.is_not(None))
    attributes = set(session.scalars(named))
    wanted: dict[tuple[str, str], ReviewIn] = {}
    fitting = 0
    for place in places:
        review = read_review(values[place], now)
        problems = review if isinstance(review, list) else _misfits(review, steps, attributes)
        if problems or isinstance(review, list):
            done.rejected[place] = problems
            continue
        fitting += 1
        wanted.setdefault((review.source, review.id), review)
    zone = session.scalar(select(Brand.timezone)) or "UTC"
    stored = clock.database_now(session)
    made = _insert(session, [_values(wanted[key], zone, stored) for key in sorted(wanted)])
    done.imported += sum(made.values())
    done.duplicates += fitting - sum(made.values())
    if made:
        audit.note(session, "reviews.imported", f"{sum(made.values())} reviews", dict(sorted(made.items())))


def _misfits(review: ReviewIn, steps: set[str], attributes: set[str]) -> list[str]:
    """What of the review names something that is not there."""
    problems = []
    if review.step is not None and review.step not in steps:
        problems.append(f"step: there is no step '{review.step[:80]}'; write it as journey.step")
    return problems + [
        f"{CONTEXT}{name}: is none of the programme's reporting_attributes"
        for name in review.context
        if name not in attributes
    ]


def _insert(session: AnySession, rows: list[dict[str, Any]]) -> Counter[str]:
    """Store the reviews whose id is not taken; how many they are, by source."""
    if not rows:
        return Counter()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Review.__table__)
    fresh = insert.on_conflict_do_nothing(index_elements=["source", "external_id"])
    return Counter(row.source for row in session.execute(fresh.returning(Review.__table__.c.source), rows))


def _values(review: ReviewIn, zone: str, now: datetime) -> dict[str, Any]:
    rating = review.rating
    return {
        "uid": uuid7().hex,
        "source": review.source,
        "external_id": review.id,
        "rating": rating.value if rating else None,
        "scale_min": rating.low if rating else None,
        "scale_max": rating.high if rating else None,
        "title": review.title,
        "text": review.text,
        "words": folded(f"{review.title} {review.text}"),
        "language": review.language,
        "url": review.url,
        "step": review.step,
        "context": dict(review.context),
        "timezone": review.timezone,
        "reviewed_at": review.reviewed_at,
        "reporting_day": place_time(review.reviewed_at, review.timezone, zone).date(),
        "imported_at": now,
    }


def _drop_words(session: AnySession) -> None:
    """Let the index drop what it still holds of reviews that are gone."""
    if session.get_bind().dialect.name == "sqlite":  # otherwise old segments keep the words until they are merged
        session.execute(text("INSERT INTO review_words(review_words) VALUES ('optimize')"))
