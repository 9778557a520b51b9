"""Where a webhook may lead, how it is signed, when it is tried again."""

import base64
from datetime import timedelta

import pytest

from surveyapp.domain.webhooks import (
    LONGEST,
    WAITS,
    AddressRefused,
    key_of,
    read_target,
    refusal_of,
    secret_of,
    signatures,
    wait_after,
)

INSIDE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "::7f00:1", "fe80::1", "fe80::1%eth0"),
    *("fd00::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::1"),
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused(address: str) -> None:
    assert refusal_of(address) is not None
    assert refusal_of("example.org") == "is no numeric address"


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_an_address_of_the_internet_is_taken(address: str) -> None:
    assert refusal_of(address) is None


def test_with_loopback_allowed_only_this_machine_is_let_in_besides() -> None:
    assert [address for address in INSIDE if refusal_of(address, loopback=True) is None] == [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
    ]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "is no address"),
        ("example.org/hook", "is no address"),
        ("ftp://example.org/", "is no address"),
        ("https://", "is no address"),
        ("https://example.org:port/", "is no address"),
        ("https://[::1/", "is no address"),
        ("http://example.org/", "must begin with https://"),
        ("https://example.org:444/", "must use port 443 or 8443"),
        ("https://ada:word@example.org/", "must hold no user"),
        ("https://example.org/#x", "must hold no user"),
        ("https://exämple.org/", "plain characters"),
        ("https://example.org/a b", "without spaces"),
        ("https://example.org/\n", "plain characters"),
        ("https://example.org/" + "a" * 1000, "at most 1000"),
        ("https://localhost/", "inner network"),
        ("https://db/", "inner network"),
        ("https://metadata.google.internal/", "inner network"),
        ("https://127.0.0.1/", "private or reserved"),
        ("https://[::ffff:127.0.0.1]/", "inside another one"),
        ("https://169.254.169.254/latest/", "private or reserved"),
    ],
)
def test_an_address_that_does_not_fit_says_why(url: str, why: str) -> None:
    with pytest.raises(AddressRefused, match=why):
        read_target(url)


def test_an_address_is_taken_apart() -> None:
    assert read_target("https://Example.ORG:8443/a/b?c=d") == ("https", "example.org", 8443, "/a/b?c=d")
    assert read_target("https://example.org").named == "example.org"
    assert read_target("https://[2606:4700::1111]:8443/").named == "[2606:4700::1111]:8443"


def test_this_machine_is_taken_by_plain_http_only_where_allowed() -> None:
    assert read_target("http://127.0.0.1:5999/x", loopback=True) == ("http", "127.0.0.1", 5999, "/x")
    assert read_target("http://localhost:5999/", loopback=True).port == 5999
    with pytest.raises(AddressRefused, match="https"):
        read_target("http://127.0.0.1:5999/")
    with pytest.raises(AddressRefused, match="https"):
        read_target("http://example.org/", loopback=True)
    with pytest.raises(AddressRefused, match="private"):
        read_target("https://10.0.0.1/", loopback=True)


def test_the_signature_is_that_of_the_published_example() -> None:
    """The example of the Standard Webhooks libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert signatures([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_two_secrets_give_two_signatures() -> None:
    secrets = [secret_of(bytes([n]) * 32) for n in (1, 2)]
    both = signatures(secrets, "msg_1", 1, b"{}")
    assert both.split(" ") == [signatures([one], "msg_1", 1, b"{}") for one in secrets]
    assert key_of(secrets[0]) == b"\x01" * 32
    assert base64.b64decode(secrets[0].removeprefix("whsec_")) == b"\x01" * 32


def test_each_wait_is_longer_never_the_same_for_all_and_the_tenth_failure_is_the_last() -> None:
    waits = [wait_after(failures, "msg_1") for failures in range(1, 11)]
    assert waits[9] is None
    for wait, usual in zip(waits, WAITS, strict=False):
        assert wait is not None
        assert usual * 0.9 <= wait <= usual * 1.1
    assert wait_after(3, "msg_1") != wait_after(3, "msg_2")
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert max(WAITS) == LONGEST
