"""An address and its network: the same however it is written, and not to be changed by changing the host."""

import pytest

from surveyapp.domain.networks import CALLER, GATEWAY, network_of


@pytest.mark.parametrize(
    ("address", "caller", "gateway"),
    [
        ("203.0.113.9", "203.0.113.9/32", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.9/32", "203.0.113.0/24"),
        ("2001:db8::1", "2001:db8::/64", "2001:db8::/64"),
        ("2001:db8::ffff:1:2", "2001:db8::/64", "2001:db8::/64"),
        ("2001:0db8:0:0:9:8:7:6", "2001:db8::/64", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/64"),
        ("::1", "::/64", "::/64"),
        ("", "", ""),
        ("unix:", "unix:", "unix:"),
        ("203.0.113.9.example", "203.0.113.9.example", "203.0.113.9.example"),
    ],
)
def test_the_network_of_an_address(address: str, caller: str, gateway: str) -> None:
    assert (network_of(address), network_of(address, CALLER), network_of(address, GATEWAY)) == (caller, caller, gateway)
