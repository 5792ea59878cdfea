"""Trunks as PJSIP accounts: who may call in, where calls go out, and whether we are registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pjsua2 as pj

from telephony.sip.endpoint import rtp_transport
from telephony.sip.pjthread import guarded
from telephony.sip.settings import GatewaySettings, Trunk, addresses_of
from telephony.sip.uri import NAMELESS, identity_uri

RETRY_SECONDS = 15


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
        self._incoming = incoming
        self._told = told

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """An INVITE for this account."""
        guarded(lambda: self._incoming(self, prm))

    def onRegState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """The registrar has answered, or has not."""
        if self.trunk is not None:
            registered = prm.code // 100 == 2 and prm.expiration > 0
            self._told(Registration(self.trunk.name, prm.code, prm.reason, registered))


@dataclass(frozen=True, slots=True)
class Sources:
    """Which trunk an address belongs to. The order is that of the settings."""

    trunks: tuple[tuple[Trunk, tuple[IPv4Network, ...]], ...]

    @classmethod
    def of(cls, trunks: tuple[Trunk, ...]) -> Sources:
        """Resolves registrars. Raises ConfigError for a host without an address."""
        return cls(tuple((trunk, trunk.networks or addresses_of(trunk.registrar or "")) for trunk in trunks))

    @property
    def networks(self) -> tuple[IPv4Network, ...]:
        """Every address that belongs to some trunk."""
        return tuple(network for _, networks in self.trunks for network in networks)

    def trunk_of(self, source: str) -> Trunk | None:
        """The trunk that "address:port" belongs to; None for a stranger."""
        address = IPv4Address(source.rpartition(":")[0])
        return next((trunk for trunk, networks in self.trunks if any(address in net for net in networks)), None)


def account_config(settings: GatewaySettings, trunk: Trunk | None) -> Any:
    """The account of *trunk*; of everybody else when it is None."""
    config = pj.AccountConfig()
    config.mediaConfig.transportConfig = rtp_transport(settings)
    config.idUri = identity_uri(NAMELESS, settings, trunk)
    if trunk is None or not trunk.user:
        return config
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", trunk.user, 0, trunk.password.get_secret_value()))
    if trunk.registrar:
        config.regConfig.registrarUri = f"sip:{trunk.home};transport={trunk.transport}"
        config.regConfig.timeoutSec = trunk.expires
        config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = RETRY_SECONDS
        config.sipConfig.proxies.append(f"sip:{trunk.registrar};transport={trunk.transport};lr")
    return config
