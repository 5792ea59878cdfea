"""Weights on disk: pulled once, checked, kept under the cache folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from inference.manifest import Manifest
from orchestrator.core.errors import ConfigError

Prepare: TypeAlias = Callable[[Manifest, Path], None]


class Progress(Protocol):
    """Told how a pull goes on."""

    def __call__(self, model: str, file: str, done: int, total: int | None) -> None:
        """*done* of *total* bytes of *file* are here; total is None while unknown."""
        ...


class Weights:
    """The cache of model files. Each model has a folder <cache>/models/<name>-<fingerprint>."""

    def __init__(self, cache: Path, models_dir: Path) -> None:
        self.cache = cache
        self._models_dir = models_dir

    def folder(self, manifest: Manifest) -> Path:
        """The model's folder. Raises ConfigError when it has not been pulled."""
        folder = self._folder(manifest)
        if not folder.is_dir():
            raise ConfigError(
                f"model {manifest.name!r} is not in {self.cache}; run: offhook models pull {manifest.name}"
            )
        return folder

    def pull(self, manifest: Manifest, progress: Progress | None = None, *, prepare: Prepare | None = None) -> Path:
        """The model's folder, fetched first when need be."""
        raise NotImplementedError

    def _folder(self, manifest: Manifest) -> Path:
        return self.cache / "models" / f"{manifest.name}-{manifest.fingerprint}"
