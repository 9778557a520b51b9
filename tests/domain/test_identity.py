"""One spelling per address, and keys that say who is one person without holding an address."""

import pytest

from surveyapp.domain.identity import contact_keys, normalise_email, tombstone


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("  ada+news@example.org ", "ada+news@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ADA@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("jörg@example.org", "jörg@example.org"),
        ("STRASSE@example.org", "strasse@example.org"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_an_address_has_one_spelling(told: str, kept: str) -> None:
    assert normalise_email(told) == kept
    assert normalise_email(kept) == kept


@pytest.mark.parametrize(
    "told",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada@example..org",
        "ada@-example.org",
        "ada@127.0.0.1",
        "x@y>,<z@w",
        "Ada <ada@example.org>",
        "ada@example.org,bob@example.org",
        "ada @example.org",
        '"a b"@example.org',
        "ada@example.org\r\nBcc: bob@example.org",
        "ada\0@example.org",
        "ada@exam\u2028ple.org",
        ".ada@example.org",
        "ada..b@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "e" * 64 + ".org",
        "ada@" + ".".join(["e" * 60] * 5) + ".org",
        "ada@\ud800.org",
    ],
)
def test_what_is_no_single_plain_address_is_refused_with_a_sentence(told: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        normalise_email(told)


def test_keys_are_stable_sorted_and_hold_no_address() -> None:
    keys = contact_keys(7, "ada@example.org", "+33612345678", "pepper")
    assert keys == sorted(keys)
    assert [key[:2] for key in keys] == ["c:", "e:", "p:"]
    assert keys[0] == "c:7"
    assert all(len(key) == 34 for key in keys[1:])
    assert keys[1:] == contact_keys(8, "ada@example.org", "+33612345678", "pepper")[1:]
    assert contact_keys(7, "ada@example.org", None, "other")[1] != keys[1]
    assert contact_keys(7, None, None, "pepper") == ["c:7"]


def test_a_tombstone_differs_from_every_address_key() -> None:
    assert tombstone("ada@example.org", "pepper")[2:] != contact_keys(1, "ada@example.org", None, "pepper")[1][2:]
