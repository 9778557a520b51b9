"""What would change the answer, one sentence per rule that refuses; and evidence in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from surveyapp.domain.eligibility import RULES, decide
from surveyapp.domain.evidence import evidence_words
from surveyapp.domain.facts import Answer, Ask, Block, Candidate, Case, Earlier, Facts, Person, Sensitive, evidence_json
from surveyapp.domain.policy_reading import parse_policy
from surveyapp.domain.remedies import SENTENCES, remedies, remedy
from surveyapp.domain.vocabulary import Reason

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PERSON = Person("c-1", NOW - 400 * DAY, frozenset({"email", "sms"}), ("Europe/Paris",))
CANDIDATE = Candidate(
    "d-new", "after_check_in", "check_in_csat", "csat5", "e", ("email", "sms"), 2, NOW, NOW, step="flight.check_in",
    instance="AF1", expires_at=NOW + 7 * DAY,
)  # fmt: skip
ASK = Ask("m1", "d-old", NOW - DAY, "email", "first", 2, "other_csat", None, "flight.boarding", "AF1")


def said(policy: dict[str, Any], **known: Any) -> list[str]:
    facts = Facts(**({"person": PERSON, "candidate": CANDIDATE} | known))
    return remedies(decide(facts, parse_policy(policy), NOW, "key"), facts.candidate)


def test_nothing_need_change_for_an_ask_that_is_allowed() -> None:
    assert said({}) == []


@pytest.mark.parametrize(
    ("policy", "known", "sentence"),
    [
        ({"gap": "7d"}, {"asks": (ASK,)},
         "Rest between asks: free again from 8 November 2026, 12:00 UTC; or a policy with a shorter rest."),
        ({"caps": [{"max": 0, "per": "7d"}]}, {}, "A policy that allows at least one ask."),
        ({"caps": [{"max": 1, "per": "journey"}]}, {"asks": (ASK,)},
         "An event of another flight; or a policy with a higher limit per journey."),
        ({}, {"person": replace(PERSON, addresses=frozenset())},
         "We would need an e-mail address or a phone number of this customer."),
        ({}, {"person": replace(PERSON, blocks=(Block("all", "opted_out"),))},
         "The customer would have to opt in again; nobody else can do it for them."),
        ({}, {"person": replace(PERSON, blocks=(Block("all", "paused", NOW + DAY),))},
         "Customer’s break: free again from 3 November 2026, 12:00 UTC."),
        ({}, {"person": replace(PERSON, erased=True)}, "Nothing: a person who was erased is never asked again."),
        ({"rules": [{"kind": "open_case"}]}, {"cases": (Case(NOW - DAY),)}, "The open case would have to be closed."),
        ({}, {"sensitive": (Sensitive("flight.accident", NOW - DAY, NOW + DAY),)},
         "Sensitive event: free again from 3 November 2026, 12:00 UTC."),
        ({}, {"candidate": replace(CANDIDATE, survey_open=False)},
         "The survey and its trigger would have to be open again."),
        ({}, {"already_asked": "d-old"},
         "An event of another instance: about this one the survey was asked already."),
    ],
)  # fmt: skip
def test_each_refusal_says_what_would_change_it(policy: dict[str, Any], known: dict[str, Any], sentence: str) -> None:
    assert said(policy, **known) == [sentence]


def test_every_reason_there_is_has_its_sentence() -> None:
    assert set(SENTENCES) == {*Reason, "quiet_hours", "holding"}
    assert len(RULES) > 15


def test_a_verdict_that_allows_needs_no_remedy() -> None:
    facts = Facts(PERSON, CANDIDATE)
    assert {remedy(v, CANDIDATE) for v in decide(facts, parse_policy({}), NOW, "key").verdicts} == {""}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (ASK, "asked on 1 Nov 2026, 12:00 UTC by e-mail about other_csat, flight.boarding, AF1"),
        (replace(ASK, kind="reminder", channel="sms", step=None, instance=None, answered=True),
         "reminded on 1 Nov 2026, 12:00 UTC by text message about other_csat, answered"),
        (Answer("other_csat", "csat5", None, NOW), "answered on 2 Nov 2026, 12:00 UTC about other_csat"),
        (Sensitive("flight.accident", NOW, NOW + DAY), "flight.accident on 2 Nov 2026, 12:00 UTC"),
        (Case(NOW, None, "k-1", "flight.bag"), "case opened on 2 Nov 2026, 12:00 UTC about flight.bag, still open"),
        (Earlier("d-1", "after_baggage"), "decision d-1 of after_baggage"),
    ],
)  # fmt: skip
def test_evidence_reads_as_what_was_asked_when_and_how(item: Any, words: str) -> None:
    stored = evidence_json(item)
    assert None not in stored.values()
    assert evidence_words(stored) == words


def test_evidence_kept_by_an_earlier_release_is_shown_as_it_is() -> None:
    assert evidence_words("m12") == "m12"
