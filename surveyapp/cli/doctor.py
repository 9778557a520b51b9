"""`flask doctor`: what is misconfigured, in words. Looks only; changes nothing."""

import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from surveyapp import clock
from surveyapp.cli import database
from surveyapp.extensions import db
from surveyapp.queries import installation, webhooks

LATE = timedelta(minutes=10)
SKEW = timedelta(seconds=5)
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def register(app: Flask) -> None:
    app.cli.add_command(doctor)


@click.command("doctor")
def doctor() -> None:
    """Say what is misconfigured; exit 1 if anything is."""
    complaints = [*_settings(current_app.config), *_database(current_app.config)]
    for complaint in complaints:
        click.echo(f"- {complaint}")
    if complaints:
        sys.exit(1)
    click.echo("Nothing is misconfigured.")


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    base = urlsplit(settings["BASE_URL"])
    public = base.hostname not in LOCAL_HOSTS
    if public and base.scheme != "https":
        yield "BASE_URL: customers' links travel unencrypted; use https."
    if public and settings["DEMO"]:
        yield "DEMO: the demonstration's try-it page is on at a public address."
    if public and settings["WEBHOOKS_TO_LOOPBACK"]:
        yield "WEBHOOKS_TO_LOOPBACK: webhooks may call this machine itself; that is for trying only."
    if public and settings["EMAIL_BACKEND"] == "mailbox":
        yield "EMAIL_BACKEND: e-mails go to a mailbox open to everybody, not to customers; choose `sendgrid` or `smtp`."
    if public and settings["SMS_BACKEND"] == "phone":
        yield "SMS_BACKEND: texts go to a mailbox open to everybody, not to customers; choose `twilio`."
    if settings["EMAIL_BACKEND"] != "mailbox" and settings["EMAIL_FROM"].endswith("localdomain>"):
        yield "EMAIL_FROM: still the placeholder; name a sender that your provider has verified."
    by_sendgrid = "sendgrid" in (settings["EMAIL_BACKEND"], settings["EMAIL_FALLBACK"])
    if by_sendgrid and not settings["SENDGRID_WEBHOOK_PUBLIC_KEY"]:
        yield "SENDGRID_WEBHOOK_PUBLIC_KEY: missing, so deliveries, bounces and complaints are not believed."
    if settings["REDIS_URL"] and not _redis_answers(settings["REDIS_URL"]):
        yield "REDIS_URL: nothing answers there; until it does, every process keeps its request limits alone."
    if settings["SECRET_KEY"] == settings["CONTACT_PEPPER"]:
        yield "CONTACT_PEPPER: the same as SECRET_KEY; the one is never changed, the other may have to be."
    if settings["PASSWORD_HASH_COST"] != "normal" and not settings["TESTING"]:
        yield "PASSWORD_HASH_COST: `cheap` is for tests; passwords are too easy to guess from a stolen database."


def _redis_answers(url: str) -> bool:
    redis = import_module("redis")  # an optional package
    try:
        return bool(redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2).ping())
    except redis.RedisError:
        return False


def _database(settings: Mapping[str, Any]) -> Iterator[str]:
    if said := database.complaint():
        yield said
        return
    try:
        yield from _contents(settings)
    except SQLAlchemyError as problem:
        yield f"DATABASE_URL: the database does not answer ({type(problem).__name__})."
    finally:
        db.session.rollback()


def _contents(settings: Mapping[str, Any]) -> Iterator[str]:
    now = clock.database_now(db.session)
    if (skew := abs(now - clock.now())) > SKEW:
        yield f"Clock: this machine and the database differ by {skew.total_seconds():.0f} s; set both by NTP."
    if not installation.pepper_fits(db.session, settings["CONTACT_PEPPER"]):
        yield (
            "CONTACT_PEPPER: changed since customers were stored. Put the old one back: "
            "with another, opt-outs and earlier contacts are not found."
        )
    if not installation.admins(db.session):
        yield "Nobody can administer: flask users create EMAIL --role admin."
    if not installation.programme_applied(db.session):
        yield "No programme is applied, so nobody is ever asked: flask programme apply FILE."
    for channel in installation.held_channels(db.session, now):
        since = (
            f"stopped since {channel.stopped_at:%Y-%m-%d %H:%M} UTC"
            if channel.stopped_at
            else f"paused until {channel.paused_until}"
        )
        yield f"Channel {channel.channel}: {since} ({channel.reason or 'no reason given'})."
    for name, reason in webhooks.disabled(db.session):
        yield f"Webhook {name}: disabled ({reason or 'no reason given'}); look at its receiver, then resume it."
    if late := installation.overdue(db.session, now, LATE):
        yield f"{late} messages are more than 10 minutes overdue; is `flask jobs run` running?"
