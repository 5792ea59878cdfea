"""The spool as the recorder sees it: records go in and come out again, on a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from orchestrator.core.events import Record
from orchestrator.telemetry.ports import LineSpool
from orchestrator.telemetry.record_lines import from_line, to_line

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next part of the queue. lines: as they are on the disk; broken: those of them that hold no record."""

    lines: tuple[str, ...]
    records: tuple[Record, ...]
    broken: tuple[str, ...]


class DiskQueue:
    """A queue of records on disk. Its methods raise OSError when the disk refuses, and nothing has changed then."""

    def __init__(self, spool: LineSpool) -> None:
        self._spool = spool
        # A single thread, so that operations never overlap, not even with one whose waiter was cancelled.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")

    @property
    def length(self) -> int:
        """Records in the queue."""
        return self._spool.waiting

    async def open(self) -> int:
        """Open the spool; the bytes of an unfinished line that were dropped. Raises ConfigError."""
        return await self._run(self._spool.open)

    async def append(self, records: Sequence[Record]) -> None:
        """Make *records* survive a crash of the machine."""
        await self._run(self._spool.append, [to_line(record) for record in records])

    async def peek(self, limit: int) -> Waiting:
        """The first records that wait, at most *limit*; they stay until they are taken."""
        lines = await self._run(self._spool.peek, limit)
        records, broken = [], []
        for line in lines:
            try:
                records.append(from_line(line))
            except ValueError:
                broken.append(line)
        return Waiting(tuple(lines), tuple(records), tuple(broken))

    async def take(self, waiting: Waiting) -> None:
        """Remove what was peeked at."""
        await self._run(self._spool.take, waiting.lines)

    async def reject(self, lines: Sequence[str]) -> None:
        """Put *lines*, which nothing will ever store, aside for a person to look at."""
        await self._run(self._spool.reject, lines)

    async def close(self) -> None:
        """Close the spool, with what it holds."""
        await self._run(self._spool.close)
        self._thread.shutdown()

    async def _run(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))
