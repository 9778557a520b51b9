"""How numbers, times and names are written on a console page. No database, no request."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

THIN = "\u202f"
MINUS = "\u2212"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec".split()
LONG_MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def number(value: float | int | None, places: int = 0) -> str:
    """The number with narrow spaces for thousands and a true minus; an unknown one is the word `unknown`."""
    if value is None:
        return "unknown"
    text = f"{abs(round(value, places)):,.{places}f}".replace(",", THIN)
    return MINUS + text if round(value, places) < 0 else text


def signed(value: float, places: int = 0) -> str:
    """The number with its sign; zero has none."""
    return ("+" if round(value, places) > 0 else "") + number(value, places)


def span(low: float, high: float, places: int = 0) -> str:
    """A range: an en dash between positives, the word `to` as soon as a sign appears."""
    joint = " to " if round(low, places) < 0 or round(high, places) < 0 else "–"
    return number(low, places) + joint + number(high, places)


def percent(value: float) -> str:
    """A share of 0–1 as a percentage: whole, but one decimal under 1 % and above zero."""
    shown = value * 100
    return number(shown, 1 if 0 < round(shown, 1) < 1 else 0) + THIN + "%"


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def day_words(day: date, today: date) -> str:
    """`2 Nov`, with the year when it is not this one."""
    text = f"{day.day} {MONTHS[day.month - 1]}"
    return text if day.year == today.year else f"{text} {day.year}"


def moment_words(moment: datetime, now: datetime, zone: str) -> str:
    """`today 16:50`, `tomorrow 08:00`, `yesterday 09:12`, else `29 Nov, 10:12`, on the clock of `zone`."""
    at, here = local(moment, zone), local(now, zone)
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((at.date() - here.date()).days)
    clock = f"{at:%H:%M}"
    return f"{near} {clock}" if near else f"{day_words(at.date(), here.date())}, {clock}"


def ago(moment: datetime, now: datetime, zone: str) -> str:
    """`just now`, `12 minutes ago`, later the moment itself."""
    minutes = int((now - moment).total_seconds() // 60)
    if not 0 <= minutes < 60:
        return moment_words(moment, now, zone)
    return f"{counted(minutes, 'minute')} ago" if minutes else "just now"


def long_day(day: date) -> str:
    """`Tuesday 24 November`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {LONG_MONTHS[day.month - 1]}"


def month_words(day: date) -> str:
    """`November 2026`."""
    return f"{LONG_MONTHS[day.month - 1]} {day.year}"


def duration(seconds: float) -> str:
    """The time in its largest whole units, at most two: `30 days`, `2 h 15 min`, `at once` for nothing."""
    left = int(seconds)
    if left <= 0:
        return "at once"
    days, rest = divmod(left, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    if days:
        text = f"{days} day" if days == 1 else f"{days} days"
        return f"{text} {hours} h" if hours and days < 7 else text
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{secs} s"


def instant(text: str | None) -> datetime | None:
    """The instant written in `text` (ISO 8601), or none when it is not one."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d) UTC)?")
DAYS = re.compile(r"\b(\d+)d\b")
SPOKEN = (
    (re.compile(r"\bemail\b"), "e-mail"),
    (re.compile(r"\bsms\b"), "SMS"),
    (re.compile(r"\bat most 1 asks\b"), "at most 1 ask"),
    (re.compile(r" about journey (\S+)"), r", in the journey \1"),
    (re.compile(r" there now\) \("), " there now; "),
    (re.compile(r", from (customer|event|place|brand)\)"), r", from the \1)"),
)


def told(sentence: str, now: datetime, zone: str) -> str:
    """A rule's sentence for a person: capital first, instants on the brand's clock, durations and codes as words."""

    def moment(match: re.Match[str]) -> str:
        clock = match[2] or "00:00"
        at = instant(f"{match[1]}T{clock}+00:00")
        if at is None:
            return match[0]
        return moment_words(at, now, zone) if match[2] else day_words(at.date(), local(now, zone).date())

    text = DAYS.sub(lambda m: f"{m[1]} day" if m[1] == "1" else f"{m[1]} days", TIMESTAMP.sub(moment, sentence))
    for code, words in SPOKEN:
        text = code.sub(words, text)
    return sentence_case(text)


def sentence_case(text: str) -> str:
    """The text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


SPELT = {"nps": "NPS", "tnps": "tNPS", "enps": "eNPS", "csat": "CSAT", "csat5": "CSAT", "csat7": "CSAT"}
SPELT |= {"ces": "CES", "ces1": "CES", "ces2": "CES", "pmf": "PMF", "sms": "SMS", "qr": "QR", "id": "id"}
KEY = re.compile(r"[a-z][a-z0-9_]*")


def key_words(key: str) -> str:
    """A key as a person reads it: `relational_nps` is `Relational NPS`; what is no plain key stays as it is."""
    if not KEY.fullmatch(key):
        return key
    return sentence_case(" ".join(SPELT.get(word, word) for word in key.split("_") if word))


def initials(user: Any) -> str:
    """Two letters for a person: of the name when there is one, else of the e-mail address."""
    words = (getattr(user, "name", None) or user.email.split("@")[0].replace(".", " ")).split()
    return "".join(word[0] for word in words[:2]).upper()


def in_language(text: Any, language: str) -> str:
    """The text in `language`, else in any language it has; a plain string is itself."""
    if isinstance(text, dict):
        chosen = text.get(language) or next((t for t in text.values() if t), "")
        return str(chosen)
    return str(text or "")


def counted(n: int, one: str, many: str | None = None) -> str:
    """`1 answer`, `2 answers`, `1 204 answers`."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def day_start(day: date, zone: str) -> datetime:
    """The first instant of the day on the clock of `zone`, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days_back(day: date, days: int) -> date:
    return day - timedelta(days=days)


def option_text(pair: tuple[Any, str]) -> tuple[str, str]:
    """An option of a select, its value as text."""
    return str(pair[0]), pair[1]


def key_pairs(keys: list[str]) -> list[tuple[str, str]]:
    """Options of a select for keys, in words."""
    return [(key, key_words(key)) for key in keys]


def pairs_of(keys: list[str]) -> list[tuple[str, str]]:
    """Options of a select whose labels are their values."""
    return [(key, key) for key in keys]


FILTERS = {
    "option_text": option_text,
    "pairs_of": pairs_of,
    "key_pairs": key_pairs,
    "key_words": key_words,
    "num": number,
    "signed": signed,
    "percent": percent,
    "duration": duration,
    "initials": initials,
    "sentence_case": sentence_case,
    "counted": counted,
    "long_day": long_day,
    "month_words": month_words,
}
