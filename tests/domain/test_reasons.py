"""One table of words for reasons."""

from surveyapp.domain.reasons import MESSAGE_STATES, OUTCOMES, REASONS, reason_icon, reason_label, rule_name
from surveyapp.domain.vocabulary import MessageState, Outcome, Reason


def test_every_reason_state_and_outcome_has_words() -> None:
    assert set(Reason) | {"quiet_hours", "holding"} == set(REASONS)
    assert set(MessageState) == set(MESSAGE_STATES)
    assert set(Outcome) == set(OUTCOMES)


def test_the_words_are_the_designs() -> None:
    assert reason_label("gap") == "Asked too recently"
    assert reason_label("journey_cap", "trip") == "Already asked on this trip"
    assert reason_label("sampled_out") == "Not drawn"
    assert rule_name("journey_cap", "claim") == "Limit per claim"


def test_labels_differ_from_one_another() -> None:
    labels = [reason_label(code) for code in REASONS]
    assert len(set(labels)) == len(labels)


def test_an_unknown_code_is_spelled_out() -> None:
    assert (reason_label("of_another_day"), reason_icon("of_another_day")) == ("Of another day", "circle-off")
