"""Manifests say what a model is, where its files come from and what runs it; profiles say which models run together.

Both are TOML files below models/. Reading one either gives a value that is right in itself or raises ConfigError, which
names the file, the field, what was wrong and what is accepted.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError, model_validator

from inference.complaint import explain
from inference.sources.location import Member, Source
from orchestrator.core.errors import ConfigError

Kind: TypeAlias = Literal["vad", "stt", "llm", "tts", "sentiment", "embed", "turns", "interjections"]
KINDS: tuple[Kind, ...] = ("vad", "stt", "llm", "tts", "sentiment", "embed", "turns", "interjections")
IN_CALL_PROCESS: frozenset[Kind] = frozenset({"vad", "turns", "interjections"})
"""Kinds that live in the orchestrator's process: they are asked several times a second in every call."""

FIRST_USE = "first-use"
"""In place of a sha256: the hash of the first pull is trusted and recorded, and later pulls must agree."""

Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
EngineName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Checksum: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64}|first-use)$")]
Count: TypeAlias = Annotated[int, Field(ge=1)]

_TModel = TypeVar("_TModel", bound=BaseModel)


class _Strict(BaseModel):
    """A table of a manifest: no unknown field, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FileSpec(_Strict):
    """One file that the engine reads. sha256: 64 hex digits, or "first-use" (hub sources only)."""

    sha256: Checksum


class Resources(_Strict):
    """What one replica needs where placement reserves room. cpus, gpus: may be fractions; memory_mb: resident."""

    cpus: float = Field(default=1.0, gt=0)
    gpus: float = Field(default=0.0, ge=0)
    memory_mb: int = Field(default=512, ge=1)


class QualityGate(_Strict):
    """A figure that the model must reach. measured: what it reached when the manifest was written."""

    metric: str
    on: str
    measured: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> QualityGate:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        return self


class Manifest(_Strict):
    """One model. The engine is the module inference/<kind>/<engine>.py; options are read by it alone.

    files: what lies in the model's folder once pulled, by name; sources: where they can be had, tried in order.
    languages: BCP 47 codes, or "*" for a model that does not depend on the language.
    """

    name: Name
    kind: Kind
    engine: EngineName
    description: str = ""
    licence: str = Field(min_length=1)
    languages: tuple[str, ...] = Field(min_length=1)
    files: dict[str, FileSpec] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    options: dict[str, JsonValue] = Field(default_factory=dict)
    resources: Resources = Resources()
    quality: tuple[QualityGate, ...] = ()

    @model_validator(mode="after")
    def _files_and_sources_agree(self) -> Manifest:
        if bool(self.files) != bool(self.sources):
            raise ValueError("files and sources go together: give both or neither")
        for target in self.files:
            path = PurePosixPath(target)
            if path.is_absolute() or ".." in path.parts or target.startswith("."):
                raise ValueError(f"files: {target!r} must be a plain relative path inside the model's folder")
        for source in self.sources:
            unknown = sorted(set(source.members) - set(self.files))
            if unknown:
                raise ValueError(f"sources: members name files that are not listed under files: {', '.join(unknown)}")
        trusting = [target for target, spec in self.files.items() if spec.sha256 == FIRST_USE]
        unpinned = [str(source.location) for source in self.sources if source.location.scheme not in {"hf", "path"}]
        if trusting and unpinned:
            raise ValueError(
                f'files: {trusting[0]!r} has sha256 = "first-use", which is accepted for hf: and path: sources only; '
                f"{unpinned[0]} needs the 64 hex digits"
            )
        return self

    @property
    def place(self) -> str:
        """Its file, as error messages name it."""
        return f"models/{self.kind}/{self.name}.toml"

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when the files or where they come from do, and with nothing else."""
        identity = {
            "files": {target: spec.sha256 for target, spec in self.files.items()},
            "sources": [source.model_dump(mode="json") for source in self.sources],
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]

    def members(self, source: Source) -> dict[str, tuple[Member, ...]]:
        """For each file, the parts that make it up when it comes from *source*, in order."""
        return {target: source.parts(target) for target in self.files}

    def options_as(self, schema: type[_TModel]) -> _TModel:
        """The options as *schema*, a pydantic model with extra="forbid". Raises ConfigError naming file and field."""
        try:
            return schema.model_validate(self.options)
        except ValidationError as error:
            raise ConfigError(explain(error, f"{self.place}: options", schema)) from error


class EngineChoice(_Strict):
    """Which model serves a kind, and how much of the machine it may use.

    threads: what the engine may keep busy at once; process: engines of one name share a process ("" means its own,
    named after the kind); niceness: 0 to 19, so that RTP is never kept waiting; replicas: at placement "ray" only.
    """

    model: Name
    threads: Count = 1
    process: str = ""
    niceness: int = Field(default=0, ge=0, le=19)
    replicas: Count = 1
    max_replicas: Count | None = None


class TranscriptionChoice(_Strict):
    """What transcribes recordings once their calls are over. options: in place of those of the model's manifest."""

    model: Name
    threads: Count = 1
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Profile(_Strict):
    """Models that run together on one kind of machine. placement: where the engines live (SPEC I1).

    transcription: recordings are not transcribed without it.
    calls: how many at once they bear on the machine of the description; None when that has not been measured.
    """

    name: Name
    description: str = ""
    placement: Literal["local", "ray"]
    calls: Annotated[int, Field(ge=1)] | None = None
    engines: dict[Kind, EngineChoice]
    transcription: TranscriptionChoice | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Profile:
        missing = [kind for kind in KINDS if kind not in self.engines]
        if missing:
            raise ValueError(f"engines: {', '.join(missing)} missing; each of {', '.join(KINDS)} needs one")
        return self

    def process_of(self, kind: Kind) -> str:
        """The name of the process that holds *kind*'s engine; "" for the orchestrator's own."""
        return "" if kind in IN_CALL_PROCESS else self.engines[kind].process or kind


def read_manifest(path: Path) -> Manifest:
    """The manifest in *path*. Raises ConfigError."""
    manifest = _read(path, Manifest)
    if manifest.kind != path.parent.name:
        raise ConfigError(f"{path}: kind: is {manifest.kind!r}, but the file lies in {path.parent.name!r}")
    return _named_as_file(path, manifest)


def read_profile(path: Path) -> Profile:
    """The profile in *path*. Raises ConfigError."""
    return _named_as_file(path, _read(path, Profile))


_TNamed = TypeVar("_TNamed", Manifest, Profile)


def _named_as_file(path: Path, value: _TNamed) -> _TNamed:
    if value.name != path.stem:
        raise ConfigError(f"{path}: name: is {value.name!r}, but the file is called {path.stem!r}; use one name")
    return value


def _read(path: Path, schema: type[_TModel]) -> _TModel:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    try:
        return schema.model_validate(table)
    except ValidationError as error:
        raise ConfigError(explain(error, str(path), schema)) from error
