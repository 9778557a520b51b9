"""`flask rollups`: prove and repair the figures' counts."""

import click
from flask import Flask
from flask.cli import AppGroup

from surveyapp.cli.database import in_words
from surveyapp.services import rebuilding

group = AppGroup("rollups", help="The counts that figures are made of.")


def register(app: Flask) -> None:
    """Add `flask rollups`."""
    app.cli.add_command(group)


@group.command("rebuild")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 on any difference.")
@in_words
def rebuild(check: bool) -> None:
    """Rebuild the metric cells from the raw responses."""
    result = rebuilding.rebuild(check)
    for sentence in result.differences:
        click.echo(sentence)
    if result.cells > len(result.differences):
        click.echo(f"… and {result.cells - len(result.differences)} more")
    done = "checked" if check else "rebuilt"
    click.echo(
        f"{result.days} days {done}: {_count(result.cells)}{'' if check or not result.cells else ', now corrected'}."
    )
    if check and result.cells:
        raise SystemExit(1)


def _count(cells: int) -> str:
    if not cells:
        return "every cell equals the answers"
    return "one cell differs" if cells == 1 else f"{cells} cells differ"
