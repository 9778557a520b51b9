"""What every metric is, in words that come from the numbers they describe."""

import pytest

from surveyapp.domain.definitions import NAMES, definition
from surveyapp.domain.scores import METRICS


@pytest.mark.parametrize("key", METRICS)
def test_every_metric_says_scale_direction_favourable_set_numerator_denominator_and_version(key: str) -> None:
    found = definition(key)
    assert found.name == NAMES[key]
    assert found.version == METRICS[key].version
    for part in (found.name, f"definition {found.version}", found.scale, found.numerator, found.denominator):
        assert part in found.sentence
    assert f"{METRICS[key].better} is better" in found.sentence


def test_the_definitions_read_as_published() -> None:
    assert definition("nps").numerator == "100 × (promoters 9–10 − detractors 0–6)"
    assert definition("csat5").numerator == "answers 4–5 in percent"
    assert (definition("disconfirmation").scale, definition("disconfirmation").favourable) == ("−2 to 2", "0–2")
    assert definition("disconfirmation").unfavourable == "−2 to −1"
    assert definition("ces1").better == "lower"
    assert (definition("nps").measures, definition("ces2").measures) == ("prediction", "perception")
