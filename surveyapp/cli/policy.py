"""`flask policy simulate`: tries a policy on recorded events before it is put in force. Changes nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import Flask
from flask.cli import AppGroup

from surveyapp.cli.database import in_words
from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.domain.programme.tree import plain
from surveyapp.queries.programme import brand
from surveyapp.services import simulation
from surveyapp.services.programme_file import read_tree

group = AppGroup("policy", help="The contact policy.")
DAY = click.DateTime(formats=["%Y-%m-%d"])


def register(app: Flask) -> None:
    app.cli.add_command(group)


@group.command("simulate")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--from", "first", type=DAY, required=True, help="First day of the events, on the brand's clock.")
@click.option("--to", "last", type=DAY, required=True, help="Last day of the events, included.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@in_words
def simulate(file: Path, first: datetime, last: datetime, as_json: bool) -> None:
    """Try the policy in FILE (YAML: a policy, or a programme that holds one) beside the one in force."""
    owner = brand()
    zone = ZoneInfo(owner.timezone if owner else "UTC")
    start = first.replace(tzinfo=zone).astimezone(UTC)
    end = (last.replace(tzinfo=zone) + timedelta(days=1)).astimezone(UTC) - timedelta(microseconds=1)
    with click.progressbar(length=1000, label="events", file=click.get_text_stream("stderr")) as bar:

        def show(done: int, total: int) -> None:
            bar.update(1000 * done // max(1, total) - bar.pos)

        try:
            result = simulation.simulate(_policy(file), start, end, progress=show)
        except PolicyProblems as found:
            sentences = (f"{'.'.join(map(str, path)) or 'policy'}: {why}" for path, why in found.problems)
            raise click.ClickException("\n".join(sentences)) from None
        except simulation.PeriodRefused as refusal:
            raise click.ClickException(str(refusal)) from None
    click.echo(json.dumps(result, indent=1) if as_json else "\n".join(_lines(result)))


def _policy(file: Path) -> dict[str, Any]:
    tree, problems = read_tree(file.read_bytes())
    if tree is None or problems:
        raise click.ClickException("\n".join(f"{file}:{p.line}:{p.column}: {p.sentence}" for p in problems))
    content = json.loads(json.dumps(plain(tree), default=str))
    found = content.get("policy", content) if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise click.ClickException(f"{file}: holds no policy")
    return found


def _lines(result: dict[str, Any]) -> list[str]:
    """The result in short: in force, then tried."""
    now, then = result["current"], result["proposed"]
    found = [f"{result['events']} events", f"{'':32}{'in force':>12}{'tried':>12}"]
    found += [f"{name.replace('_', ' '):32}{now[name]:>12}{then[name]:>12}" for name in ("asked", "expected_answers")]
    for title in ("asked_by_trigger", "refused", "contacts_per_customer", "half_width"):
        found.append(title.replace("_", " "))
        for key in dict.fromkeys([*now[title], *then[title]]):
            before, after = (column[title].get(key, 0) for column in (now, then))
            found.append(f"  {key:30}{'–' if before is None else before:>12}{'–' if after is None else after:>12}")
    return found
