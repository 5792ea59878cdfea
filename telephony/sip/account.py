"""Trunks as PJSIP accounts: who may call in, where calls go out, and whether we are registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any
from urllib.parse import unquote

import pjsua2 as pj

from telephony.sip.endpoint import rtp_transport
from telephony.sip.pjthread import guarded
from telephony.sip.settings import GatewaySettings, Trunk, addresses_of

_USER = re.compile(r"sips?:([^@>\s;:]+)[^@>\s]*@|tel:([^;>\s]+)", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"^INVITE\s+(\S+)\s+SIP/2\.0", re.IGNORECASE)
_NUMBER = re.compile(r"^[\w.+*#-]+$")

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
    home = trunk.home if trunk and trunk.home else f"{settings.public_address or settings.bind}:{settings.port}"
    config.idUri = f"sip:{trunk.user if trunk and trunk.user else 'offhook'}@{home}"
    if trunk is None or not trunk.user:
        return config
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", trunk.user, 0, trunk.password.get_secret_value()))
    if trunk.registrar:
        config.regConfig.registrarUri = f"sip:{trunk.home};transport={trunk.transport}"
        config.regConfig.timeoutSec = trunk.expires
        config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = RETRY_SECONDS
        config.sipConfig.proxies.append(f"sip:{trunk.registrar};transport={trunk.transport};lr")
    return config


def user_of(uri: str) -> str:
    """The user of the first SIP or tel URI in *uri*, decoded, without its parameters; "" when there is none."""
    found = _USER.search(uri)
    user = unquote(found[1] or found[2]) if found else ""
    return user.encode("utf-8", "replace").decode()


def called_user(message: str, to: str, trunk: Trunk) -> str:
    """Whom an INVITE is for: its Request-URI, or its To header when that only names our own registration."""
    line = _REQUEST_LINE.match(message)
    user = user_of(line[1]) if line else ""
    return user_of(to) if user == trunk.user else user


def dial_uri(target: str, trunk: Trunk) -> str:
    """The URI to dial: *target* as it is when it is one, else a number at the trunk. Raises ValueError."""
    if re.match(r"sips?:[^\s@]+@[^\s@]+$", target):
        return target
    if not _NUMBER.match(target):
        raise ValueError(f"not a number or SIP URI: {target!r}")
    if trunk.target is None:
        raise ValueError(f"trunk {trunk.name!r} takes no outbound calls: it has neither registrar nor peer")
    host = trunk.home if trunk.registrar else trunk.target
    return f"sip:{target}@{host};transport={trunk.transport}"
