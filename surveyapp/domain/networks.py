"""Which network an address belongs to: what one caller cannot easily change counts as one."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType

CALLER: Mapping[int, int] = MappingProxyType({4: 32, 6: 64})
"""Bits by IP version: the IPv4 address itself, the /64 that an IPv6 subscriber is given."""

GATEWAY: Mapping[int, int] = MappingProxyType({4: 24, 6: 64})
"""Bits by IP version: a mail gateway fetches from several machines of one network."""


def network_of(address: str, prefixes: Mapping[int, int] = CALLER) -> str:
    """The network of an address in CIDR notation, however the address is written.

    An IPv4 address mapped into IPv6 counts as the IPv4 one. A text that is no address is its own network.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return str(ip_network((ip, prefixes[4]), strict=False))
    if ip.ipv4_mapped:
        return str(ip_network((ip.ipv4_mapped, prefixes[4]), strict=False))
    return str(IPv6Network((int(ip), prefixes[6]), strict=False))  # by number: a zone (%eth0) is no part of it
