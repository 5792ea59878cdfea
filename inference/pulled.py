"""The record of a pull: what was fetched from where, with the hashes that were found."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.core.errors import ConfigError

_CHUNK_BYTES = 1 << 20


class Pulled(BaseModel):
    """source: the location that had the files; hashes: sha256 by file name, prepared files included.

    prepared: stamp of the preparation that was done, "" when none was.
    """

    model_config = ConfigDict(frozen=True)

    source: str = ""
    hashes: dict[str, str] = {}
    prepared: str = ""

    @classmethod
    def read(cls, path: Path) -> Pulled:
        """The record in *path*; an empty one when there is none. Raises ConfigError when it is damaged."""
        if not path.is_file():
            return cls()
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ConfigError(f"{path}: is damaged; remove it and pull the model again") from error

    def write(self, path: Path) -> None:
        """Keep the record in *path*, at once or not at all."""
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(self.model_dump_json(indent=1))
        draft.rename(path)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
