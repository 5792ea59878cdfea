"""One owner at a time for a data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from orchestrator.core.errors import ConfigError


def take_folder(folder: Path) -> int:
    """A descriptor whose lock marks the folder as ours until it is closed or we die."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be used: {error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise ConfigError(
            f"process {owner or 'unknown'} already runs the database of {folder}: stop it or choose another data folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
