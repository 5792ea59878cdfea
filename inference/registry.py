"""Finds manifests, profiles and pulled files by name, and turns a manifest into a running engine."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from inference.manifest import KINDS, Manifest, Profile, read_manifest, read_profile
from inference.packages import engine_file
from inference.weights import Progress, Weights
from models import MODELS_DIR
from orchestrator.core.errors import ConfigError


def default_cache() -> Path:
    """Where weights are kept when nobody says otherwise: $OFFHOOK_CACHE, else ~/.cache/offhook."""
    return Path(os.environ.get("OFFHOOK_CACHE") or Path.home() / ".cache" / "offhook")


class Registry:
    """The models of one folder of manifests and one cache of weights."""

    def __init__(self, models_dir: Path = MODELS_DIR, cache: Path | None = None) -> None:
        self.models_dir = models_dir
        self.weights = Weights(cache or default_cache(), models_dir)

    def manifest(self, name: str) -> Manifest:
        """The manifest called *name*. Raises ConfigError, listing the names there are, when there is none."""
        paths = [self.models_dir / kind / f"{name}.toml" for kind in KINDS]
        found = [path for path in paths if path.is_file()]
        if not found:
            known = ", ".join(sorted(path.stem for path in self._manifest_paths()))
            raise ConfigError(f"no model is called {name!r} in {self.models_dir}; there are: {known}")
        if len(found) > 1:
            raise ConfigError(f"{found[0]} and {found[1]}: two models are called {name!r}; names must differ")
        return read_manifest(found[0])

    def manifests(self) -> list[Manifest]:
        """Every manifest, by kind and name. Raises ConfigError at the first bad one."""
        return [read_manifest(path) for path in self._manifest_paths()]

    def profile(self, name: str) -> Profile:
        """The profile called *name*, its models known and of the right kind. Raises ConfigError."""
        path = self.models_dir / "profiles" / f"{name}.toml"
        if not path.is_file():
            known = ", ".join(self.profiles())
            raise ConfigError(f"no profile is called {name!r} in {path.parent}; there are: {known}")
        profile = read_profile(path)
        for kind, choice in profile.engines.items():
            manifest = self.manifest(choice.model)
            if manifest.kind != kind:
                raise ConfigError(f"{path}: engines.{kind}.model: {choice.model!r} is of kind {manifest.kind!r}")
        if profile.transcription is not None and (found := self.manifest(profile.transcription.model).kind) != "stt":
            raise ConfigError(f"{path}: transcription.model: {profile.transcription.model!r} is of kind {found!r}")
        return profile

    def profiles(self) -> list[str]:
        """The names of the profiles."""
        return sorted(path.stem for path in (self.models_dir / "profiles").glob("*.toml"))

    def of_profile(self, profile: Profile) -> list[Manifest]:
        """The manifests that *profile* needs, each once."""
        models = [choice.model for choice in profile.engines.values()]
        if profile.transcription is not None:
            models.append(profile.transcription.model)
        return [self.manifest(name) for name in dict.fromkeys(models)]

    def files(self, manifest: Manifest) -> Path:
        """The folder with the model's files. Raises ConfigError when it has not been pulled."""
        return self.weights.folder(manifest)

    def pull(self, manifest: Manifest, progress: Progress | None = None) -> Path:
        """The folder with the model's files, fetched and prepared first when need be. Blocks.

        Raises ConfigError when no source gives the files or a checksum does not match.
        """
        return self.weights.pull(manifest, progress, prepare=getattr(engine_module(manifest), "prepare", None))

    def _manifest_paths(self) -> Iterator[Path]:
        for kind in KINDS:
            yield from sorted((self.models_dir / kind).glob("*.toml"))


def engine_module(manifest: Manifest) -> ModuleType:
    """The module that runs *manifest*: inference/<kind>/<engine>.py. Raises ConfigError when there is none."""
    path = engine_file(manifest)
    return importlib.import_module(f"inference.{manifest.kind}.{path.stem}")


def build_engine(manifest: Manifest, files: Path, threads: int) -> object:
    """The engine of *manifest*, running on *files* with at most *threads* threads busy: its port's implementation.

    The engine's module has `load(manifest, files, threads)`, and may have `prepare(manifest, files)`, which is called
    once after a pull and may add files to the folder.
    """
    engine: object = engine_module(manifest).load(manifest, files, threads)
    return engine
