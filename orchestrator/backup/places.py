"""Where an installation keeps what is backed up: its database, its objects, its vectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.backup.manifest import OBJECTS, VECTORS
from orchestrator.core.errors import ConfigError
from orchestrator.settings import Settings
from orchestrator.store.embedded import EmbeddedPostgres
from telephony.recording import Objects, open_objects
from telephony.recording.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class TreePlace:
    """Files under one name. folder: where they are when they are on this machine; None for S3.

    store is asked in threads: what obstore awaits may abort a process that ends soon after, and commands do.
    """

    name: str
    folder: Path | None
    store: ObjectStore


def trees(settings: Settings) -> Mapping[str, TreePlace]:
    """Objects and vectors, by name. Raises ConfigError for a place that cannot be."""
    objects, vectors = settings.object_store, Objects(location=str(settings.vectors.absolute()))
    return {
        OBJECTS: TreePlace(OBJECTS, objects.folder, open_objects(objects)),
        VECTORS: TreePlace(VECTORS, vectors.folder, open_objects(vectors)),
    }


@asynccontextmanager
async def database_in_use(settings: Settings) -> AsyncIterator[str]:
    """The address of the database that there is, whether Offhook runs or not. Raises ConfigError when there is none."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = EmbeddedPostgres(settings.data)
    if not server.exists:
        raise ConfigError(f"{settings.data} holds no database: there is nothing to back up; --data says where it is")
    if server.serves_others():
        yield server.dsn
        return
    async with server:
        yield server.dsn


@asynccontextmanager
async def database_of_ours(settings: Settings) -> AsyncIterator[str]:
    """The address of the database, made when there is none. Raises ConfigError while Offhook runs on the folder."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with EmbeddedPostgres(settings.data) as server:
        yield server.dsn
