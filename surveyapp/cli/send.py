"""`flask send`: one dispatch pass beside a running scheduler, or a hold over all sending until an operator ends it."""

import click
from flask import Flask

from surveyapp.cli.database import in_words
from surveyapp.services import audit, delivery, recovery, senders, switches


@click.command("send")
@click.option("--once", "what", flag_value="once", help="Handle everything that is due now, then exit.")
@click.option("--hold", "what", flag_value="hold", help="Let nothing leave until --resume, as after a restore.")
@click.option("--resume", "what", flag_value="resume", help="End a hold over all sending.")
@click.option("--batch", default=50, show_default=True, type=click.IntRange(1, 1000), help="Messages decided at once.")
@in_words
def send(what: str | None, batch: int) -> None:
    """Decide and send everything that is due now; or hold and resume all sending."""
    if what is None:
        raise click.UsageError("one of --once, --hold and --resume is needed")
    if what == "once":
        recovery.reap()
        click.echo(str(delivery.send_due(senders.configured(), batch)))
        return
    token = audit.actor.set("command line")
    try:
        if what == "hold":
            switches.hold_sending(span=switches.UNTIL_RESUMED)
            click.echo("Nothing leaves until: flask send --resume")
        else:
            switches.resume_sending()
            click.echo("What is due leaves again.")
    finally:
        audit.actor.reset(token)


def register(app: Flask) -> None:
    app.cli.add_command(send)
