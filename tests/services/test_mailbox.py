"""The local mailbox keeps what it is handed, in order, from a transaction of its own."""

import threading
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.channels.registry import senders
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import LocalMessage
from surveyapp.queries import mailbox as queries
from surveyapp.services import mailbox

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LOCAL = {"EMAIL_BACKEND": "mailbox", "EMAIL_FALLBACK": "", "SMS_BACKEND": "phone"}
E_MAIL = OutgoingMessage(
    uid="m-1",
    channel=Channel.EMAIL,
    recipient="ada@example.org",
    sender="Oddjob <ask@example.org>",
    subject="One question",
    text="plain",
    html="<p>rich</p>",
    headers={"Message-ID": "<m-1@example.org>"},
)
TEXT = OutgoingMessage("m-2", Channel.SMS, "+33612345678", "Oddjob", None, "How likely? Reply 0 to 10")


def test_the_local_senders_keep_the_whole_message(app: Flask, session: scoped_session[Session]) -> None:
    chosen = senders(LOCAL, mailbox.store, clock.now)
    with clock.at(AT):
        receipts = [*chosen[Channel.EMAIL].send([E_MAIL]), *chosen[Channel.SMS].send([TEXT])]
    assert receipts == [
        Receipt("m-1", ReceiptKind.ACCEPTED, "mailbox", reference="mailbox-m-1"),
        Receipt("m-2", ReceiptKind.ACCEPTED, "phone", reference="phone-m-2"),
    ]
    first, second = session.scalars(select(LocalMessage).order_by(LocalMessage.id))
    assert (first.channel, first.recipient, first.sender, first.subject) == (
        "email",
        "ada@example.org",
        "Oddjob <ask@example.org>",
        "One question",
    )
    assert (first.text, first.html, first.headers) == ("plain", "<p>rich</p>", {"Message-ID": "<m-1@example.org>"})
    assert (first.direction, first.sent_at) == ("out", AT)
    assert (second.channel, second.recipient, second.subject, second.html) == ("sms", "+33612345678", None, None)


def test_a_store_that_fails_leaves_the_outcome_unknown() -> None:
    def broken(message: OutgoingMessage) -> None:
        raise RuntimeError("the disk is full")

    receipts = senders(LOCAL, broken, clock.now)[Channel.EMAIL].send([E_MAIL])
    assert receipts == [Receipt("m-1", ReceiptKind.UNKNOWN, "mailbox", error="RuntimeError")]


def test_messages_after_an_id_come_oldest_first_without_replies(app: Flask, session: scoped_session[Session]) -> None:
    mailbox.store(E_MAIL)
    mailbox.receive("+33612345678", "surveyapp", "9")
    mailbox.store(TEXT)
    first, second = queries.messages_after(session, 0, 10)
    assert (first.channel, second.channel) == ("email", "sms")
    assert [row.id for row in queries.messages_after(session, first.id, 10)] == [second.id]
    assert queries.messages_after(session, second.id, 10) == []


def test_a_conversation_has_both_sides_in_order(app: Flask, session: scoped_session[Session]) -> None:
    mailbox.store(TEXT)
    mailbox.receive("+33612345678", "surveyapp", "9")
    mailbox.receive("+33600000000", "surveyapp", "someone else")
    talk = queries.conversation(session, "+33612345678", 10)
    assert [(line.direction, line.text) for line in talk] == [("out", TEXT.text), ("in", "9")]


@pytest.mark.parametrize(("address", "found"), [("ADA@", 1), ("336123", 1), ("%", 0), ("", 2), ("nobody", 0)])
def test_the_list_is_filtered_by_any_part_of_an_address(
    app: Flask, session: scoped_session[Session], address: str, found: int
) -> None:
    mailbox.store(E_MAIL)
    mailbox.store(TEXT)
    lines = queries.lines(session, address=address, channel=None, before=None, limit=10)
    assert len(lines) == found


def test_ids_become_visible_in_order_whatever_the_number_of_writers(app: Flask) -> None:
    seen: list[int] = []
    done = threading.Event()

    def write() -> None:
        with app.app_context():
            for _ in range(15):
                mailbox.store(E_MAIL)
            db.session.remove()

    def follow() -> None:
        with app.app_context():
            finished = False
            while not finished:
                finished = done.is_set()
                for row in queries.messages_after(db.session, seen[-1] if seen else 0, 100):
                    seen.append(row.id)
                db.session.rollback()
            db.session.remove()

    writers = [threading.Thread(target=write) for _ in range(3)]
    reader = threading.Thread(target=follow)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert len(seen) == 45
    assert seen == sorted(seen)
