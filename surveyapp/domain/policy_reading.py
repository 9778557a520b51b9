"""Reads a contact policy as written (plain values) into rules, and says in sentences what cannot be."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from surveyapp.domain.policy import (
    EVERYONE,
    AnswerGap,
    BackOff,
    Budget,
    Cap,
    Exemption,
    Gap,
    Grace,
    Holdout,
    OpenCase,
    Policy,
    Quiet,
    SameQuestion,
    Scope,
)
from surveyapp.domain.policy_contradictions import contradictions
from surveyapp.domain.policy_values import CHANNELS, Holidays, Path, PolicyProblems, Reader

__all__ = ["Holidays", "PolicyProblems", "parse_policy"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SCOPE_KEYS = ("journey", "step", "survey", "group", "channel", "where")
MOST_RULES = 300
TOP_KEYS = ("gap", "caps", "quiet_hours", "holding", "reminders_count", "rules")
HOURS = ("from", "to", "jitter")
TOP_GAP: Path = ("gap",)
CUSTOMERS = "customer"  # the holidays of the customer's own country
EXEMPTION_KEYS = ("from_rules", "reason", "author", "until")
EXEMPTABLE = ("gap", "cap", "journey_cap", "budget", "already_asked", "quiet_hours", "sampled_out")


def _gap(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Gap:
    place = path if path == TOP_GAP else (*path, "tiers")
    return Gap(read.tiers(t.get("tiers"), place), scope, read.clock(t, path, scope))


def _own_gap(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Gap:
    if scope == EVERYONE:
        read.wrong(path, "own_gap counts the asks of its own scope: add survey, group, step, journey or channel")
    return Gap(read.tiers(t.get("gap"), (*path, "gap")), scope, "own")


def _cap(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Cap:
    most, per = read.count(t.get("max"), (*path, "max")), t.get("per")
    if per == "journey":
        return Cap(most, journey=True, scope=scope)
    clock = read.clock(t, path, scope)
    if per in ("day", "week", "month"):
        return Cap(most, calendar=str(per), scope=scope, clock=clock)
    return Cap(
        most, per=read.window(per, (*path, "per"), "30d, or journey, day, week or month"), scope=scope, clock=clock
    )


def _back_off(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> BackOff:
    base = read.duration(t.get("base"), (*path, "base"))
    most = read.duration(t.get("max", "365d"), (*path, "max"))
    if most < base:
        read.wrong((*path, "max"), "is shorter than the base, so the rest could never grow: make it longer")
    return BackOff(base, read.number(t.get("factor", 2), (*path, "factor"), 1, 10), most, scope)


def _budget(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Budget:
    raw = t.get("costs", {"web": 0.25, "email": 1, "sms": 2})
    costs = {
        name: read.number(value, (*path, "costs", name), 0, 1000)
        for name, value in read.table(raw, (*path, "costs"), CHANNELS).items()
    }
    points = read.number(t.get("points"), (*path, "points"), 0, 100_000)
    return Budget(points, read.window(t.get("per", "365d"), (*path, "per"), "365d"), costs, scope)


def _quiet(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Quiet:
    before = len(read.problems)
    start, end = (read.clock_time(t.get(name), (*path, name)) for name in ("from", "to"))
    if start == end and len(read.problems) == before:
        read.wrong(path, "quiet hours from and to the same hour cover the whole day: nobody could ever be asked")
    return Quiet(start, end, jitter=read.duration(t.get("jitter", "20m"), (*path, "jitter")), scope=scope)


def _weekend(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Quiet:
    days = t.get("days", ["saturday", "sunday"])
    if not isinstance(days, list) or not days or any(day not in DAYS for day in days):
        read.wrong((*path, "days"), f"must list days of {', '.join(DAYS)}")
        days = []
    if len(set(days)) == 7:
        read.wrong((*path, "days"), "all seven days are closed: nobody could ever be asked")
    return Quiet(weekdays=frozenset(DAYS.index(day) for day in days), scope=scope)


def _holidays(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Quiet:
    country = t.get("country")
    own = country == CUSTOMERS
    given = country is not None or "dates" not in t
    if given and not own and str(country) not in read.holidays:
        known = ", ".join(sorted(read.holidays)) or "none"
        read.wrong(
            (*path, "country"),
            f"no dates are kept for {country!r}; known: {known}; or {CUSTOMERS} for each one's own, or only `dates`",
        )
    dates = dict(read.holidays.get(str(country), {})) if given and not own else {}
    named = t.get("dates", [])
    if not isinstance(named, list):
        read.wrong((*path, "dates"), f"must be a list of dates, not {named!r}")
        named = []
    for position, value in enumerate(named):
        try:
            dates[date.fromisoformat(str(value))] = "a day named in the policy"
        except ValueError:
            read.wrong((*path, "dates", position), f"must be a date such as 2026-12-24, not {value!r}")
    by_country = read.holidays if own else None
    return Quiet(country=str(country) if country else None, dates=dates, by_country=by_country, scope=scope)


def _exemption(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Exemption:
    rules, reason, author, until = (t.get(name) for name in ("from_rules", "reason", "author", "until"))
    if not isinstance(rules, list) or not rules or any(rule not in EXEMPTABLE for rule in rules):
        read.wrong((*path, "from_rules"), f"must list rules of {', '.join(EXEMPTABLE)}; the others know no exemption")
        rules = []
    for name, value in (("reason", reason), ("author", author)):
        if not isinstance(value, str) or not value.strip():
            read.wrong((*path, name), f"an exemption names its {name}")
    if scope == EVERYONE:
        read.wrong(path, "an exemption covers something: add journey, step, survey, group or channel")
    try:
        end = datetime.fromisoformat(str(until))
        if end.tzinfo is None:
            raise ValueError
    except ValueError:
        read.wrong((*path, "until"), f"must be a time with its zone, such as 2026-12-31T00:00:00Z, not {until!r}")
        end = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return Exemption(frozenset(rules), str(reason), str(author), end, scope)


def _holdout(read: Reader, t: dict[str, Any], path: Path, scope: Scope) -> Holdout:
    if scope != EVERYONE:
        read.wrong(path, f"who is held out is asked nothing at all: take “{scope.words().strip()}” away")
    return Holdout(read.number(t.get("share"), (*path, "share"), 0, 0.5), str(t.get("salt", "")))


def _rest(name: str, make: Callable[..., Any]) -> Callable[[Reader, dict[str, Any], Path, Scope], Any]:
    return lambda read, t, path, scope: make(read.duration(t.get(name), (*path, name)), scope)


# kind → (field of Policy, its own keys, the keys it needs, how it is read)
KINDS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], Callable[[Reader, dict[str, Any], Path, Scope], Any]]] = {
    "gap": ("gaps", ("tiers", "clock"), ("tiers",), _gap),
    "own_gap": ("gaps", ("gap",), ("gap",), _own_gap),
    "cap": ("caps", ("max", "per", "clock"), ("max", "per"), _cap),
    "answer_gap": ("answer_gaps", ("gap",), ("gap",), _rest("gap", AnswerGap)),
    "back_off": ("back_offs", ("base", "factor", "max"), ("base",), _back_off),
    "grace": ("graces", ("for",), ("for",), _rest("for", Grace)),
    "budget": ("budgets", ("points", "per", "costs"), ("points",), _budget),
    "holdout": ("holdouts", ("share", "salt"), ("share",), _holdout),
    "open_case": ("open_cases", ("rest",), (), lambda r, t, p, s: OpenCase(
        r.duration(t.get("rest", "0s"), (*p, "rest")), s)),
    "same_question": ("same_questions", ("for",), ("for",), _rest("for", SameQuestion)),
    "quiet_hours": ("quiets", HOURS, ("from", "to"), _quiet),
    "weekend": ("quiets", ("days",), (), _weekend),
    "holidays": ("quiets", ("country", "dates"), (), _holidays),
    "exemption": ("exemptions", EXEMPTION_KEYS, EXEMPTION_KEYS, _exemption),
}  # fmt: skip


def parse_policy(definition: object, version: int = 0, holidays: Holidays | None = None) -> Policy:
    """The policy of a definition as in the programme file. Raises PolicyProblems with every problem found.

    `holidays` maps a country code to its dates and their names.
    """
    read = Reader(holidays)
    top = read.table(definition, (), TOP_KEYS)
    rules: list[tuple[Path, Any]] = []
    if top.get("gap") is not None:
        rules.append((TOP_GAP, {"kind": "gap", "tiers": top["gap"]}))
    if top.get("quiet_hours") is not None:
        hours = read.table(top["quiet_hours"], ("quiet_hours",), HOURS)
        rules.append((("quiet_hours",), {"kind": "quiet_hours", **{k: v for k, v in hours.items() if k in HOURS}}))
    for name, kind in (("caps", "cap"), ("rules", None)):
        listed = [] if top.get(name) is None else top[name]
        if not isinstance(listed, list):
            read.wrong((name,), "must be a list of rules")
            continue
        if len(listed) > MOST_RULES:
            read.wrong((name,), f"has at most {MOST_RULES} rules, not {len(listed)}")
            continue
        for position, rule in enumerate(listed):
            table = dict(rule) if isinstance(rule, Mapping) else {}
            rules.append(((name, position), {**table, "kind": kind} if kind else table))
    found: dict[str, list[Any]] = {}
    for path, rule in rules:
        made = _read_rule(read, rule, path)
        if made is not None:
            found.setdefault(made[0], []).append(made[1])
    holding, counts = _settings(read, top)
    for path, sentence in contradictions(found):
        read.wrong(path, sentence)
    if read.problems:
        raise PolicyProblems(read.problems)
    return Policy(
        **{name: tuple(made) for name, made in found.items()}, holding=holding, reminders_count=counts, version=version
    )


def _settings(read: Reader, top: Mapping[str, Any]) -> tuple[timedelta, bool]:
    holding = read.duration(top.get("holding", "0s"), ("holding",))
    if holding > timedelta(days=7):
        read.wrong(("holding",), "a due ask waits at most 7d for a better one")
    counts = top.get("reminders_count", True)
    if not isinstance(counts, bool):
        read.wrong(("reminders_count",), f"must be true or false, not {counts!r}")
    return holding, bool(counts)


def _read_rule(read: Reader, rule: Mapping[str, Any], path: Path) -> tuple[str, Any] | None:
    kind = rule.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        read.wrong((*path, "kind"), f"unknown rule {kind!r}; known: {', '.join(KINDS)}")
        return None
    target, keys, needed, make = KINDS[kind]
    before = len(read.problems)
    table = read.table(rule, path, ("kind", "enabled", *keys, *SCOPE_KEYS), needed)
    scope = read.scope(table, path)
    if len(read.problems) > before and any(name not in table for name in needed):
        return None
    made = make(read, table, path, scope)
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        read.wrong((*path, "enabled"), f"must be true, or false (kept and checked, but not in force), not {enabled!r}")
    return (target, made) if enabled else None
