"""The object store: a folder of this machine, or S3 and what speaks like it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from obstore.store import LocalStore, S3Store
from pydantic import BaseModel, ConfigDict, SecretStr, field_serializer

from orchestrator.core.errors import ConfigError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

ObjectStore: TypeAlias = LocalStore | S3Store

END: Final = "end"
_S3: Final = "s3"
# An answer later than this is as good as none: whoever asked tries again.
_CLIENT: Final[ClientConfig] = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=20)}


class Objects(BaseModel):
    """Where objects are. location: a folder, or s3://bucket/prefix; the rest is for S3.

    endpoint: URL of an S3 server that is not Amazon's; key_id, secret: credentials, those of the machine's role when
    absent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str
    endpoint: str | None = None
    region: str = "us-east-1"
    key_id: SecretStr | None = None
    secret: SecretStr | None = None

    @field_serializer("key_id", "secret", when_used="json")
    def _reveal(self, value: SecretStr | None) -> str | None:
        return None if value is None else value.get_secret_value()

    @property
    def folder(self) -> Path | None:
        """The folder, when it is one."""
        return None if self.location.startswith(f"{_S3}://") else Path(self.location)


def open_objects(objects: Objects) -> ObjectStore:
    """The store. It need not answer yet. Raises ConfigError for settings that can never work."""
    if (folder := objects.folder) is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return LocalStore(folder, automatic_cleanup=True)
        except OSError as error:
            raise ConfigError(f"objects: {folder} cannot be used: {error.strerror}") from error
    address = urlsplit(objects.location)
    if not address.netloc:
        raise ConfigError(f"objects: {objects.location} names no bucket; accepted is s3://bucket/prefix or a folder")
    config: S3Config = {"region": objects.region}
    if objects.endpoint:
        config["endpoint"] = objects.endpoint
    if objects.key_id and objects.secret:
        config["access_key_id"] = objects.key_id.get_secret_value()
        config["secret_access_key"] = objects.secret.get_secret_value()
    return S3Store(
        address.netloc,
        prefix=address.path.strip("/") or None,
        config=config,
        client_options={**_CLIENT, "allow_http": (objects.endpoint or "").startswith("http://")},
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=20)},
    )


def recording_prefix(account: UUID, call_id: UUID) -> str:
    """What the keys of a recording's objects begin with."""
    return f"recordings/{account}/{call_id}/"


def segment_key(account: UUID, call_id: UUID, segment: int, edition: UUID | None = None) -> str:
    """The key of one segment. edition: of a recording that was changed after its call."""
    folder = recording_prefix(account, call_id) if edition is None else edition_prefix(account, call_id, edition)
    return f"{folder}{segment_name(segment)}"


def edition_prefix(account: UUID, call_id: UUID, edition: UUID) -> str:
    """What the keys of the objects of one edition begin with."""
    return f"{recording_prefix(account, call_id)}{edition}/"


def end_key(account: UUID, call_id: UUID) -> str:
    """The key of the empty object that comes after the last segment."""
    return f"{recording_prefix(account, call_id)}{END}"


def segment_name(segment: int) -> str:
    """Names sort like numbers: 27 hours at six digits are 10,000 segments."""
    return f"{segment:06d}"
