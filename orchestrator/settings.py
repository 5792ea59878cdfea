"""Settings: read once from the environment (OFFHOOK_*) and the command line, then passed down as values."""

from __future__ import annotations

import os
import tomllib
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.core.errors import ConfigError
from orchestrator.core.networks import read_networks
from orchestrator.core.trunk import ADDED
from telephony.recording import Objects
from telephony.sip.settings import Trunk

_LAST_PORT = 65535
_PORTS_A_CALL = 2  # RTP and RTCP
_PREFIX = "OFFHOOK_"
_FAREWELL = timedelta(minutes=10)
# Read elsewhere: by `offhook call` and `offhook users`, and by a gateway of the process that starts it.
_OTHERS = frozenset({"OFFHOOK_CALL_PASSWORD", "OFFHOOK_NEW_PASSWORD", "OFFHOOK_SIP_GATEWAY", "OFFHOOK_DATABASE_URL"})


class Settings(BaseSettings):
    """What `offhook up` runs with.

    data: database, recordings and keys; agents: folder of agent definitions, the demo's when absent; http_*: where
    the API listens; proxies: addresses whose X-Forwarded-For is believed; public_url: where browsers find the API;
    origins: of other sites whose pages may use the API; user_requests, account_requests: how many a minute;
    sip_ports: one gateway process each; sip_bind, sip_public: local and advertised address; trunks: TOML file of
    SIP trunks; calls: how many at once, what the profile says or the gateways hold when absent; longest_call:
    seconds; speculation: begin replies before it is certain that the caller is done; worker: do the jobs too;
    transcription: the model that transcribes recordings, the profile's when empty, "off" for none;
    record: whether calls may be recorded at all; database_url: a PostgreSQL of your own; objects*: where recordings
    are kept, a folder or S3; master_key_file, old_master_key_file: what their keys are under, and were before;
    vault_*: the key in Vault that takes its place; log_files: where the logs go, for erasures;
    webhook_networks: where webhooks may send to; trunk_networks: where the trunks of accounts may be.
    docs/settings.md has them all.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    data: Path = Path.home() / ".local" / "share" / "offhook"
    agents: Path | None = None
    profile: str = "cpu-tiny"
    cache: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    proxies: Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:/, ]*$")] = ""
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+/?$")] | None = None
    origins: Annotated[str, Field(pattern=r"^(https?://[^\s,/]+(, *https?://[^\s,/]+)*)?$")] = ""
    user_requests: Annotated[int, Field(ge=1)] = 600
    account_requests: Annotated[int, Field(ge=1)] = 3000
    sip_ports: Annotated[str, Field(pattern=r"^\d+(,\d+)*$")] = "5060"
    sip_bind: IPv4Address = IPv4Address("127.0.0.1")
    sip_public: IPv4Address | None = None
    rtp_ports: Annotated[str, Field(pattern=r"^\d+-\d+$")] = "10000-10999"
    trunks: Path | None = None
    record: bool = True
    calls: Annotated[int, Field(ge=1)] | None = None
    longest_call: Annotated[float, Field(gt=0)] = 3600.0
    speculation: bool = True
    worker: bool = True
    transcription: str = ""
    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("OFFHOOK_DATABASE_URL", "DATABASE_URL")
    )

    objects: str | None = None
    objects_endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/]+/?$")] | None = None
    objects_region: str = "us-east-1"
    objects_key_id: SecretStr | None = None
    objects_secret: SecretStr | None = None
    master_key_file: Path | None = None
    old_master_key_file: Path | None = None
    log_files: str = ""
    vault_address: Annotated[str, Field(pattern=r"^https?://[^\s/]+/?$")] | None = None
    vault_token_file: Path | None = None
    vault_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "offhook"
    trunk_networks: str = "0.0.0.0/0"
    webhook_networks: str = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
    vault_mount: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]+$")] = "transit"

    @property
    def over_after(self) -> timedelta:
        """How long after its beginning a call is over in any case, its farewell said and its records written."""
        return timedelta(seconds=self.longest_call) + _FAREWELL

    @field_validator("webhook_networks", "trunk_networks")
    @classmethod
    def _networks_are_networks(cls, text: str) -> str:
        read_networks(text)
        return text

    @model_validator(mode="after")
    def _vault_is_whole(self) -> Self:
        if (self.vault_address is None) != (self.vault_token_file is None):
            raise ValueError("vault_address and vault_token_file: a key in Vault needs both")
        return self

    @model_validator(mode="after")
    def _ports_are_ports(self) -> Self:
        sip, (first, last) = self.gateway_ports, self.rtp_range
        if not all(1 <= port <= _LAST_PORT for port in (*sip, first, last)):
            raise ValueError(f"sip_ports and rtp_ports: a port is a number from 1 to {_LAST_PORT}")
        if len(set(sip)) != len(sip):
            raise ValueError(f"sip_ports: {self.sip_ports} names a port twice; each gateway process needs its own")
        if last - first + 1 < _PORTS_A_CALL * len(sip):
            raise ValueError(f"rtp_ports: {self.rtp_ports} is too few; first-last must hold two for each of sip_ports")
        return self

    @property
    def object_store(self) -> Objects:
        """Where recordings are kept."""
        return Objects(
            location=self.objects or str((self.data / "objects").absolute()),
            endpoint=self.objects_endpoint,
            region=self.objects_region,
            key_id=self.objects_key_id,
            secret=self.objects_secret,
        )

    @property
    def journals(self) -> Path:
        """The folder for what has been recorded and is not yet among the objects."""
        return self.data / "journals"

    @property
    def vectors(self) -> Path:
        """Where a vector database that runs on this machine keeps its files."""
        return self.data / "vectors"

    @property
    def engines(self) -> Path:
        """The file that says where the engines of this machine are, while they run."""
        return self.data / "engines.json"

    @property
    def all_log_files(self) -> tuple[str, ...]:
        """Patterns of the files that logs go to, the embedded database's among them."""
        ours = str(self.data.expanduser() / "postgres.log*")
        return (ours, *(pattern.strip() for pattern in self.log_files.split(",") if pattern.strip()))

    @property
    def operator_key(self) -> Path:
        """The file whose content lets whoever can read it use the API."""
        return self.data / "keys" / "operator.key"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which another process of this product gets the same settings. Some are secret."""
        given = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        return {f"{_PREFIX}{name.upper()}": _as_variable(value) for name, value in given.items() if value is not None}

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins of other sites, such as https://desk.example.org."""
        return tuple(origin.strip() for origin in self.origins.split(",") if origin.strip())

    @property
    def public_origin(self) -> str:
        """Where browsers find the API, without a slash at its end."""
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")

    @property
    def gateway_ports(self) -> tuple[int, ...]:
        """The SIP ports, one a gateway process."""
        return tuple(int(port) for port in self.sip_ports.split(","))

    @property
    def rtp_range(self) -> tuple[int, int]:
        """First and last RTP port."""
        first, last = self.rtp_ports.split("-")
        return int(first), int(last)


def _as_variable(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def read_settings(**given: object) -> Settings:
    """Settings from the environment, *given* values first. Raises ConfigError that names each bad one."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigError("; ".join(_faults(error, "settings"))) from error


def unknown_variables() -> list[str]:
    """The variables of the environment that look like settings and are none."""
    known = _OTHERS | {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known)


def read_trunks(path: Path | None) -> tuple[Trunk, ...]:
    """The SIP trunks in *path*, a TOML file of [[trunks]] tables; none without a path. Raises ConfigError."""
    if path is None:
        return ()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    unknown = sorted(set(table) - {"trunks"})
    if unknown:
        raise ConfigError(f"{path}: {', '.join(unknown)}: unknown; the file holds [[trunks]] tables")
    try:
        trunks = tuple(Trunk.model_validate(trunk) for trunk in table.get("trunks", []))
    except ValidationError as error:
        raise ConfigError(_faults(error, f"{path}: trunks")[0]) from error
    if taken := next((trunk.name for trunk in trunks if trunk.name.startswith(ADDED)), None):
        raise ConfigError(f"{path}: trunks: name: {taken!r} begins with {ADDED!r}, as those that accounts make")
    return trunks


def _faults(error: ValidationError, where: str) -> list[str]:
    """What is wrong with which field. No value is told, for some are secret."""
    return [
        f"{'.'.join([where, *map(str, fault['loc'])])}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False)
    ]
