"""The trunks that accounts make: handed to the gateways as the database has them, with no restart.

What is changed anywhere is heard of (NOTIFY). A host is looked up here, and gateways are told its addresses: they
connect to what was found to be allowed, whatever the name says later.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Protocol
from uuid import UUID

import structlog
from pydantic import SecretStr

from orchestrator.access.seal import Seal
from orchestrator.calls.trunks import Trunks
from orchestrator.core.networks import Network, admits
from orchestrator.core.trunk import ADDED, AddedTrunk
from orchestrator.store.follower import RETRY, Follower
from orchestrator.store.trunks_repository import StoredTrunk, TrunksRepository
from telephony.sip.settings import Trunk, host_of

# Hosts are looked up again so often.
_LOOK_SECONDS = 60.0
_LOOKUP_SECONDS = 5.0
_LOOKUPS = 2  # at once: they share threads with others
_MOST_ADDRESSES: Final = 16  # of one host
# Gateways are asked again that did not answer, or had no room.
_PASSING: Final = frozenset({"no_room", "no_gateway"})

log = structlog.get_logger(__name__)


class Gateways(Protocol):
    """Carry trunks: telephony.sip.pool.GatewayPool."""

    async def carry(self, trunks: Sequence[Trunk]) -> dict[str, str]:
        """Carry *trunks* and no others of accounts; why not, by the names of those that are not carried."""
        ...

    def has_room(self, trunk: Trunk) -> bool:
        """Whether another *trunk* can be carried."""
        ...

    async def registrations(self) -> dict[str, str]:
        """What the registrar of each trunk last answered, such as "200 OK"; "" before it has."""
        ...


@dataclass(frozen=True, slots=True)
class TrunkState:
    """state: registered, refused (by its registrar), waiting, ready (nothing to register), unusable, disabled.

    reason: the registrar's answer, or a code; breaker_open: whether calls through it are refused for a while.
    """

    state: str
    reason: str | None
    breaker_open: bool


class _Unusable(Exception):
    """A trunk cannot be used: a code."""


class AccountTrunks:
    """Those of all accounts. known: what calls ask; networks: where they may be; seal: of their passwords.

    follower: keeps them as the database has them.
    """

    def __init__(
        self, trunks: TrunksRepository, gateways: Gateways, known: Trunks, seal: Seal, networks: Sequence[Network]
    ) -> None:
        self._trunks = trunks
        self._gateways = gateways
        self._known = known
        self._seal = seal
        self._networks = networks
        self.follower = Follower("account trunks", self.load, self._again)
        self._lookups = asyncio.Semaphore(_LOOKUPS)
        self._found: dict[str, tuple[IPv4Address, ...] | None] = {}
        self._looked = 0.0
        self._faults: Mapping[str, str] = {}
        self._carried: frozenset[str] = frozenset()

    async def load(self) -> None:
        """Let the gateways carry what the database says. Raises StoreUnavailable."""
        now = asyncio.get_running_loop().time()
        look = now - self._looked >= _LOOK_SECONDS
        stored = await self._trunks.enabled()
        self._known.know(AddedTrunk(one.account, one.name, key_of(one.id)) for one in stored)
        faults: dict[str, str] = {}
        usable = []
        for one, trunk in zip(
            stored, await asyncio.gather(*(self._usable(one, look=look) for one in stored)), strict=True
        ):
            if isinstance(trunk, Trunk):
                usable.append(trunk)
            else:
                faults[key_of(one.id)] = trunk
        self._looked = now if look else self._looked
        hosts = {host_of(target) for one in stored for target in (one.registrar, one.peer) if target}
        self._found = {host: addresses for host, addresses in self._found.items() if host in hosts}
        faults |= await self._gateways.carry(usable)
        for key in faults.keys() - self._faults.keys():
            log.warning("trunk_unusable", trunk=key, reason=faults[key])
        self._faults = faults
        self._carried = frozenset(trunk.name for trunk in usable)

    def has_room(self, one: StoredTrunk) -> bool:
        """Whether the gateways can carry *one* beside those that they have."""
        return self._gateways.has_room(_trunk(one, SecretStr("")))

    def may_be_at(self, address: IPv4Address) -> bool:
        """Whether trunks of accounts may be there."""
        return any(admits(network, address) for network in self._networks)

    async def registrations(self) -> Mapping[str, str]:
        """What the registrars last answered, by what gateways know the trunks by."""
        return await self._gateways.registrations()

    def state(self, one: StoredTrunk, registrations: Mapping[str, str]) -> TrunkState:
        """How *one* is."""
        key = key_of(one.id)
        breaker = self._known.wait(key) > 0
        if not one.enabled:
            return TrunkState("disabled", None, breaker)
        if key in self._faults:
            return TrunkState("unusable", self._faults[key], breaker)
        if key not in self._carried:
            return TrunkState("waiting", None, breaker)
        return registration_state(one.registrar, registrations.get(key, ""), breaker_open=breaker)

    async def _usable(self, one: StoredTrunk, *, look: bool) -> Trunk | str:
        """As gateways are told of it; why not, if it cannot be used. look: up its hosts even if they are known."""
        try:
            trunk = _trunk(one, self._password(one))
            targets = [target for target in (one.registrar, one.peer) if target]
            addresses = {target: await self._addresses(host_of(target), look=look) for target in targets}
        except _Unusable as error:
            return str(error)
        pinned: dict[str, object] = {}
        if one.registrar:
            pinned["domain"] = one.domain or host_of(one.registrar)
            pinned["registrar"] = _at(one.registrar, addresses[one.registrar][0])
            pinned["networks"] = one.networks or tuple(IPv4Network(found) for found in addresses[one.registrar])
        if one.peer:
            pinned["domain"] = one.domain or host_of(one.registrar or one.peer)
            pinned["peer"] = _at(one.peer, addresses[one.peer][0])
        return trunk.model_copy(update=pinned)

    def _password(self, one: StoredTrunk) -> SecretStr:
        if one.password is None:
            return SecretStr("")
        opened = self._seal.open(one.password, one.id.bytes)
        if opened is None:
            raise _Unusable("password_lost")
        return SecretStr(opened.decode())

    async def _addresses(self, host: str, *, look: bool) -> tuple[IPv4Address, ...]:
        """The addresses of *host*, of which all are allowed. While nobody knows the name, those before."""
        if look or host not in self._found:
            async with self._lookups:
                self._found[host] = await _looked_up(host) or self._found.get(host)
        found = self._found[host]
        if found is None:
            raise _Unusable("unknown_host")
        if not all(self.may_be_at(address) for address in found):
            raise _Unusable("address_refused")
        return found

    def _again(self) -> float:
        return RETRY if _PASSING & set(self._faults.values()) else _LOOK_SECONDS


async def _looked_up(host: str) -> tuple[IPv4Address, ...] | None:
    """The addresses of *host*; None when it has none, or nobody says so in time."""
    lookup = asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            lines = await lookup
    except (OSError, UnicodeError):
        return None
    return tuple(sorted({IPv4Address(str(address[0])) for *_, address in lines}))[:_MOST_ADDRESSES]


def key_of(trunk: UUID) -> str:
    """What gateways know a trunk of an account by."""
    return f"{ADDED}{trunk}"


def registration_state(registrar: str | None, answer: str, *, breaker_open: bool) -> TrunkState:
    """How a trunk is that gateways carry. answer: of its registrar; "" before it has."""
    if registrar is None:
        return TrunkState("ready", None, breaker_open)
    if not answer:
        return TrunkState("waiting", None, breaker_open)
    registered = re.match(r"2\d\d\b", answer)
    return TrunkState("registered" if registered else "refused", answer, breaker_open)


def _trunk(one: StoredTrunk, password: SecretStr) -> Trunk:
    same = ("networks", "registrar", "domain", "realm", "user", "expires", "peer", "transport", "echo_guard", "account")
    told = {name: getattr(one, name) for name in same}
    return Trunk.model_validate({**told, "name": key_of(one.id), "password": password})


def _at(target: str, address: IPv4Address) -> str:
    """ "host[:port]" with *address* for its host."""
    return str(address) + target[len(host_of(target)) :]
