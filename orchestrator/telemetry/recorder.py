"""Keeps what happens in calls without ever making a call wait for it.

record() puts a record into a queue in memory; one writer task carries it on:

    memory ──► database                          while the database answers and the spool is empty
    memory ──► spool (fsync) ──► database        from the first failure until the spool has been replayed

so records reach the database in the order in which they happened, each at least once; storing one twice must change
nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from orchestrator.core.errors import RecordRefused, StoreUnavailable
from orchestrator.core.events import Record
from orchestrator.telemetry.disk_queue import DiskQueue
from orchestrator.telemetry.impatience import ImpatientStore
from orchestrator.telemetry.ports import LineSpool, RecordStore
from orchestrator.telemetry.record_lines import snapshot, to_line

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecorderLimits:
    """How the recorder paces itself: seconds, and numbers of records.

    linger: wait for more before a write, so that the records of one moment share a transaction.
    write, replay: deadlines of a write straight from memory, which only the process protects, and from the spool.
    retry, longest_retry: between tries while the database is away, doubling from one to the other.
    memory: records kept there at most when neither the database nor the disk takes them.
    close: for storing what is left at the end, before it goes to the spool.
    """

    batch: int = 500
    linger: float = 0.05
    write: float = 1.0
    replay: float = 10.0
    retry: float = 0.25
    longest_retry: float = 5.0
    memory: int = 20_000
    close: float = 5.0


class DatabaseRecorder:
    """A Recorder over a database that may be away: `async with DatabaseRecorder(repository, Spool(folder))`.

    Entering raises ConfigError when the spool cannot be used; the database need not be there.
    Leaving stores what is left within a deadline and puts the rest into the spool, which the next start replays.
    away: the database did not answer last time; disk_full: nor did the spool take what it could not;
    dropped: records lost to a full memory; rejected: records that the database refused, now in rejected.jsonl.
    """

    def __init__(self, store: RecordStore, spool: LineSpool, limits: RecorderLimits | None = None) -> None:
        self._store = ImpatientStore(store)
        self._spool = DiskQueue(spool)
        self._limits = limits or RecorderLimits()
        self._memory: deque[Record] = deque()
        self._batch: list[Record] = []  # out of the queue in memory, neither stored nor spooled yet
        self._more = asyncio.Event()
        self._closing = asyncio.Event()
        self._safe = asyncio.Event()
        self._stored = asyncio.Event()
        self._retry = self._limits.retry
        self._retry_at = 0.0
        self._writer: asyncio.Task[None] | None = None
        self._closed = False
        self.away = False
        self.disk_full = False
        self.dropped = 0
        self.rejected = 0

    @property
    def backlog(self) -> int:
        """Records that are not in the database yet, in memory or in the spool."""
        return len(self._memory) + len(self._batch) + self._spool.length

    def record(self, record: Record) -> None:
        """Take *record*. Neither waits nor raises. For the event loop's thread.

        When memory is full the oldest record that nobody could take makes room, and is counted in `dropped`.
        """
        try:
            self._memory.append(snapshot(record))
        except Exception:
            log.exception("record_unreadable", kind=type(record).__name__)
            self.dropped += 1
            return
        if len(self._memory) > self._limits.memory or self._closed:
            self._memory.popleft()
            self.dropped += 1
            if self.dropped % 1000 == 1:
                log.error("records_dropped", dropped=self.dropped, closed=self._closed)
        self._safe.clear()
        self._stored.clear()
        self._more.set()

    async def flush(self) -> None:
        """Wait until what was recorded would survive this process: it is in the database or on the disk."""
        await self._safe.wait()

    async def drain(self) -> None:
        """Wait until what was recorded, also by earlier processes, is in the database."""
        await self._stored.wait()

    async def __aenter__(self) -> Self:
        cut_bytes = await self._spool.open()
        if cut_bytes:
            log.warning("spool_unfinished_line_dropped", cut_bytes=cut_bytes)
        if self._spool.length:
            log.info("spool_replay_started", records=self._spool.length)
        self._tell_waiters()
        self._writer = asyncio.create_task(self._write(), name="recorder")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._writer is not None
        self._closing.set()
        self._more.set()
        try:
            await asyncio.wait([self._writer], timeout=self._limits.close)
        finally:
            self._writer.cancel()
            await asyncio.wait([self._writer])
            await self._spool_the_rest()
            self._closed = True
            await self._spool.close()
            await self._store.close(self._limits.write)

    async def _write(self) -> None:
        """The writer: one step after another until the recorder closes, then what the database still takes at once."""
        while not self._closing.is_set():
            await self._until_due()
            await self._step_safely()
        while (self._memory or self._batch) and not self.away and not self._spool.length:
            await self._step_safely()

    async def _until_due(self) -> None:
        """Wait for a record, or for the time to try again what could not be stored."""
        if self._batch and self.disk_full:
            await _set_before(self._closing, self._retry_at)
        elif self._memory:
            await _set_before(self._closing, asyncio.get_running_loop().time() + self._limits.linger)
        else:
            self._more.clear()
            unsent = bool(self._batch) or self._spool.length > 0
            if await _set_before(self._more, self._retry_at if unsent else None):
                await _set_before(self._closing, asyncio.get_running_loop().time() + self._limits.linger)

    async def _step_safely(self) -> None:
        try:
            await self._step()
        except Exception:
            # A fault of our own or of the disk: the records are where they were, the calls go on.
            log.exception("recorder_step_failed")
            self._postpone("recorder_step_failed")
        self._tell_waiters()

    async def _step(self) -> None:
        """Move one batch on."""
        if not self._batch:
            self._batch = [self._memory.popleft() for _ in range(min(len(self._memory), self._limits.batch))]
        if self._due() and not self._spool.length and await self._stored_within(self._limits.write, self._batch):
            self._let_go()
            return
        await self._spool_batch()
        if self._due() and self._spool.length:
            await self._replay()

    def _due(self) -> bool:
        return asyncio.get_running_loop().time() >= self._retry_at

    async def _replay(self) -> None:
        """Move one batch from the spool to the database."""
        waiting = await self._spool.peek(self._limits.batch)
        if not await self._stored_within(self._limits.replay, waiting.records):
            return
        if waiting.broken:
            await self._reject(waiting.broken, "not a record")
        await self._spool.take(waiting)
        if not self._spool.length:
            log.info("spool_replayed")

    async def _stored_within(self, deadline: float, records: Sequence[Record]) -> bool:
        """Whether the database has dealt with *records*: kept them, or refused some of them for good."""
        if not records:
            return True
        try:
            try:
                await self._store.write(records, deadline)
            except RecordRefused:
                await self._store_one_by_one(deadline, records)
        except StoreUnavailable as error:
            self._postpone(str(error))
            return False
        except Exception as error:
            # A schema that lacks a column or a fault of the repository: no fault of the records, which can wait.
            if not self.away:
                log.exception("recorder_store_failed")
            self._postpone(type(error).__name__)
            return False
        if self.away:
            log.info("database_back", backlog=self.backlog)
        self.away, self._retry, self._retry_at = False, self._limits.retry, 0.0
        return True

    async def _store_one_by_one(self, deadline: float, records: Sequence[Record]) -> None:
        """Keep a record that the database refuses from holding up the others."""
        for record in records:
            try:
                await self._store.write([record], deadline)
            except RecordRefused as error:
                await self._reject([to_line(record)], str(error))

    def _postpone(self, reason: str) -> None:
        """Leave the database alone for a while, twice as long each time."""
        if not self.away:
            log.warning("database_away", reason=reason)
        self.away = True
        self._retry_at = asyncio.get_running_loop().time() + self._retry
        self._retry = min(self._retry * 2, self._limits.longest_retry)

    async def _spool_batch(self) -> None:
        """Make the batch survive the process; it stays in memory while the disk does not take it."""
        if not self._batch:
            return
        try:
            await self._spool.append(self._batch)
        except OSError as error:
            if not self.disk_full:
                log.error("spool_refused", reason=str(error), in_memory=self.backlog)  # noqa: TRY400 - the disk's fault
            self.disk_full = True
            return
        self._let_go()

    def _let_go(self) -> None:
        """Forget the batch, which is safe now."""
        if self.disk_full:
            log.info("records_safe_again", in_memory=len(self._memory))
        self.disk_full = False
        self._batch = []

    async def _reject(self, lines: Sequence[str], reason: str) -> None:
        self.rejected += len(lines)
        log.error("records_rejected", records=len(lines), reason=reason)
        try:
            await self._spool.reject(lines)
        except OSError as error:
            log.error("rejected_records_lost", records=len(lines), reason=str(error))  # noqa: TRY400 - the disk's fault

    async def _spool_the_rest(self) -> None:
        self._batch.extend(self._memory)
        self._memory.clear()
        await self._spool_batch()
        if self._batch:
            self.dropped += len(self._batch)
            log.error("records_lost", records=len(self._batch))

    def _tell_waiters(self) -> None:
        if self._memory or self._batch:
            return
        self._safe.set()
        if not self._spool.length:
            self._stored.set()


async def _set_before(event: asyncio.Event, deadline: float | None) -> bool:
    """Wait for *event* until *deadline* on the loop's clock; whether it is set."""
    try:
        async with asyncio.timeout_at(deadline):
            await event.wait()
    except TimeoutError:
        return False
    return True
