"""What a text reply says: a score, an opt-out, a wish for help or for peace, or words. Sends and stores nothing.

Opting out is looked for before anything else. A score is one number on the scale, however it is written; more than
one number, or one off the scale, is none.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from surveyapp.domain import reply_words as words

_TIME = r"(?<!\w)\d{1,2}\s?(?:h\d{0,2}|uhr|am|pm|a\.m|p\.m)(?!\w)|(?<!\w)\d{1,2}:\d{2}"
_UNITS = (
    "min(?:s|utes?|uten|uuts?|utos?)?|hours?|hrs?|days?|heures?|jours?|stunden?|horas?|uur|dagen|دقيقة|دقائق|ساعة|ساعات"
)
_SPAN = rf"(?<!\w)\d{{1,3}}\s?(?:{_UNITS})(?!\w)"
_NUMBER = r"(?<!\w)(?:(?<!\S)[+-])?\d+(?:[.,]\d+)*(?:\s?%)?"
_TOKEN = re.compile(rf"(?P<time>{_TIME}|{_SPAN})|(?P<number>{_NUMBER})|(?P<word>[^\W\d_]+|/)")
_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "⁄": "/", "🔟": " 10 "})
_JOINED = ((re.compile(r"\bnon[\s]?-[\s]?stop\b"), "nonstop"), (re.compile(r"\b([ld])['’ʼ`´]arret\b"), r"\1arret"))
_HALF = re.compile(r"\s(?:and a half|et demie?|y medi[ao]|en een half)\b")
_UNMARKED = frozenset({"Mn", "Me", "Cf", "Lm"})
_RUNS = re.compile(r"[^\W\d_]+|\d+")


class ReplyKind(StrEnum):
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    PEACE = "peace"  # asks in other words to be left alone
    AUTOMATIC = "automatic"  # a machine answers: never an answer, never replied to
    SCORE = "score"
    OFF_SCALE = "off_scale"  # one number, and not on the scale
    SEVERAL = "several"  # more than one number
    WORDS = "words"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Reply:
    """`alone` means that a score came without further words."""

    kind: ReplyKind
    score: int | None = None
    alone: bool = False


def fold(text: str) -> str:
    """`text` in small letters without accents, marks and punctuation, its words one space apart."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(c for c in plain if unicodedata.category(c) not in _UNMARKED)
    plain = plain.replace("ى", "ي").replace("ة", "ه")
    for pattern, joined in _JOINED:
        plain = pattern.sub(joined, plain)
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def read_reply(text: str, low: int, high: int, languages: Sequence[str] = ("en", "fr")) -> Reply:
    """What a reply to a question with the scale `low`…`high` says.

    Number words are looked for in the first of `languages`, and in the others when it has none there.
    """
    order = read_order(text)
    return Reply(order) if order else read_score(text, low, high, languages)


def read_order(text: str) -> ReplyKind | None:
    """What the text asks of us besides an answer, or None. An opt-out wins over everything."""
    folded = fold(text)
    if not folded:
        return None
    if _opts_out(folded):
        return ReplyKind.OPT_OUT
    if folded in words.OPT_IN:
        return ReplyKind.OPT_IN
    if folded in words.HELP:
        return ReplyKind.HELP
    if _holds(folded, words.AUTOMATIC):
        return ReplyKind.AUTOMATIC
    return ReplyKind.PEACE if _holds(folded, words.PEACE) else None


def _opts_out(folded: str) -> bool:
    spoken = _RUNS.findall(folded) or [folded]
    spelled = "".join(spoken) if all(len(run) == 1 for run in spoken) else folded  # S T O P
    ends = {spoken[0], spoken[-1]}
    return bool(ends & words.FIRST_OR_LAST) or folded in words.OPT_OUT or spelled in words.OPT_OUT


def _holds(folded: str, phrases: Sequence[str]) -> bool:
    padded = f" {folded} "
    return any(f" {phrase} " in padded for phrase in phrases)


def read_score(text: str, low: int, high: int, languages: Sequence[str] = ("en", "fr")) -> Reply:
    """The score in a text that is no opt-out."""
    plain = _plain(text)
    reply = Reply(ReplyKind.WORDS if fold(text) else ReplyKind.EMPTY)
    for language in languages or ("en",):
        found, others = _numbers(plain, low, high, words.NUMBERS.get(language.split("-")[0].lower(), {}))
        if not found:
            continue
        if len(found) > 1:
            return Reply(ReplyKind.SEVERAL)
        (value,) = found
        if value is None or not low <= value <= high:
            return Reply(ReplyKind.OFF_SCALE)
        return Reply(ReplyKind.SCORE, value, alone=not others)
    return reply


def read_choices(text: str, count: int, languages: Sequence[str] = ("en", "fr")) -> list[int]:
    """The numbers of the options (1…`count`) that a reply names, in its order; nothing when one is none of them."""
    for language in languages or ("en",):
        table = words.NUMBERS.get(language.split("-")[0].lower(), {})
        found = [token.value for token in _tokens(_plain(text), table) if token.numeric and not token.weak]
        if found:
            chosen = [value for value in dict.fromkeys(found) if value is not None and 1 <= value <= count]
            return chosen if len(chosen) == len(set(found)) else []
    return []


def _plain(text: str) -> str:
    """Small letters, one form per letter, every script's digits as ours, keycaps without their caps."""
    composed = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS).casefold()
    kept = (c for c in _HALF.sub(" 1/2", composed) if unicodedata.category(c) not in ("Cf", "Me") and c != "\ufe0f")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in kept).replace("٫", ".")


@dataclass(frozen=True, slots=True)
class _Token:
    """A number, or a word. A number that cannot be a score (a time, a span, a share, a fraction) has no value."""

    text: str
    numeric: bool
    value: int | None = None
    weak: bool = False


def _tokens(plain: str, table: dict[str, int]) -> Iterator[_Token]:
    for match in _TOKEN.finditer(plain):
        text = match[0]
        if match.lastgroup == "time":
            yield _Token(text, True)
        elif match.lastgroup == "number":
            yield _Token(text, True, _integer(text))
        elif text in table:
            yield _Token(text, True, table[text], weak=text in words.WEAK_NUMBERS and not _by_itself(plain, match))
        else:
            yield _Token(text, False)


def _by_itself(plain: str, match: re.Match[str]) -> bool:
    """Whether the word opens the text and nothing but punctuation follows it at once."""
    before, after = plain[: match.start()], plain[match.end() :]
    return not any(c.isalnum() for c in before) and (not after.strip() or not after.lstrip()[0].isalnum())


def _integer(text: str) -> int | None:
    whole, _, fraction = text.replace(",", ".").partition(".")
    if "%" in text or fraction.strip("0.") or "." in fraction or len(whole) > 9:
        return None
    return int(whole)


def _numbers(plain: str, low: int, high: int, table: dict[str, int]) -> tuple[set[int | None], bool]:
    """The different numbers in the text, the top of the scale after "out of" left out; whether other words stand by."""
    tokens = list(_tokens(plain, table))
    found: set[int | None] = set()
    others = False
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if token.text in words.MINUS and low < 0 and position < len(tokens) and tokens[position].value is not None:
            found.add(-(tokens[position].value or 0))
            position += 1
        elif token.numeric:
            top = _top_after(tokens, position)
            if top is None and token.weak:
                others = True
                continue
            found.add(token.value)
            if top is not None:
                if tokens[top].value != high:
                    found.add(None)  # a fraction of something that is not our scale
                position = top + 1
        else:
            others = others or token.text != "/"
    return found, others


def _top_after(tokens: Sequence[_Token], position: int) -> int | None:
    """Where the number of an "out of ten" stands that follows at `position`; None when none does."""
    joined = False
    for here in range(position, min(position + 4, len(tokens))):
        token = tokens[here]
        if token.numeric:
            return here if joined else None
        if token.text not in words.BEFORE_THE_TOP | words.SKIPPED_BEFORE_THE_TOP:
            return None
        joined = joined or token.text in words.BEFORE_THE_TOP
    return None
