"""Where a message goes: a webhook is no way to reach what its account could not reach otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from orchestrator.core.networks import Address, Network, admits


class NowhereToGo(Exception):
    """code: unknown_host, or address_refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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


def is_refused(host: str, networks: Sequence[Network]) -> bool:
    """Whether *host* is an address, and outside *networks*: nothing could ever be sent there."""
    try:
        address = _plain(ip_address(host.partition("%")[0]))
    except ValueError:  # a name, which may say another address by then
        return False
    return not any(admits(network, address) for network in networks)


def _plain(address: Address) -> Address:
    """IPv4 in an IPv6 coat is IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
