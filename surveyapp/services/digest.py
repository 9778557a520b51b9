"""The weekly digest to people of the console who asked for it: what customers wrote first, then what changed for real.

It is no contact with a customer: no ledger row, no message row, no decision. No customer is named in it.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from surveyapp import clock, logs
from surveyapp.channels.base import OutgoingMessage, ReceiptKind
from surveyapp.domain.definitions import NAMES
from surveyapp.domain.gates import Status
from surveyapp.domain.messages import one_line
from surveyapp.domain.reporting_day import iso_week
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import ACROSS, places_of, verdicts
from surveyapp.domain.vocabulary import Channel, Role
from surveyapp.extensions import db
from surveyapp.models import Brand, User
from surveyapp.queries import verbatims
from surveyapp.queries.console.figures import Period, joined, pairs
from surveyapp.queries.console.journeys import step_names
from surveyapp.queries.console.turns import Turns, turns_between
from surveyapp.queries.message_templates import template
from surveyapp.services import audit, senders
from surveyapp.services.transaction import transaction

log = logs.get(__name__)
STAFF = tuple(role.value for role in Role if role is not Role.PARTNER)
HOUR = 7
MOST_COMMENTS = 12
WANTED, SENT = "digest", "digest_sent"
LATER = (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION)


@dataclass(frozen=True, slots=True)
class Comment:
    words: str
    score: str
    place: str


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of the week in words: never a value without its interval and its n."""

    metric: str
    figure: str
    verdict: str


def choose(user_id: int, wanted: bool) -> None:
    """The person gets the digest from now on, or no more."""
    with transaction() as session:
        user = session.get_one(User, user_id)
        if bool(user.preferences.get(WANTED)) != wanted:
            user.preferences = {**user.preferences, WANTED: wanted}
            audit.note(session, "user.digest", user.email, {"wanted": wanted})


def send_due() -> int:
    """Send this week's digest, from Monday at seven on the brand's clock, to everybody who has not got it; how many.

    A person is marked before the hand-over, so nobody gets it twice; what the provider surely did not take is tried
    again at the next tick.
    """
    brand = db.session.get(Brand, 1)
    sender = senders.configured().get(Channel.EMAIL)
    if brand is None or sender is None:
        return 0
    here = clock.now().astimezone(ZoneInfo(brand.timezone))
    week = iso_week(here.date())
    if here.weekday() == 0 and here.hour < HOUR:
        return 0
    people = _people(week)
    if not people:
        db.session.rollback()
        return 0
    subject, text, html = _written(brand, here.date() - timedelta(days=here.weekday()))
    db.session.rollback()
    sent = 0
    for user_id, email in people:
        if not _claimed(user_id, week):
            continue
        uid = f"digest-{secrets.token_urlsafe(12)}"
        message = OutgoingMessage(uid, Channel.EMAIL, email, current_app.config["EMAIL_FROM"], subject, text, html)
        [receipt] = sender.send([message])
        if receipt.kind in LATER:
            _unclaim(user_id)
        sent += receipt.kind is ReceiptKind.ACCEPTED
        log.info("digest", outcome=str(receipt.kind), provider=receipt.provider)
    return sent


def _people(week: str) -> list[tuple[int, str]]:
    rows = db.session.scalars(select(User).where(User.disabled_at.is_(None), User.role.in_(STAFF)).order_by(User.id))
    return [(u.id, u.email) for u in rows if u.preferences.get(WANTED) and u.preferences.get(SENT) != week]


def _claimed(user_id: int, week: str) -> bool:
    """Whether this process is the one that sends it to this person."""
    with transaction() as session:
        user = session.scalars(select(User).where(User.id == user_id).with_for_update()).one_or_none()
        if user is None or not user.preferences.get(WANTED) or user.preferences.get(SENT) == week:
            return False
        user.preferences = {**user.preferences, SENT: week}
    return True


def _unclaim(user_id: int) -> None:
    """It did not leave: the next run takes it up again."""
    with transaction() as session:
        user = session.scalars(select(User).where(User.id == user_id).with_for_update()).one_or_none()
        if user is not None:
            user.preferences = {name: value for name, value in user.preferences.items() if name != SENT}


def _written(brand: Brand, monday: date) -> tuple[str, str, str]:
    """Subject, plain text and HTML of the week that ended before this Monday."""
    period = Period(monday - timedelta(days=7), monday - timedelta(days=1))
    base = current_app.config["BASE_URL"].rstrip("/")
    values = {
        "brand": brand.name,
        "period": period,
        "comments": _comments(period, brand.language),
        "scores": _scores(period, brand.timezone),
        "console": f"{base}/admin/",
        "verbatims": f"{base}/admin/verbatims/?days=28",
        "account": f"{base}/account",
    }
    subject = one_line(f"{brand.name}: what customers said, {_span(period)}")
    values["span"] = _span(period)
    return subject, template("email/digest.txt").render(values), template("email/digest.html").render(values)


def _span(period: Period) -> str:
    return f"{period.first.isoformat()} to {period.last.isoformat()}"


def _comments(period: Period, language: str) -> list[Comment]:
    names = {path: name.get(language) or path for path, name in step_names(db.session()).items()}
    wanted = verbatims.Wanted(first=period.first, last=period.last)
    rows = verbatims.comment_page(db.session(), wanted, None).rows[:MOST_COMMENTS]
    return [
        Comment(
            one_line(row.comment, 280),
            "no score" if row.score is None else f"{row.score} of {METRICS[row.metric].high}",
            names.get(row.step or "", row.step or row.survey),
        )
        for row in rows
    ]


def _turns(period: Period, zone: str) -> Turns:
    """What lies between the week and the one before it."""
    days = (period.before.first + timedelta(days=1), period.last + timedelta(days=1))
    start, end = (datetime.combine(day, time.min, ZoneInfo(zone)) for day in days)
    return turns_between(db.session(), period.before, period, start, end)


def _scores(period: Period, zone: str) -> list[Score]:
    """Each metric of the week beside the week before; corrected for how many are read at once."""
    found = pairs(db.session(), period)
    whole = {
        metric: joined(pair for (name, _, _), pair in found.items() if name == metric)
        for metric in sorted({m for m, _, _ in found})
    }
    turns = _turns(period, zone)
    told = verdicts({m: (m, pair.before.n, pair.now.n) for m, pair in whole.items() if not turns.broken(m)})
    scores = []
    for metric, pair in whole.items():
        figure, _ = pair.figures(metric)
        places = places_of(metric)
        if figure.value is None or figure.low is None or figure.high is None:
            words = "no answers" if figure.status is Status.NO_DATA else f"hidden: {figure.n} answers"
            scores.append(Score(NAMES[metric], words, ""))
            continue
        unit = " %" if METRICS[metric].headline == "share" else ""
        words = f"{figure.value:.{places}f}{unit} ({figure.low:.{places}f} to {figure.high:.{places}f}, n {figure.n})"
        scores.append(Score(NAMES[metric], words, told.get(metric, ACROSS).words))
    return scores
