"""`flask keys`, `flask users`, `flask partners`: who may enter. What is shown once goes alone to standard output."""

import json
import sys
from typing import NoReturn

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from surveyapp.cli.database import in_words
from surveyapp.domain.vocabulary import KeyRole, Role
from surveyapp.services import accounts, audit, keys

REFUSALS = (
    keys.KeyRefused,
    keys.PartnerUnknown,
    keys.PartnerExists,
    accounts.UserRefused,
    accounts.EmailTaken,
)

keys_group = AppGroup("keys", short_help="API keys.")
users_group = AppGroup("users", short_help="People who may sign in.")
partners_group = AppGroup("partners", short_help="Sites that show the widget.")


def register(app: Flask) -> None:
    """Add the three groups to `flask`."""
    for group in (keys_group, users_group, partners_group):
        app.cli.add_command(group)


@keys_group.command("create")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in KeyRole]), help="What the key may do.")
@click.option("--partner", metavar="KEY", help="The partner it belongs to; only with --role partner.")
@in_words
def create_key(name: str, role: str, partner: str | None) -> None:
    """Make an API key and print it, alone, this one time."""
    audit.actor.set("command line")
    try:
        click.echo(keys.create_key(name, role, partner))
    except REFUSALS as reason:
        _refuse(reason)


@users_group.command("create")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="Who the person is.")
@click.option("--partner", metavar="KEY", help="The partner they belong to; only with --role partner.")
@click.option("--name", help="How the console calls them.")
@in_words
def create_user(email: str, role: str, partner: str | None, name: str | None) -> None:
    """Make a sign-in and print the link, good for one use within 24 hours, under which its password is chosen."""
    audit.actor.set("command line")
    try:
        token = accounts.create_user(email, role, partner, name)
    except REFUSALS as reason:
        _refuse(reason)
    click.echo(f"{current_app.config['BASE_URL']}/set-password/{token}")


@partners_group.command("create")
@click.argument("key")
@click.option("--name", required=True, help="How people call the partner.")
@click.option(
    "--origin",
    "origins",
    required=True,
    multiple=True,
    metavar="ORIGIN",
    help="Where the widget may show.",
)
@in_words
def create_partner(key: str, name: str, origins: tuple[str, ...]) -> None:
    """Make a partner and print, this one time, {"publishable": …, "secret": …}."""
    audit.actor.set("command line")
    try:
        made = keys.create_partner(key, name, origins)
    except REFUSALS as reason:
        _refuse(reason)
    click.echo(json.dumps({"publishable": made.publishable, "secret": made.secret}))


def _refuse(reason: Exception) -> NoReturn:
    click.echo(f"Error: {reason}", err=True)
    sys.exit(1)
