"""Secret keys that an installation makes for itself, each in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from orchestrator.core.errors import ConfigError

_BYTES = 32


def kept_key(path: Path) -> str:
    """The key in *path*: 256 random bits as URL-safe text, made when there is none.

    Raises ConfigError for a file that cannot be made or read, that others can read, or that is too short.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path}: others can read it; run: chmod 600 {path}")
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be used as a key: {error}") from error
    if len(key) < _BYTES:
        raise ConfigError(f"{path}: holds {len(key)} characters; a key has at least {_BYTES}. Remove it for a new one")
    return key


def _make(path: Path) -> None:
    """A key in *path*, unless another process makes one first; nobody ever sees a part of it."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_BYTES) + "\n")
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        Path(unfinished).unlink()
