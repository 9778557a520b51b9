"""Pages and the dispatcher reach for the same people at once: nobody is asked more often than the cap allows.

The mutant's proof is the same meeting with the person's lock taken out: there the cap breaks.
"""

import contextlib
import multiprocessing
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from surveyapp import clock, create_app
from surveyapp.extensions import db
from surveyapp.queries import contact_history, partners
from surveyapp.services import dispatch, offers
from surveyapp.services.delivery import send_due
from surveyapp.services.journeys import record_events
from surveyapp.services.keys import NewPartner
from surveyapp.services.senders import configured
from tests import databases, outreach, widget
from tests.conftest import MakeApp
from tests.faults import mutants

PROCESSES = 4
PEOPLE = 16
LONG = 300  # seconds, for a machine that has much else to do
PROGRAMME = outreach.PROGRAMME.replace("boarding_csat, channels: [email, sms]", "boarding_csat, channels: [web]")
POLICY = "policy:\n  gap: {1: 7d, 2: 7d, 3: 7d}\n  caps: [{max: 1, per: 7d}]\n"


def _work(url: str, barrier: Any, number: int, secret: str) -> None:
    """Half of the processes send, half of them are pages; all start together."""
    app = create_app(databases.testing_config(url))
    with app.app_context():
        databases.hurry(db.engine)
        senders = configured()
        partner = partners.by_key(db.session, "hotel", clock.now())
        assert partner is not None
        made = NewPartner("hotel", partner.publishable, secret)
        db.session.remove()
        barrier.wait(LONG)
        if number % 2:
            send_due(senders, batch=1)
        for person in range(PEOPLE) if number % 2 == 0 else ():
            customer = f"c-{person}"
            visit = offers.Visit("flight", "boarding", customer, widget.sign(made, customer))
            try:
                offers.offer(partner, visit, widget.ORIGIN)
            except (offers.NotOffered, OperationalError):
                db.session.rollback()
        db.session.remove()
        db.engine.dispose()


def _run(url: str, make_app: MakeApp) -> Counter[str]:
    """Asks per contact key after all processes have worked through the same people."""
    app = make_app(url)
    with app.app_context():
        made = _prepare(PEOPLE)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["surveyapp", "psycopg", "tests.widget"])  # loaded once for all of them
    barrier = context.Barrier(PROCESSES)
    workers = [context.Process(target=_work, args=(url, barrier, n, made.secret)) for n in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(LONG)
        assert worker.exitcode == 0
    return _asks(url)


def _prepare(people: int) -> NewPartner:
    """People who have two asks by mail due, under a cap of one ask a week, and a partner whose pages ask a third."""
    outreach.load(POLICY, PROGRAMME)
    made = widget.partner()
    now = datetime.now(UTC) - timedelta(minutes=1)
    events = [
        outreach.event(f"{person}-{step}", f"c-{person}", step, now)
        for person in range(people)
        for step in ("check_in", "baggage")
    ]
    assert record_events(events, source="api").accepted == 2 * people
    return made


def _asks(url: str) -> Counter[str]:
    """Asks per contact key, read from the ledger without the application's code."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "SELECT subject_key FROM contact_ledger WHERE state <> 'released' AND subject_key LIKE 'e:%'"
        ).fetchall()
    return Counter(key for (key,) in rows)


@pytest.mark.database("postgresql")
def test_pages_and_mail_together_never_exceed_the_cap(postgres_url: str, make_app: MakeApp) -> None:
    asks = _run(postgres_url, make_app)
    assert len(asks) == PEOPLE
    assert set(asks.values()) == {1}


@pytest.mark.database("postgresql")
@pytest.mark.parametrize("locked", [True, False])
def test_a_page_and_a_mail_that_meet_at_one_person_ask_once_and_twice_without_the_lock(
    postgres_url: str, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    app = make_app(postgres_url)
    with app.app_context():
        made, now = _prepare(1), clock.now()
        partner = partners.by_key(db.session, "hotel", now)
        assert partner is not None
        db.session.remove()
    meet, count = threading.Barrier(2, timeout=LONG), contact_history.read_history
    lock = dispatch.lock_people if locked else mutants.unlocked

    def lock_when_both_are_here(session: Any, keys: Any) -> datetime:
        meet.wait()
        return lock(session, keys)

    def count_before_either_writes(*given: Any) -> Any:
        counted = count(*given)
        if not locked:
            meet.wait()
        return counted

    def ask_by_mail() -> None:
        with app.app_context():
            send_due(configured(), batch=1, most=1)
            db.session.remove()

    monkeypatch.setattr(dispatch, "lock_people", lock_when_both_are_here)
    monkeypatch.setattr(contact_history, "read_history", count_before_either_writes)
    mail = threading.Thread(target=ask_by_mail)
    mail.start()
    with app.app_context():
        visit = offers.Visit("flight", "boarding", "c-0", widget.sign(made, "c-0"))
        with contextlib.suppress(offers.NotOffered):
            offers.offer(partner, visit, widget.ORIGIN)
        db.session.remove()
    mail.join(LONG)
    assert list(_asks(postgres_url).values()) == [1 if locked else 2]
