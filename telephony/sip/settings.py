"""What a gateway process is told: one JSON object in the environment variable OFFHOOK_SIP_GATEWAY."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_serializer,
    model_validator,
)

from orchestrator.core.errors import ConfigError
from telephony.recording.objects import Objects

VARIABLE = "OFFHOOK_SIP_GATEWAY"
PORTS_A_CALL = 2  # RTP and RTCP

Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0)]
Codec: TypeAlias = Literal["PCMU", "PCMA", "G722"]
SipTransport: TypeAlias = Literal["udp", "tcp"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trunk(_Settings):
    """A carrier or PBX. Its INVITEs are known by the address they come from.

    networks: the sources that may call in; empty with a registrar means the registrar's own addresses.
    registrar: "host[:port]" to keep registered at, with user and password for digest (RFC 8760, RFC 3261 section 22);
    domain: of the account, when it is not the registrar's host; expires: seconds asked of the registrar.
    realm: that asks for the password; "*" for any.
    peer: "host[:port]" that outbound calls go to, when there is no registrar.
    echo_guard: whether the agent's own voice is taken out of what comes back from this trunk; off, for it still lets
    some echoes through, and misses some of the people who speak over one (docs/telephony.md).
    account: whose it is; None for the installation's own.
    """

    name: str
    networks: tuple[IPv4Network, ...] = ()
    registrar: str | None = None
    domain: str | None = None
    user: str | None = None
    password: SecretStr = SecretStr("")
    realm: str = "*"
    expires: Annotated[int, Field(ge=30, le=86400)] = 300
    peer: str | None = None
    transport: SipTransport = "udp"
    echo_guard: bool = False
    account: UUID | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.registrar and not self.user:
            raise ValueError("a registered trunk needs a user")
        if not self.registrar and not self.networks:
            raise ValueError("a trunk needs networks that it calls from, or a registrar")
        return self

    @field_serializer("password", when_used="json")
    def _reveal(self, password: SecretStr) -> str:
        return password.get_secret_value()

    @property
    def target(self) -> str | None:
        """Where outbound calls go: "host[:port]"; None when the trunk only calls in."""
        return self.registrar or self.peer

    @property
    def home(self) -> str | None:
        """The domain of the trunk's addresses of record."""
        return self.domain or (host_of(self.target) if self.target else None)


LOCAL_TRUNK = Trunk(name="local", networks=(IPv4Network("127.0.0.0/8"),))


class GatewaySettings(_Settings):
    """One gateway process.

    name: as invites tell it; bind: the local address; public_address: what SIP and SDP advertise behind NAT;
    rtp_ports: first and last; codecs: offered in this order; orchestrator: the WebSocket URL of legs; token: what it
    and the control port want as Bearer; max_calls: at most what the library was compiled for; control_port: 0 takes
    any; invite_deadline: for the orchestrator to take or refuse a call; no_media: silence of RTP that ends a call;
    journals: folder for what has been recorded and is not yet among the objects.
    loopback: whether programs on this machine may call in, as the trunk "local", without being on any other.
    """

    name: str = "sip"
    bind: IPv4Address = IPv4Address("127.0.0.1")
    port: Port = 5060
    public_address: IPv4Address | None = None
    transports: Annotated[tuple[SipTransport, ...], Field(min_length=1)] = ("udp", "tcp")
    rtp_ports: tuple[Port, Port] = (10000, 19999)
    codecs: Annotated[tuple[Codec, ...], Field(min_length=1)] = ("G722", "PCMU", "PCMA")
    trunks: tuple[Trunk, ...] = ()
    orchestrator: str
    token: SecretStr
    journals: Annotated[Path, AfterValidator(Path.absolute)]
    objects: Objects
    clock_rate: Literal[8000, 16000] = 16000
    max_calls: Annotated[int, Field(ge=1)] | None = None
    control_port: Annotated[int, Field(ge=0, le=65535)] = 0
    invite_deadline: Seconds = 5.0
    no_media: Seconds = 30.0
    loopback: bool = True

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        first, last = self.rtp_ports
        if last - first + 1 < PORTS_A_CALL:
            raise ValueError(f"rtp_ports {first}-{last} hold no call: each takes {PORTS_A_CALL}")
        names = [trunk.name for trunk in self.sources]
        if len(set(names)) != len(names):
            raise ValueError(f"two trunks have one name: {', '.join(sorted(names))}")
        return self

    @property
    def sources(self) -> tuple[Trunk, ...]:
        """Every trunk, the built-in one for this machine last."""
        return (*self.trunks, LOCAL_TRUNK) if self.loopback else self.trunks

    @field_serializer("token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


def gateway_settings(text: str | None) -> GatewaySettings:
    """The settings in *text*. Raises ConfigError that names the field; no value is told, for some are secret."""
    if text is None:
        raise ConfigError(f"{VARIABLE} is not set: it holds the gateway's settings as JSON")
    try:
        return GatewaySettings.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise ConfigError(f"{VARIABLE}: {faults}") from None


def host_of(target: str) -> str:
    """The host in "host[:port]"."""
    return re.sub(r":\d+$", "", target)


def addresses_of(target: str) -> tuple[IPv4Network, ...]:
    """The addresses that the host of "host[:port]" has now. Raises ConfigError when it has none."""
    try:
        found = socket.getaddrinfo(host_of(target), None, socket.AF_INET, socket.SOCK_DGRAM)
    except OSError as error:
        raise ConfigError(f"{target}: {error}; accepted is host[:port] with an IPv4 address") from error
    return tuple(sorted({IPv4Network(str(address[0])) for *_, address in found}))
