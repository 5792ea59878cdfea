"""What a restore takes the place of: renamed, never removed, and back again when the restore fails."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.backup.errors import BackupFailed
from orchestrator.settings import Settings
from orchestrator.store.embedded import EmbeddedPostgres


@asynccontextmanager
async def set_aside(settings: Settings, folders: Sequence[Path]) -> AsyncIterator[list[Path]]:
    """For the block and after it, the embedded database and *folders* have other names, which it gets.

    When the block raises, they have their own again, and what was made in their place is gone.
    Raises ConfigError while Offhook runs on them, BackupFailed when they cannot be renamed.
    """
    suffix = datetime.now(UTC).strftime(".replaced-%Y%m%dT%H%M%S.%fZ")
    server = None if settings.database_url is not None else EmbeddedPostgres(settings.data)
    cluster: Path | None = None
    moved: list[tuple[Path, Path]] = []
    try:
        if server is not None:
            cluster = await server.set_aside(suffix)
        for folder in [folder for folder in folders if folder.is_dir() and any(folder.iterdir())]:
            aside = _renamed(folder, folder.with_name(folder.name + suffix))
            moved.append((folder, aside))
        yield [*([cluster] if cluster is not None else []), *(aside for _, aside in moved)]
    except BaseException:
        for folder, aside in moved:
            shutil.rmtree(folder, ignore_errors=True)
            _renamed(aside, folder)
        if server is not None and cluster is not None:
            server.put_back(cluster)
        raise


def _renamed(folder: Path, other: Path) -> Path:
    try:
        return folder.rename(other)
    except OSError as error:
        raise BackupFailed(f"{folder} cannot be renamed to {other.name}: {error.strerror}") from error
