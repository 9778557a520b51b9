"""`flask demo load` and `flask demo replay FILE`: data to look at, and real passengers through the real pipeline."""

import time
from pathlib import Path

import click
from flask import Flask

from surveyapp.cli import serve
from surveyapp.cli.database import in_words
from surveyapp.cli.serve import demo
from surveyapp.domain.vocabulary import Outcome
from surveyapp.extensions import db
from surveyapp.services import demonstration, replay
from surveyapp.services.passengers import STEPS, PassengerFileUnreadable


class Bar:
    """A line that shows how far a replay is, how fast, and how long it may still take."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total, self.began, self.shown = label, total, time.monotonic(), 0.0

    def show(self, done: replay.Replayed) -> None:
        now = time.monotonic()
        if now - self.shown < 0.5:
            return
        self.shown = now
        rate = done.events / max(0.001, now - self.began)
        left = ""
        if self.total:
            share = min(1.0, done.events / self.total)
            filled = int(share * 24)
            left = f" [{'#' * filled}{'.' * (24 - filled)}] {share:4.0%}"
            if rate:
                left += f", {max(0, self.total - done.events) / rate:,.0f} s left"
        click.echo(
            f"\r{self.label}{left} · {done.events:,} events, {rate:,.0f}/s, {done.answered:,} answers  ",
            nl=False,
            err=True,
        )

    def end(self) -> None:
        click.echo("", err=True)


@demo.command("load")
@click.option("--people", default=500, show_default=True, type=click.IntRange(1, 5000), help="Customers per journey.")
@in_words
def load_invented(people: int) -> None:
    """Fill an empty database with the demo programme and invented customers, labelled as generated."""
    bar = Bar("Inventing customers", None)
    try:
        done = demonstration.load(bar.show, people)
    except demonstration.NotEmpty:
        raise click.ClickException("There are customers already; invented ones are not mixed with them.") from None
    bar.end()
    click.echo(f"events={done.events} asked={done.asked} answered={done.answered}")


@demo.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", type=click.IntRange(1), help="Only the first N passengers.")
@in_words
def replay_file(file: Path, limit: int | None) -> None:
    """Replay the passenger satisfaction FILE: the policy decides, whoever is asked answers as in the file."""
    try:
        people = demonstration.read_passengers(file, limit)
    except PassengerFileUnreadable as problem:
        raise click.ClickException(f"{file}: {problem}") from None
    bar = Bar("Replaying passengers", len(people) * len(STEPS))
    done, counts = demonstration.replay_passengers(people, bar.show)
    bar.end()
    refused = replay.outcomes("replay")
    asked, answered = refused.pop(Outcome.ASKED, 0), sum(count.collected[1] for count in counts)
    db.session.remove()
    click.echo(f"passengers {len(people):,} · events {done.events:,}")
    click.echo(f"asked {asked:,} · answered {answered:,} · not asked {refused.total():,}")
    for reason, number in refused.most_common():
        click.echo(f"  not asked: {reason:<20} {number:>8,}")
    click.echo(f"\n{'CSAT by step':<28}{'collected':>22}{'recount of the file':>24}")
    for count in counts:
        click.echo(f"{count.step:<28}{_share(*count.collected):>22}{_share(*count.recounted):>24}")
    if any(count.collected != count.recounted for count in counts):
        raise click.ClickException("The collected answers differ from the recount.")
    click.echo("Collected answers and recount are equal.")


def _share(favourable: int, n: int) -> str:
    return f"{100 * favourable / n:.4f} % of {n}" if n else "no answers"


def register(app: Flask) -> None:
    serve.register(app)
