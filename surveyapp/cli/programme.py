"""`flask programme`: check, apply and export the programme file. Prints; the work is done by the service."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from surveyapp.cli.database import in_words
from surveyapp.domain.programme import channel_notes
from surveyapp.queries import programme as queries
from surveyapp.services import programme as service

group = AppGroup("programme", help="The whole programme as one file.")
FILE = click.argument("file", type=click.Path(path_type=Path))


def register(app: Flask) -> None:
    app.cli.add_command(group)


@group.command("check")
@FILE
def check(file: Path) -> None:
    """Say every problem of FILE with its line and column; change nothing."""
    content = _content(file)
    try:
        programme = service.check(content)
    except service.ProgrammeRefused as refusal:
        _refuse(file, refusal)
    for note in channel_notes(programme):
        click.echo(f"note: {note}")
    click.echo(f"{file}: no problems")


@group.command("apply")
@FILE
@in_words
def apply(file: Path) -> None:
    """Make the programme equal to FILE, all of it or nothing."""
    content = _content(file)
    try:
        result = service.apply_programme(content, actor="command line")
    except service.ProgrammeRefused as refusal:
        _refuse(file, refusal)
    for change in result.changed:
        click.echo(change)
    click.echo(f"programme version {result.version}" + ("" if result.changed else ", nothing to change"))


@group.command("export")
@in_words
def export() -> None:
    """Print the programme file that, applied, changes nothing."""
    text = queries.export()
    if not text:
        raise click.ClickException("no programme has been applied yet")
    click.echo(text, nl=False)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise click.ClickException(f"{file}: {problem.strerror or problem}") from problem


def _refuse(file: Path, refusal: service.ProgrammeRefused) -> None:
    for problem in refusal.problems:
        click.echo(f"{file}:{problem.line}:{problem.column}: {problem.sentence}", err=True)
    raise SystemExit(1)
