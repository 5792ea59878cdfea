"""Networks that the operator lets accounts reach, such as by webhooks or trunks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# What clouds tell a machine's credentials at: EC2, GCE, Alibaba, Azure. Some lie within private networks.
_METADATA: Final = frozenset(
    map(
        ip_address,
        ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"),
    )
)


def read_networks(text: str) -> tuple[Network, ...]:
    """The networks in a list such as "10.0.0.0/8, 2001:db8::/32"; "" is none. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def admits(network: Network, address: Address) -> bool:
    """Whether *network* names *address*: a wide one, such as 0.0.0.0/0, does not mean the machine itself."""
    return (
        address in network
        and address not in _METADATA
        and (not address.is_loopback or network.is_loopback)
        and (not address.is_link_local or network.is_link_local)
        and not address.is_multicast
        and not address.is_unspecified
    )
