"""What the policy lets us promise, and in which words."""

from datetime import timedelta

import pytest

from surveyapp.domain.policy import Cap, Exemption, Policy, Scope
from surveyapp.domain.promise import Promise, at_most, in_words
from surveyapp.queries import catalog
from tests.builders import MOMENT

DAYS = timedelta(days=1)
TWICE = Promise(2, 30 * DAYS)


def test_the_shortest_rolling_cap_for_everyone_is_promised() -> None:
    policy = Policy(caps=(Cap(6, 365 * DAYS), Cap(2, 30 * DAYS), Cap(3, 30 * DAYS), Cap(1, journey=True)))
    assert at_most(policy) == TWICE


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(caps=(Cap(1, journey=True),)),
        Policy(caps=(Cap(2, 30 * DAYS, scope=Scope(journey="flight")),)),
        Policy(caps=(Cap(2, 30 * DAYS, scope=Scope(channel="sms")),)),
        Policy(caps=(Cap(2, calendar="month"),)),
        Policy(caps=(Cap(2, 30 * DAYS),), reminders_count=False),
        Policy(caps=(Cap(2, 30 * DAYS),), exemptions=(Exemption(frozenset({"cap"}), "recall", "ada", MOMENT),)),
    ],
    ids=["no caps", "per journey", "one journey", "one channel", "calendar", "reminders do not count", "exemption"],
)
def test_nothing_is_promised_that_some_rule_does_not_keep(policy: Policy) -> None:
    assert at_most(policy) is None


@pytest.mark.parametrize(
    ("language", "promise", "sentence"),
    [
        ("en", TWICE, "We ask at most twice in 30 days, and never to sell you anything."),
        ("en", Promise(1, 7 * DAYS), "We ask at most once in 7 days, and never to sell you anything."),
        (
            "en",
            Promise(4, 36 * 3600 * timedelta(seconds=1)),
            "We ask at most 4 times in a day, and never to sell you anything.",
        ),
        ("en", None, "We never ask to sell you anything."),
        ("fr", TWICE, "Deux questions au plus en 30 jours, jamais de publicité."),
        ("fr", None, "Jamais de publicité."),
        ("de", TWICE, "Wir fragen höchstens zweimal je 30 Tage und nie, um Ihnen etwas zu verkaufen."),
        (
            "es",
            Promise(3, timedelta(hours=12)),
            "Preguntamos como máximo 3 veces en 12 horas, y nunca para venderle nada.",
        ),
        ("nl", TWICE, "We vragen hoogstens twee keer in 30 dagen iets, en nooit om u iets te verkopen."),
        ("ar", Promise(3, 30 * DAYS), "لا نسأل أكثر من 3 مرات خلال 30 يومًا، ولا نبيعك شيئًا أبدًا."),
    ],
)
def test_the_promise_is_said_in_the_readers_language(language: str, promise: Promise | None, sentence: str) -> None:
    assert in_words(promise, catalog.read_yaml(f"messages/{language}.yaml")["promise"]) == sentence
