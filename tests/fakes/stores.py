"""A database and a disk that fail on command, for tests of the recorder."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence

from orchestrator.core.errors import RecordRefused, StoreUnavailable
from orchestrator.core.events import Record


class FakeStore:
    """A RecordStore in memory. away: nobody answers; hanging: nor says so; stubborn: not even when it is cancelled."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.refused: list[Record] = []
        self.away = False
        self.hanging = False
        self.stubborn = asyncio.Event()
        self.stubborn.set()
        self.tries = 0

    async def write(self, records: Sequence[Record]) -> None:
        self.tries += 1
        if self.hanging:
            try:
                await asyncio.Event().wait()
            finally:
                await self.stubborn.wait()
        if self.away:
            raise StoreUnavailable("nobody home")
        if any(record in self.refused for record in records):
            raise RecordRefused("never")
        self.kept.extend(records)


class FakeSpool:
    """A LineSpool in memory. full: the disk takes nothing."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self.lines = list(lines)
        self.rejects: list[str] = []
        self.appended = 0
        self.full = False
        self.opened = False

    @property
    def waiting(self) -> int:
        return len(self.lines)

    def open(self) -> int:
        self.opened = True
        return 0

    def append(self, lines: Sequence[str]) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.lines.extend(lines)
        self.appended += len(lines)

    def peek(self, limit: int) -> list[str]:
        return self.lines[:limit]

    def take(self, lines: Sequence[str]) -> None:
        assert self.lines[: len(lines)] == list(lines)
        del self.lines[: len(lines)]

    def reject(self, lines: Sequence[str]) -> None:
        self.rejects.extend(lines)

    def close(self) -> None:
        self.opened = False
