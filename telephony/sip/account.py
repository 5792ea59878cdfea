"""Trunks as PJSIP accounts: who may call in, where calls go out, and whether we are registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pjsua2 as pj

from telephony.sip.endpoint import rtp_transport
from telephony.sip.pjthread import guarded
from telephony.sip.settings import LOCAL_TRUNK, GatewaySettings, Trunk, addresses_of
from telephony.sip.uri import NAMELESS, identity_uri

RETRY_SECONDS = 15
UNREGISTER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registrar last answered. status: 0 before any answer; 200 while registered."""

    trunk: str
    status: int = 0
    reason: str = ""
    registered: bool = False


class TrunkAccount(pj.Account):  # type: ignore[misc]
    """One address of record. Lives in PJSIP's thread."""

    def __init__(
        self, trunk: Trunk | None, incoming: Callable[[Any, Any], None], told: Callable[[Registration], None]
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.leaves_at: float | None = None
        self._incoming = incoming
        self._told = told

    def leave(self, now: float) -> None:
        """Unregister; the registrar has UNREGISTER_SECONDS for an answer. now: a monotonic clock."""
        self._told = lambda _: None
        self.leaves_at = now
        if self.trunk is not None and self.trunk.registrar:
            self.leaves_at = now + UNREGISTER_SECONDS
            self.setRegistration(False)

    def blank(self) -> None:
        """Be found by no To header any more; calls that run have their own copy of what they need."""
        self.trunk = None
        config = pj.AccountConfig()
        config.idUri = "<sip:gone@gone.invalid>"
        self.modify(config)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """An INVITE for this account."""
        guarded(lambda: self._incoming(self, prm))

    def onRegState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """The registrar has answered, or has not."""
        if self.trunk is not None:
            registered = prm.code // 100 == 2 and prm.expiration > 0
            if self.leaves_at is not None:
                self.leaves_at = 0.0
            self._told(Registration(self.trunk.name, prm.code, prm.reason, registered))


@dataclass(frozen=True, slots=True)
class Sources:
    """Which trunks an address belongs to.

    fixed: the operator's, of which the first that has an address has it; added: the accounts' own, any number of which
    may have one carrier's addresses. No account can so keep a carrier's calls from another, or from the operator.
    """

    fixed: tuple[tuple[Trunk, tuple[IPv4Network, ...]], ...]
    added: tuple[Trunk, ...] = ()

    @classmethod
    def of(cls, trunks: tuple[Trunk, ...]) -> Sources:
        """Of the operator's. Resolves registrars. Raises ConfigError for a host without an address."""
        return cls(tuple((trunk, trunk.networks or addresses_of(trunk.registrar or "")) for trunk in trunks))

    @property
    def networks(self) -> frozenset[IPv4Network]:
        """Every address that belongs to some trunk."""
        fixed = (network for _, networks in self.fixed for network in networks)
        return frozenset((*fixed, *(network for trunk in self.added for network in trunk.networks)))

    def trunks_of(self, source: str) -> tuple[Trunk, ...]:
        """The trunks that "address:port" may belong to; none for a stranger.

        The built-in one for this machine has what is nobody else's.
        """
        address = IPv4Address(source.rpartition(":")[0])
        first = next((trunk for trunk, networks in self.fixed if any(address in net for net in networks)), None)
        added = tuple(trunk for trunk in self.added if any(address in network for network in trunk.networks))
        if first is None or (first is LOCAL_TRUNK and added):
            return added
        return (first, *added)


def as_carrier_sees(trunk: Trunk) -> Trunk:
    """*trunk* with what its carrier hears of, and nothing else."""
    return trunk.model_copy(update={"networks": (), "echo_guard": False})


def account_config(settings: GatewaySettings, trunk: Trunk | None) -> Any:
    """The account of *trunk*; of everybody else when it is None."""
    config = pj.AccountConfig()
    config.mediaConfig.transportConfig = rtp_transport(settings)
    config.idUri = identity_uri(NAMELESS, settings, trunk)
    if trunk is None or not trunk.user:
        return config
    config.sipConfig.authCreds.append(
        pj.AuthCredInfo("digest", trunk.realm, trunk.user, 0, trunk.password.get_secret_value())
    )
    if trunk.registrar:
        config.regConfig.registrarUri = f"sip:{trunk.home};transport={trunk.transport}"
        config.regConfig.timeoutSec = trunk.expires
        config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = RETRY_SECONDS
        config.sipConfig.proxies.append(f"sip:{trunk.registrar};transport={trunk.transport};lr")
    return config
