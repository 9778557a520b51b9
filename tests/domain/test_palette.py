"""The brand's colours: whatever the one colour, everything can be read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from surveyapp.domain.palette import DARK_CARD, LIGHT_CARD, LIGHT_PAGE, contrast, palette

INK, INK_DARK = "#15181c", "#f2f3f4"
colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def test_the_two_brands_of_the_design_have_its_colours():
    oddjob, hotel = palette("#0B5C63"), palette("#7b2d3b")
    assert (oddjob["accent"], oddjob["accent_dark"], oddjob["tint"]) == ("#0b5c63", "#6ccfc8", "#eaf4f4")
    assert (hotel["accent"], hotel["accent_dark"]) == ("#7b2d3b", "#f0a3ae")


@given(colour=colours)
@example(colour="#ffff00")
@example(colour="#ffffff")
@example(colour="#000000")
@example(colour="#0b5c63")
@example(colour="#7b2d3b")
@example(colour="#777777")
def test_every_colour_gives_eight_values_that_can_be_read(colour):
    made = palette(colour)
    assert len(made) == 8
    assert min(contrast(made["accent"], LIGHT_CARD), contrast(made["accent"], LIGHT_PAGE)) >= 4.5
    assert contrast(made["accent_dark"], DARK_CARD) >= 8.5
    for suffix, ink in (("", INK), ("_dark", INK_DARK)):
        assert contrast(made["on" + suffix], made["accent" + suffix]) >= 4.5
        assert contrast(made["on" + suffix], made["press" + suffix]) >= 4.5
        assert contrast(ink, made["tint" + suffix]) >= 4.5
        assert contrast(made["accent" + suffix], made["tint" + suffix]) >= 3


def test_a_colour_that_is_dark_enough_stays_as_it_was_chosen():
    assert palette("#1d4ed8")["accent"] == "#1d4ed8"


@pytest.mark.parametrize("wrong", ["", "red", "#fff", "#12345g", "#0b5c63;}body{", "0b5c63"])
def test_what_is_no_colour_is_refused(wrong):
    with pytest.raises(ValueError, match="#rrggbb"):
        palette(wrong)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
