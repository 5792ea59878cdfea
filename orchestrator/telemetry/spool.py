"""Lines on disk that survive the process: what could not be stored yet, in order."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from orchestrator.core.errors import ConfigError


class Spool:
    """An append-only file of lines with a reading position; empty again once all of them have been taken.

    Every method may wait for the disk: call them from a thread, one at a time. The position is kept in memory only, so
    lines are read again after a crash; who reads them must not mind.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "records.jsonl"
        self._rejects = folder / "rejected.jsonl"
        self._file: IO[bytes] | None = None
        self._position = 0
        self._end = 0
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Lines that were appended and not taken yet."""
        return self._waiting

    def open(self) -> int:
        """Make or open the file, for this process alone; the bytes that were cut off after its last whole line.

        Raises ConfigError when the folder cannot be written or another process has the spool open.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            file = os.fdopen(descriptor, "r+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"the spool {self._path} cannot be opened: {error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise ConfigError(f"the spool {self._path} is in use by another process") from error
        self._file = file
        return self._measure(file)

    def _measure(self, file: IO[bytes]) -> int:
        """Find the end of the last whole line. What follows was being written at a kill and never acknowledged."""
        size = self._position = self._end = self._waiting = 0
        with self._path.open("rb") as reader:
            for line in reader:
                size += len(line)
                if line.endswith(b"\n"):
                    self._end = size
                    self._waiting += 1
        file.truncate(self._end)
        self._sync_folder()
        return size - self._end

    def append(self, lines: Sequence[str]) -> None:
        """Put *lines* on the disk: all of them, surely, or none. Raises OSError, such as for a full disk."""
        file = self._opened()
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(file.fileno(), data[written:], self._end + written)
            os.fsync(file.fileno())
        except OSError:
            file.truncate(self._end)
            raise
        self._end += len(data)
        self._waiting += len(lines)

    def peek(self, limit: int) -> list[str]:
        """The next lines, at most *limit*; they stay until they are taken."""
        with self._path.open("rb") as reader:
            reader.seek(self._position)
            lines = islice(reader, min(limit, self._waiting))
            return [line.decode(errors="surrogateescape").rstrip("\n") for line in lines]

    def take(self, lines: Sequence[str]) -> None:
        """Forget *lines*, the ones that were peeked at. The file is emptied with the last of them."""
        file = self._opened()
        self._position += sum(len(line.encode(errors="surrogateescape")) + 1 for line in lines)
        self._waiting -= len(lines)
        if self._waiting == 0:
            file.truncate(0)
            self._position = self._end = 0

    def reject(self, lines: Sequence[str]) -> None:
        """Put aside *lines* that nothing will ever store, for a person to look at. Raises OSError."""
        descriptor = os.open(self._rejects, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Let another process have it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> IO[bytes]:
        assert self._file is not None, "the spool is used before it is opened"
        return self._file

    def _sync_folder(self) -> None:
        # The file's name is durable only when its folder is.
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
