"""What a methodologist would say of a survey before it is asked, each with its place. Advice, but for what refuses.

Reads a definition that may be wrong in any way; whether it can be asked at all is the programme's reading.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from surveyapp.domain.palette import LIGHT_CARD, TEXT_CONTRAST, contrast
from surveyapp.domain.questions import SCORE
from surveyapp.domain.scores import METRICS
from surveyapp.domain.selling import first_word, words_for
from surveyapp.domain.survey_difference import title
from surveyapp.domain.survey_editing import CHOICES, expanded, score_values

LONGEST_SECONDS = 90
WORDS_A_SECOND = 4.0
RATING_SECONDS = 4.0
SECONDS = {
    "comment": 20.0, "long": 25.0, "text": 10.0, "one": 5.0, "many": 7.0, "reasons": 7.0, "emotion": 4.0,
    "number": 6.0, "date": 8.0, "consent": 3.0,
}  # fmt: skip
_LINK = re.compile(r"https?://|www\.|utm_", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Finding:
    """`refuses` keeps the survey from being published, all else is advice. `place` is a question's key or empty."""

    kind: str
    place: str
    sentence: str
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What the survey is asked in: the brand's languages, its own first, words to listen for, what events say.

    `names` call a language in English.
    """

    languages: Sequence[str]
    words: Mapping[str, Mapping[str, Sequence[str]]]
    known: Sequence[str] = ()
    colour: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, language: str) -> str:
        return self.names.get(language, language)


def review(definition: Mapping[str, Any], setting: Setting) -> list[Finding]:
    """Everything worth saying, what refuses first."""
    draft = expanded(definition)
    own = setting.languages[0]
    found = [
        *_known(draft, setting, own),
        *_two_ratings(draft, own),
        *_wording(draft, setting),
        *_missing(draft, setting, own),
        *_gaps(draft, own),
        *_long(draft, own),
        *_length(draft, setting),
        *_contrast(setting),
    ]
    return sorted(found, key=lambda finding: not finding.refuses)


def seconds(definition: Mapping[str, Any], language: str) -> float:
    """How long the slowest way through takes: reading at four words a second, and a time for each kind of answer."""
    draft = expanded(definition)
    metric = METRICS.get(str(draft.get("metric")))
    scale = list(metric.scale) if metric else [0]
    return RATING_SECONDS + max(sum(_time(q, language) for q in _after(draft, score)) for score in scale)


def _after(draft: Mapping[str, Any], score: int) -> Iterator[Mapping[str, Any]]:
    """The questions that somebody who gave this score may meet."""
    for question in draft["follow_up"]:
        condition = (question.get("when") or {}).get(SCORE)
        if condition is None or score in score_values(condition, str(draft.get("metric"))):
            yield question


def _time(question: Mapping[str, Any], language: str) -> float:
    read = sum(len(text.split()) for text in _in(question, language)) / WORDS_A_SECOND
    return SECONDS.get(str(question.get("kind")), 5.0) + read


def _in(question: Mapping[str, Any], language: str) -> Iterator[str]:
    for texts in (question.get("ask"), *(option.get("label") for option in question.get("options") or [])):
        if isinstance(texts, Mapping) and isinstance(texts.get(language), str):
            yield texts[language]


def _texts(question: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a question with its language."""
    asks = [question.get("ask"), *(question.get("ask_for") or {}).values()]
    for texts in (*asks, *(option.get("label") for option in question.get("options") or [])):
        if isinstance(texts, Mapping):
            yield from ((str(language), text) for language, text in texts.items() if isinstance(text, str))


def _known(draft: Mapping[str, Any], setting: Setting, own: str) -> Iterator[Finding]:
    """Never ask what the event already says."""
    known = {_plain(name): name for name in setting.known}
    for question in draft["follow_up"]:
        key = str(question.get("key"))
        if _plain(key) in known:
            told = f"The event already says {known[_plain(key)]!r}: it is context, not a question. Take it out."
            yield Finding("known", key, told, refuses=True)
            continue
        words = {_plain(word) for text in _in(question, own) for word in re.findall(r"\w+", text)}
        named = next((known[name] for name in known if len(name) > 3 and name in words), None)
        if named and question.get("kind") in (*CHOICES, "text", "number", "date"):
            sentence = f"{title(question, own)} may ask what the event already says ({named})."
            yield Finding("known", key, sentence)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _two_ratings(draft: Mapping[str, Any], own: str) -> Iterator[Finding]:
    """The primary rating stands alone; two further ratings on one screen colour one another."""
    pages: dict[str, int] = {}
    rated: dict[int, str] = {}
    for question in draft["follow_up"]:
        key = str(question.get("key"))
        pages[key] = 1 + max((pages[name] for name in question.get("when") or {} if name in pages), default=1)
        if not _is_rating(question):
            continue
        if pages[key] in rated:
            sentence = f"{title(question, own)} is the second rating on one screen: each answer colours the other."
            yield Finding("two_ratings", key, f"{sentence} Keep one, or ask it only after an answer.")
        rated.setdefault(pages[key], key)


def _is_rating(question: Mapping[str, Any]) -> bool:
    """Whether the answers of a question are a scale: faces, or labels that are numbers."""
    if question.get("kind") == "emotion":
        return True
    options = question.get("options") or []
    labels = [next(iter(o.get("label", {}).values()), "") for o in options if isinstance(o.get("label"), Mapping)]
    return len(labels) >= 3 and all(re.match(r"\s*[-−]?\d", str(label)) for label in labels)


def _wording(draft: Mapping[str, Any], setting: Setting) -> Iterator[Finding]:
    about = draft.get("about")
    texts = about.items() if isinstance(about, Mapping) else ()
    yield from _path_sells(draft, setting)
    for key, said in (("", list(texts)), *((str(q.get("key")), list(_texts(q))) for q in draft["follow_up"])):
        seen: set[str] = set()
        for language, text in said:
            if _LINK.search(str(text)) and "link" not in seen:
                seen.add("link")
                yield Finding("promotional", key, "A link has no place in a question: it leads away before the answer.")
            lists = words_for(setting.words, language)
            for kind in ("leading", "promotional"):
                word = first_word(str(text), lists.get(kind, ()))
                if word and kind not in seen:
                    seen.add(kind)
                    why = "suggests the answer" if kind == "leading" else "sells; a question never does"
                    yield Finding(kind, key, f"“{word}” in “{text}” {why}.")


def _path_sells(draft: Mapping[str, Any], setting: Setting) -> Iterator[Finding]:
    """No promotion in what promoters are shown after their score."""
    thanks = draft.get("thanks")
    path = thanks.get("promoter") if isinstance(thanks, Mapping) else None
    for name in ("text", "label"):
        texts = path.get(name) if isinstance(path, Mapping) else None
        for language, text in texts.items() if isinstance(texts, Mapping) else ():
            lists = words_for(setting.words, str(language))
            if word := first_word(str(text), lists.get("promotional", ())):
                sentence = f"“{word}” in “{text}”, the path for promoters, sells; thanks never do."
                yield Finding("promotional", "", sentence)
                return


def _length(draft: Mapping[str, Any], setting: Setting) -> Iterator[Finding]:
    """A text of one's own that promises one question or little time, where more is asked than a comment."""
    if all(question.get("kind") == "comment" for question in draft["follow_up"]):
        return
    about = draft.get("about")
    said = list(about.items()) if isinstance(about, Mapping) else []
    for language, text in (*said, *(pair for question in draft["follow_up"] for pair in _texts(question))):
        if word := first_word(str(text), words_for(setting.words, str(language)).get("length", ())):
            more = f"{len(draft['follow_up'])} more may follow the rating"
            yield Finding("length", "", f"“{word}” in “{text}” promises less than is asked: {more}.")
            return


def _missing(draft: Mapping[str, Any], setting: Setting, own: str) -> Iterator[Finding]:
    lacking: dict[str, list[str]] = {}
    about = draft.get("about")
    parts: list[tuple[str, Any]] = [("what it is about", about)]
    for question in draft["follow_up"]:
        parts.append((title(question, own), question.get("ask")))
        parts += [(_called(option, own), option.get("label")) for option in question.get("options") or []]
    for name, texts in parts:
        if not isinstance(texts, Mapping) or not texts:
            continue
        for language in setting.languages:
            if not texts.get(language):
                lacking.setdefault(language, []).append(name)
    for language, names in lacking.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        count = "1 text is" if len(names) == 1 else f"{len(names)} texts are"
        reader = setting.called(language)
        fallback = "" if language == own else f" {reader} readers would get {setting.called(own)}."
        yield Finding("missing", "", f"{reader}: {count} missing ({shown}).{fallback}")


def _called(option: Mapping[str, Any], own: str) -> str:
    label = option.get("label")
    texts = label if isinstance(label, Mapping) else {}
    return str(texts.get(own) or next(iter(texts.values()), option.get("key")))


def _gaps(draft: Mapping[str, Any], own: str) -> Iterator[Finding]:
    for question in draft["follow_up"]:
        options = question.get("options") or []
        if question.get("kind") == "reasons" and any(not option.get("gap") for option in options):
            yield Finding("gap", str(question.get("key")), f"{title(question, own)}: every reason belongs to one gap.")


def _long(draft: Mapping[str, Any], own: str) -> Iterator[Finding]:
    took = round(seconds(draft, own))
    if took > LONGEST_SECONDS:
        sentence = f"It takes about {took} s, above {LONGEST_SECONDS} s. People leave midway; ask less."
        yield Finding("long", "", sentence)


def _contrast(setting: Setting) -> Iterator[Finding]:
    colour = setting.colour
    if colour and _COLOUR.fullmatch(colour) and contrast(colour, LIGHT_CARD) < TEXT_CONTRAST:
        ratio = f"{contrast(colour, LIGHT_CARD):.1f}"
        sentence = f"The brand’s colour {colour} is read at {ratio}:1 on white, below {TEXT_CONTRAST}:1 (AA)."
        yield Finding("contrast", "", f"{sentence} Pages use a darker shade of it.")
