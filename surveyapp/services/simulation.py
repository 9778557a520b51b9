"""Tries a policy on recorded events, beside the one in force. Changes nothing: its transaction cannot write.

The same period, the same policies and the same rows give the same result, whole or in slices.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from surveyapp import clock
from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_reading import parse_policy
from surveyapp.domain.simulation import outlook, tally
from surveyapp.domain.simulation.play import Play, Settled, plans
from surveyapp.domain.simulation.stage import Rules
from surveyapp.domain.simulation.tally import Tally
from surveyapp.extensions import db
from surveyapp.queries import policy as policies
from surveyapp.queries.simulation import setting as settings
from surveyapp.queries.simulation.groups import Mark, pages
from surveyapp.queries.simulation.setting import Setting
from surveyapp.services.dispatch import OPEN_FOR

Progress = Callable[[int, int], None]
Watch = Callable[[str, Settled], None]
COLUMNS = ("current", "proposed")


class PeriodRefused(Exception):
    """The period cannot be replayed; the message is a sentence that begins with the field's name."""


@dataclass(slots=True)
class State:
    """How far a replay has come, as it is kept between two slices."""

    mark: Mark
    done: int
    tallies: dict[str, Tally]

    def as_json(self) -> dict[str, Any]:
        """The state as plain JSON; `read_state` gives it back."""
        tallies = {name: one.as_json() for name, one in self.tallies.items()}
        return {"mark": list(self.mark), "done": self.done, "tallies": tallies}


def read_state(value: Mapping[str, Any] | None) -> State:
    """The state that `as_json` wrote; without one, the beginning."""
    if not value:
        return State(Mark(), 0, {name: Tally() for name in COLUMNS})
    return State(Mark(*value["mark"]), value["done"], {n: tally.read(one) for n, one in value["tallies"].items()})


def simulate(
    definition: Mapping[str, Any],
    start: datetime,
    end: datetime,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """What the policy of `definition` and the one in force would each have done with the events of [start, end].

    `progress` is told the events done and the events in all; `watch` every single outcome with its column.
    Raises PolicyProblems and PeriodRefused.
    """
    check_period(start, end)
    proposed = parse_policy(definition, 0, policies.holidays())
    with reading() as session:
        current = policies.policy_in_force(session, clock.now())
        replay = Replay(session, current, proposed, start, end, read_state(None), watch)
        while replay.go_on(progress=progress):
            pass
        return replay.result()


def check_period(start: datetime, end: datetime) -> None:
    """Raises PeriodRefused for a period that ends before it begins."""
    if end < start:
        raise PeriodRefused("to: lies before from; give the earlier moment as from")


@contextmanager
def reading() -> Iterator[Session]:
    """A session of its own in which one moment of the database is seen and nothing can be written."""
    sqlite = db.engine.dialect.name == "sqlite"
    only_read = (
        {"sqlite_begin": "DEFERRED"} if sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    with db.engine.connect().execution_options(**only_read) as connection, Session(connection) as session:
        if sqlite:
            session.execute(text("PRAGMA query_only = ON"))
        try:
            yield session
        finally:
            if sqlite:
                session.execute(text("PRAGMA query_only = OFF"))
            session.rollback()


class Replay:
    """A replay under way: every group is played under both policies, page by page, from where the state says."""

    def __init__(
        self,
        session: Session,
        current: Policy,
        proposed: Policy,
        start: datetime,
        end: datetime,
        state: State,
        watch: Watch | None = None,
    ) -> None:
        both = (current, proposed)
        self.session = session
        self.state = state
        self.watch = watch
        self.current = current
        self.known: Setting = settings.setting(
            session,
            start,
            end,
            max(policy.longest_window for policy in both),
            answers=any(policy.answer_gaps or policy.same_questions for policy in both),
            cases=any(policy.open_cases for policy in both),
        )
        self.rates = settings.rates(session, self.known)
        self.total = settings.event_count(session, start, end)
        key: str = current_app.config["CONTACT_PEPPER"]
        reserving = any(part.trigger.reserve for part in self.known.parts.values())
        self.rules = {
            name: Rules(policy, key, self.rates, OPEN_FOR["email"], reserving)
            for name, policy in zip(COLUMNS, both, strict=True)
        }

    def go_on(self, seconds: float | None = None, progress: Progress | None = None) -> bool:
        """Play on, for about `seconds` where given; whether anything is left to play."""
        began = time.monotonic()
        gc.freeze()  # what is here already stays; looking through it over and over took a fifth of the time
        try:
            return self._play(began, seconds, progress)
        finally:
            gc.unfreeze()

    def _play(self, began: float, seconds: float | None, progress: Progress | None) -> bool:
        for page in pages(self.session, self.known, self.state.mark):
            for group in page.groups:
                planned = plans(group)
                for name, rules in self.rules.items():
                    Play(group, planned, rules, self.state.tallies[name], self._watching(name)).run()
            self.state.mark = page.after
            self.state.done += page.events
            if progress is not None:
                progress(self.state.done, self.total)
            if seconds is not None and time.monotonic() - began >= seconds:
                return True
        return False

    def _watching(self, name: str) -> Callable[[Settled], None] | None:
        watch = self.watch
        return None if watch is None else lambda settled: watch(name, settled)

    def result(self) -> dict[str, Any]:
        """The result as the API shows it."""
        histograms = settings.histograms(self.session, self.known)
        parts, tallies = self.known.parts, self.state.tallies
        low, high = outlook.change_interval(tallies["current"], tallies["proposed"], parts, self.rates)
        columns = {name: _column(tallies[name], self.known, self.rates, histograms) for name in COLUMNS}
        return {
            "from": _iso(self.known.start),
            "to": _iso(self.known.end),
            "events": self.total,
            "policy_version": self.current.version,
            **columns,
            "expected_answers_change": {"low": round(low, 1), "high": round(high, 1)},
        }


def _column(one: Tally, known: Setting, rates: Any, histograms: Any) -> dict[str, Any]:
    """One policy's side of the result: counts, then what they let one expect."""
    answers = outlook.expected_answers(one, known.parts, rates)
    places = outlook.precisions(one, known.parts, rates, histograms)
    return {
        "decisions": one.decisions,
        "asked": one.asks,
        "asked_by_trigger": dict.fromkeys(sorted(known.parts), 0) | one.by_trigger(),
        "refused": one.by_reason(),
        "contacts_per_customer": {str(n): count for n, count in sorted(one.contacts.items())},
        "customers": sum(one.contacts.values()),
        "customers_asked": one.people_asked(),
        "reminders": one.reminders,
        "expected_answers": round(sum(answers.values()), 1),
        "half_width": {place: p.half_width and round(p.half_width, 2) for place, p in places.items()},
        "steps": {
            place: {
                "metric": p.metric,
                "asked": p.asks,
                "expected_answers": round(p.answers, 1),
                "half_width": p.half_width and round(p.half_width, 2),
                "target": p.target,
                "on_target": p.on_target,
            }
            for place, p in places.items()
        },
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
