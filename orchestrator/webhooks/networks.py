"""Where messages may go: a webhook is no way to reach what its account could not reach otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from orchestrator.core.errors import ConfigError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# What clouds tell a machine's credentials at: EC2, GCE, Alibaba, Azure. Some lie within private networks.
_METADATA: Final = frozenset(
    map(
        ip_address,
        ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"),
    )
)


class NowhereToGo(Exception):
    """code: unknown_host, or address_refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_networks(text: str) -> tuple[Network, ...]:
    """The networks in a list such as "10.0.0.0/8, 2001:db8::/32". Raises ConfigError."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(f"settings: webhook_networks: {error}; accepted are networks such as 10.0.0.0/8") from error


async def address_of(host: str, port: int, networks: Sequence[Network]) -> Address:
    """An address of *host* within *networks*. Whoever connects must use it: asked again, the name may say another.

    Raises NowhereToGo.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NowhereToGo("unknown_host") from error
    for *_, where in found:
        address = _plain(ip_address(str(where[0]).partition("%")[0]))
        if any(admits(network, address) for network in networks):
            return address
    raise NowhereToGo("address_refused")


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


def _plain(address: Address) -> Address:
    """IPv4 in an IPv6 coat is IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
