"""Weights on disk: fetched once from the first source that has them, checked, kept under the cache folder.

<cache>/models/<name>-<fingerprint>/       the files, complete and checked: it appears by one rename
<cache>/models/<name>-<fingerprint>.json   hashes (also those trusted on first use), source, preparation
<cache>/models/<name>-<fingerprint>.lock   held by the process that pulls
<cache>/downloads/                         packages and unfinished files; emptied of what a finished pull leaves
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from inference.manifest import FIRST_USE, Manifest
from inference.pulled import Pulled, sha256_of
from inference.sources.fetcher import Fetcher, FetchError
from inference.sources.folder import Folder
from inference.sources.hub import Hub
from inference.sources.location import Member, Scheme, Source
from inference.sources.npm import NodeRegistry
from inference.sources.pypi import PythonIndex
from orchestrator.core.errors import ConfigError

Prepare: TypeAlias = Callable[[Manifest, Path], None]
"""Adds files to a freshly pulled folder, such as a requantised copy; must not change those that it finds there."""


Progress: TypeAlias = Callable[[str, str, int, int | None], None]
"""Told how a pull goes on: model, file, bytes that are here, bytes in all (None while unknown)."""


class Weights:
    """The cache of model files. fetchers: by scheme, for sources of another make (tests, a company's own store)."""

    def __init__(self, cache: Path, models_dir: Path, fetchers: Mapping[Scheme, Fetcher] | None = None) -> None:
        self.cache = cache
        self._fetchers: Mapping[Scheme, Fetcher] = fetchers or {
            "hf": Hub.from_environment(),
            "pypi": PythonIndex(cache / "downloads" / "pypi"),
            "npm": NodeRegistry.from_environment(cache / "downloads" / "npm"),
            "path": Folder(models_dir),
        }

    def folder(self, manifest: Manifest) -> Path:
        """The model's folder. Raises ConfigError when it has not been pulled."""
        folder = self._folder(manifest)
        if not folder.is_dir():
            raise ConfigError(
                f"model {manifest.name!r} is not in {self.cache}; run: offhook models pull {manifest.name}"
            )
        return folder

    def is_pulled(self, manifest: Manifest) -> bool:
        """Whether the model's folder is there, complete."""
        return self._folder(manifest).is_dir()

    def pull(self, manifest: Manifest, progress: Progress | None = None, *, prepare: Prepare | None = None) -> Path:
        """The model's folder, fetched and prepared first when need be. Blocks; a second process waits for the first.

        Raises ConfigError saying of every source why it failed.
        """
        folder = self._folder(manifest)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                with _locked(self._downloads_lock, fcntl.LOCK_SH):
                    self._fetch(manifest, folder, progress or _unwatched)
                self._tidy()
            self._prepare(manifest, folder, prepare)
        return folder

    def verify(self, manifest: Manifest) -> list[str]:
        """What is wrong with the pulled files, one line each, after hashing all of them again."""
        folder = self.folder(manifest)
        record = Pulled.read(self._record(manifest))
        faults = []
        for name, recorded in record.hashes.items():
            declared = manifest.files[name].sha256 if name in manifest.files else FIRST_USE
            wanted = recorded if declared == FIRST_USE else declared
            path = folder / name
            if not path.is_file():
                faults.append(f"{name}: is missing")
            elif (found := sha256_of(path)) != wanted:
                faults.append(f"{name}: sha256 is {found}, should be {wanted}")
        faults += [f"{name}: was never pulled" for name in manifest.files if name not in record.hashes]
        return faults

    def discard(self, manifest: Manifest) -> None:
        """Remove the pulled files, so that the next pull fetches them anew; hashes trusted on first use stay."""
        folder = self._folder(manifest)
        if folder.is_dir():
            with _locked(folder.with_name(folder.name + ".lock")):
                doomed = folder.with_name(folder.name + ".discarded")
                folder.rename(doomed)
                shutil.rmtree(doomed)

    def _folder(self, manifest: Manifest) -> Path:
        return self.cache / "models" / f"{manifest.name}-{manifest.fingerprint}"

    def _record(self, manifest: Manifest) -> Path:
        folder = self._folder(manifest)
        return folder.with_name(folder.name + ".json")

    def _fetch(self, manifest: Manifest, folder: Path, progress: Progress) -> None:
        refusals = []
        for number, source in enumerate(manifest.sources):
            staging = self.cache / "downloads" / f"{folder.name}.{number}"
            try:
                hashes = self._fetch_from(manifest, source, staging, progress)
            except OSError as error:  # such as a full disk, which no other source would mend
                raise ConfigError(f"model {manifest.name!r}: {staging}: {error.strerror or error}") from error
            except FetchError as error:
                refusals.append(f"  {source.location}: {error}")
                continue
            Pulled(source=str(source.location), hashes=hashes).write(self._record(manifest))
            shutil.rmtree(staging / ".parts", ignore_errors=True)
            staging.rename(folder)
            return
        if manifest.sources:
            raise ConfigError("\n".join([f"model {manifest.name!r}: no source has its files:", *refusals]))
        Pulled(source="", hashes={}).write(self._record(manifest))
        folder.mkdir()

    def _fetch_from(self, manifest: Manifest, source: Source, staging: Path, progress: Progress) -> dict[str, str]:
        """Bring every file to *staging*; their hashes. What an interrupted try left there is used."""
        trusted = Pulled.read(self._record(manifest)).hashes
        hashes: dict[str, str] = {}
        for target, parts in manifest.members(source).items():
            declared = manifest.files[target].sha256
            wanted = trusted.get(target) if declared == FIRST_USE else declared
            path = staging / target
            path.parent.mkdir(parents=True, exist_ok=True)
            if wanted is not None and not path.is_file():
                self._reuse(wanted, path)
            if not path.is_file():
                self._assemble(manifest.name, parts, path, staging / ".parts", progress)
            found = sha256_of(path)
            if wanted is not None and found != wanted:
                path.unlink()
                raise FetchError(f"{target}: sha256 is {found}, should be {wanted}")
            hashes[target] = found
        return hashes

    def _assemble(
        self, model: str, parts: tuple[Member, ...], path: Path, unfinished: Path, progress: Progress
    ) -> None:
        """Fetch *parts* and join them as *path*, which appears by one rename."""
        unfinished.mkdir(parents=True, exist_ok=True)
        pieces = []
        for part in parts:
            piece = unfinished / hashlib.sha256(str(part).encode()).hexdigest()[:16]
            whole = piece.with_suffix(".whole")
            if not whole.is_file():
                fetcher = self._fetchers[part.location.scheme]
                vouched = fetcher.fetch(part, piece, partial(progress, model, path.name))
                if vouched is not None and (found := sha256_of(piece)) != vouched:
                    piece.unlink()
                    raise FetchError(f"{part}: sha256 is {found}, the source says {vouched}")
                piece.rename(whole)
            pieces.append(whole)
        _join(pieces, path)

    def _reuse(self, wanted: str, path: Path) -> None:
        """Link the file of another pulled model that has the hash *wanted* to *path*, if there is one."""
        for record in sorted((self.cache / "models").glob("*.json")):
            for name, found in Pulled.read(record).hashes.items():
                twin = record.with_suffix("") / name
                if found == wanted and twin.is_file():
                    path.hardlink_to(twin)
                    return

    def _prepare(self, manifest: Manifest, folder: Path, prepare: Prepare | None) -> None:
        """Run *prepare* unless it has run with these options; what it adds is hashed and recorded."""
        record = Pulled.read(self._record(manifest))
        identity = json.dumps([manifest.engine, manifest.options], sort_keys=True)
        stamp = hashlib.sha256(identity.encode()).hexdigest()[:12]
        if prepare is None or record.prepared == stamp:
            return
        prepare(manifest, folder)
        present = sorted(path for path in folder.rglob("*") if path.is_file())
        hashes = {str(path.relative_to(folder)): sha256_of(path) for path in present}
        record.model_copy(update={"hashes": hashes, "prepared": stamp}).write(self._record(manifest))

    def _tidy(self) -> None:
        """Drop downloaded packages, unless another process is at work with them."""
        with _locked(self._downloads_lock, fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
            if alone:
                for scheme in ("pypi", "npm"):
                    shutil.rmtree(self.cache / "downloads" / scheme, ignore_errors=True)

    @property
    def _downloads_lock(self) -> Path:
        return self.cache / "downloads" / ".lock"


@contextmanager
def _locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[bool]:
    """Hold the lock file *path*; False when somebody else holds it and *how* says not to wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, how)
        except BlockingIOError:
            yield False
        else:
            yield True


def _join(pieces: list[Path], path: Path) -> None:
    """Make *pieces* into the file *path*, which appears by one rename; they are gone afterwards."""
    whole = pieces[0]
    if len(pieces) > 1:
        whole = pieces[0].with_suffix(".joined")
        with whole.open("wb") as joined:
            for piece in pieces:
                with piece.open("rb") as part:
                    shutil.copyfileobj(part, joined)
    whole.rename(path)
    for piece in pieces:
        piece.unlink(missing_ok=True)


def _unwatched(model: str, what: str, done: int, total: int | None) -> None:
    """Progress that nobody looks at."""
