"""The file of a backup: a tar, written once from beginning to end, with SHA-256 sums that `sha256sum -c` reads too."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from orchestrator.backup.errors import ArchiveRefused, BackupFailed
from orchestrator.backup.manifest import MANIFEST, MANIFEST_SUM, PARTS_A_SUM, SUMS
from orchestrator.core.errors import ConfigError

_BLOCK: Final = tarfile.BLOCKSIZE
_MODE: Final = 0o600
# At once in memory of a file that is read.
READ_BYTES: Final = 2**20


@contextmanager
def written_aside(path: Path) -> Iterator[IO[bytes]]:
    """A file that bears the name *path* once all of the block is on the disk, and never before; mode 0600.

    When the block raises, nothing is left. Raises ConfigError when *path* exists or its folder does not, BackupFailed
    when the disk refuses.
    """
    if path.exists():
        raise ConfigError(f"{path} exists already: a backup is never written over another file")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".unfinished", dir=path.parent)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BackupFailed(f"{path}: cannot be written: {error.strerror}. Nothing is left of it") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArchiveWriter:
    """Writes parts into *file*, and their sums after them. Raises BackupFailed when the disk refuses."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sums: list[str] = []
        self._flushed = 0

    def add(self, name: str, data: bytes) -> None:
        """A part that is in memory."""
        with self.part(name, len(data)) as write:
            write(data)

    @contextmanager
    def part(self, name: str, size: int) -> Iterator[Callable[[bytes], None]]:
        """A part of *size* bytes, which the block writes. Raises BackupFailed when it writes more or less."""
        self._begin(name, size)
        digest, left = hashlib.sha256(), size

        def write(piece: bytes) -> None:
            nonlocal left
            left -= len(piece)
            digest.update(piece)
            self._write(piece)

        yield write
        if left:
            raise BackupFailed(f"{name} changed while it was copied: {size} bytes became {size - left}")
        self._pad(size)
        self._sums.append(sum_line(digest.hexdigest(), name))
        if len(self._sums) >= PARTS_A_SUM:
            self._flush_sums()

    def close(self, manifest: bytes) -> None:
        """The end, without which what came before is no backup."""
        self._flush_sums()
        self._whole(MANIFEST, manifest)
        self._whole(MANIFEST_SUM, sum_line(hashlib.sha256(manifest).hexdigest(), MANIFEST).encode())
        self._write(bytes(2 * _BLOCK))

    def _flush_sums(self) -> None:
        if self._sums:
            self._whole(f"{SUMS}/{self._flushed:06d}", "".join(self._sums).encode())
            self._sums.clear()
            self._flushed += 1

    def _whole(self, name: str, data: bytes) -> None:
        self._begin(name, len(data))
        self._write(data)
        self._pad(len(data))

    def _begin(self, name: str, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, _MODE
        self._write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))

    def _pad(self, size: int) -> None:
        self._write(bytes(-size % _BLOCK))

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise BackupFailed(f"the backup cannot be written: {error.strerror}. Nothing is left of it") from error


class Part:
    """A part as it is read."""

    def __init__(self, name: str, size: int, content: IO[bytes]) -> None:
        self.name = name
        self.size = size
        self._content = content

    def read(self) -> Iterator[bytes]:
        """Its content, a megabyte at a time. Raises ArchiveRefused when the file ends before."""
        try:
            while piece := self._content.read(READ_BYTES):
                yield piece
        except tarfile.TarError as error:
            raise ArchiveRefused(f"it ends in the middle of {self.name}") from error

    def whole(self, most: int) -> bytes:
        """All of it. Raises ArchiveRefused when that is more than *most* bytes."""
        if self.size > most:
            raise ArchiveRefused(f"{self.name} is larger than any that Offhook writes")
        return b"".join(self.read())


def parts(file: IO[bytes]) -> Iterator[Part]:
    """The parts of *file* in order, each to be read before the next. Raises ArchiveRefused for what is no archive."""
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (info := tar.next()) is not None:
                # A tar remembers all that it has met, and a backup may have a million parts.
                tar.members.clear()  # type: ignore[attr-defined] # documented nowhere, and there since Python 2
                # Links and devices could lead elsewhere.
                if info.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                    raise ArchiveRefused(f"{info.name!r} is no file")
                content = tar.extractfile(info)
                assert content is not None, "a file has content"
                yield Part(info.name, info.size, content)
    except tarfile.TarError as error:
        raise ArchiveRefused(f"it is no backup of Offhook, or only part of one: {error}") from error


def sum_line(digest: str, name: str) -> str:
    """A line as sha256sum writes and reads it."""
    return f"{digest}  {name}\n"
