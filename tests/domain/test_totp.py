"""The codes of RFC 6238, and that each opens once."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from surveyapp.domain import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2009, 2, 13, 23, 31, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1, the last six of its eight digits."""
    assert totp.code(SECRET, seconds // 30) == code


def test_a_code_fits_one_step_early_or_late_and_no_more() -> None:
    fitting = [n for n in range(-3, 4) if totp.matching_step(SECRET, totp.code(SECRET, 41152263 + n), NOW, None)]
    assert fitting == [-1, 0, 1]


def test_a_code_fits_once_and_none_before_it_fits_again() -> None:
    step = totp.step_at(NOW)
    assert totp.matching_step(SECRET, totp.code(SECRET, step), NOW, None) == step
    assert totp.matching_step(SECRET, totp.code(SECRET, step), NOW, step) is None
    assert totp.matching_step(SECRET, totp.code(SECRET, step - 1), NOW, step) is None
    assert totp.matching_step(SECRET, totp.code(SECRET, step + 1), NOW + timedelta(seconds=30), step) == step + 1


@pytest.mark.parametrize("given", ["", "00592", "0059240", "٠٠٥٩٢٤", "-05924", "\ud800"])
def test_what_is_no_code_fits_nothing(given: str) -> None:
    assert totp.matching_step(SECRET, given, NOW, None) is None


def test_spaces_in_a_code_are_overlooked() -> None:
    assert totp.matching_step(SECRET, " 005 924 ", NOW, None) == 41152263


def test_the_address_for_the_app_carries_issuer_and_account() -> None:
    assert totp.address("ABC", "ada+x@example.org", "surveyapp") == (
        "otpauth://totp/surveyapp%3Aada%2Bx%40example.org?secret=ABC&issuer=surveyapp&period=30&digits=6"
    )
