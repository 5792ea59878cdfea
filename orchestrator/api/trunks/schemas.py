"""What is said about trunks."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StrictInt, model_validator

from orchestrator.api.schemas import Asked, Told


def _network(text: str) -> str:
    IPv4Network(text)
    return text


def _target(text: str) -> str:
    port = text.partition(":")[2]
    if port and not 1 <= int(port) <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
Network = Annotated[
    str, Field(max_length=18, pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?$"), AfterValidator(_network)
]
Networks = Annotated[list[Network], Field(max_length=16)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")]
Target = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$"), AfterValidator(_target)]
# Part of a SIP URI and of quoted strings: nothing that ends either.
User = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+*~!-]{1,64}$")]
Realm = Annotated[str, Field(pattern=r"^[ !#-\[\]-~]{1,128}$")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=128)]
Expires = Annotated[StrictInt, Field(ge=30, le=86400)]


def _printable(password: SecretStr) -> SecretStr:
    if not password.get_secret_value().isprintable():
        raise ValueError("password: accepted are printable characters")
    return password


class TrunkCreate(Asked):
    """networks: where its calls come from; registrar, peer: `host[:port]`; realm: that may ask for the password."""

    name: Name
    networks: Networks = Field(default_factory=list)
    registrar: Target | None = None
    domain: Host | None = None
    realm: Realm = "*"
    user: User | None = None
    password: Annotated[Password, AfterValidator(_printable)] | None = None
    expires: Expires = 300
    peer: Target | None = None
    transport: Literal["udp", "tcp"] = "udp"
    echo_guard: StrictBool = False
    enabled: StrictBool = True


class TrunkChange(Asked):
    """What is absent stays as it is; null takes away what may be absent."""

    name: Name | None = None
    networks: Networks | None = None
    registrar: Target | None = None
    domain: Host | None = None
    realm: Realm | None = None
    user: User | None = None
    password: Annotated[Password, AfterValidator(_printable)] | None = None
    expires: Expires | None = None
    peer: Target | None = None
    transport: Literal["udp", "tcp"] | None = None
    echo_guard: StrictBool | None = None
    enabled: StrictBool | None = None

    @model_validator(mode="after")
    def _keeps_what_must_be(self) -> Self:
        must = ("name", "networks", "realm", "expires", "transport", "echo_guard", "enabled")
        if missing := [name for name in must if name in self.model_fields_set and getattr(self, name) is None]:
            raise ValueError(f"{', '.join(missing)}: cannot be null")
        return self


class TrunkRead(Told):
    """A trunk. id: null for the operator's, which are read only; scope: whose calls come in by it.

    has_password: whether one is kept, which is never told; state: `registered`, `refused`, `waiting`, `ready` (there is
    nothing to register), `unusable` or `disabled`; reason: of the latter, the registrar's answer or a code;
    breaker_open: whether calls are not placed through it for a while.
    """

    id: UUID | None
    origin: Literal["account", "operator"]
    scope: Literal["account", "installation"]
    name: str
    networks: list[str]
    registrar: str | None
    domain: str | None
    realm: str
    user: str | None
    has_password: bool
    expires: int
    peer: str | None
    transport: str
    echo_guard: bool
    enabled: bool
    state: str
    reason: str | None
    breaker_open: bool
    created_at: datetime | None
