"""One survey with every kind of further question, and short ways to write them, for tests that show and answer them."""

from typing import Any

EN_FR = {"en": "What should we look at?", "fr": "Que devrions-nous examiner ?"}


def option(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "label": {"en": key.replace("_", " ").capitalize()}, **more}


REASONS: dict[str, Any] = {
    "key": "reason",
    "kind": "reasons",
    "ask": {"en": "What is the main reason for your score?", "fr": "Quelle est la raison principale de votre note ?"},
    "ask_for": {"promoter": {"en": "What went especially well?"}, "detractor": {"en": "What went wrong?"}},
    "options": [
        option("not_solved", gap="knowledge"),
        option("too_automated", gap="design"),
        option("long_wait", gap="delivery"),
    ],
}
ONE = {"key": "channel", "kind": "one", "ask": EN_FR, "options": [option("app"), option("desk")]}
MANY = {"key": "used", "kind": "many", "ask": EN_FR, "options": [option("lounge"), option("wifi")]}
EMOTION = {"key": "felt", "kind": "emotion"}
NUMBER = {"key": "bags", "kind": "number", "ask": {"en": "How many bags?"}, "from": 0, "to": 20}
DATE = {"key": "since", "kind": "date", "ask": {"en": "Since when?"}, "from": "2026-01-01"}
TEXT = {"key": "seat", "kind": "text", "ask": {"en": "Which seat?"}}
LONG = {"key": "story", "kind": "long", "ask": {"en": "What happened?"}}
CALL = {"key": "call", "kind": "consent", "when": {"score": "detractor"}}
WAIT = {
    "key": "wait",
    "kind": "text",
    "ask": {"en": "What did you do while you waited?"},
    "when": {"reason": "long_wait", "context.delay_minutes": {"from": 30}},
}
EVERY_KIND = [REASONS, ONE, MANY, EMOTION, NUMBER, DATE, TEXT, "comment", CALL, WAIT]
THANKS = {
    "idea": True,
    "contact": True,
    "promoter": {
        "text": {"en": "Know somebody who would like it?"},
        "label": {"en": "Tell a friend"},
        "link": "https://oddjob.example/friends",
    },
}
