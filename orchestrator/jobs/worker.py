"""Runs jobs: takes what the queue gives, says what came of it, and leaves nothing that it began to chance."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from orchestrator.core.errors import EngineError, EngineOverloaded, EngineTimeout, EngineUnavailable, StoreUnavailable
from orchestrator.jobs.kinds import JobFailed, JobKind, Lane
from orchestrator.jobs.shares import Shares
from orchestrator.store import queue_consumer
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.jobs import Job

log = structlog.get_logger(__name__)

_AT_ONCE = {Lane.ENGINES: 2, Lane.RECORDINGS: 2, Lane.MESSAGES: 16, Lane.QUICK: 8}
# Of those, what one account may have.
_OF_ONE_ACCOUNT = {Lane.MESSAGES: 8}
_NOW = timedelta(0)

_CODES: dict[type[EngineError], str] = {
    EngineUnavailable: "engine_unavailable",
    EngineTimeout: "engine_timeout",
    EngineOverloaded: "engine_overloaded",
}


@dataclass(frozen=True, slots=True)
class WorkerTerms:
    """Seconds, but for losses: workers that a job may lose before it is given up.

    polite: how long a job that asks engines waits for calls to end; ask: between two looks whether they have; tidy:
    between two looks at what the queue has lost; keep: after which jobs that are over are forgotten; restart: before
    the queue is read again after the database went away.
    """

    losses: int = 3
    polite: float = 300.0
    ask: float = 5.0
    tidy: float = 60.0
    keep: float = 30 * 86400.0
    restart: float = 2.0
    queue: queue_consumer.Terms = field(default_factory=queue_consumer.Terms)


class Worker:
    """One process' share of the work. run() is called once."""

    def __init__(self, dsn: str, runs: JobRuns, kinds: Sequence[JobKind], terms: WorkerTerms | None = None) -> None:
        self._dsn = dsn
        self._runs = runs
        self._kinds = {kind.name: kind for kind in kinds}
        self._terms = terms or WorkerTerms()
        self._alone = {lane: asyncio.Semaphore(1) for lane in (Lane.ENGINES, Lane.RECORDINGS)}
        self._shares = {lane: Shares(most, time.monotonic) for lane, most in _OF_ONE_ACCOUNT.items()}
        self._tries: set[asyncio.Task[object]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled. What is under way then is given back, and is taken by the next worker."""
        reading = asyncio.create_task(self._read(), name="job queue")
        tidying = asyncio.create_task(self._tidy(), name="job tidying")
        try:
            await asyncio.wait((reading, tidying), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping.set()
            for task in (*self._tries, reading, tidying):
                task.cancel()
            await asyncio.wait((reading, tidying))
        for task in (reading, tidying):
            if not task.cancelled():
                task.result()

    async def _read(self) -> None:
        by_lane = {lane: tuple(kind.name for kind in self._kinds.values() if kind.lane is lane) for lane in Lane}
        lanes = [queue_consumer.Lane(kinds, _AT_ONCE[lane]) for lane, kinds in by_lane.items() if kinds]
        times = {kind.name: kind.cron for kind in self._kinds.values() if kind.cron is not None}
        schedules = queue_consumer.Schedules(times, self._runs.enqueue_for_all)
        while True:
            try:
                await queue_consumer.consume(self._dsn, lanes, self.deliver, schedules, self._terms.queue)
            except StoreUnavailable as error:
                log.warning("queue_unavailable", reason=str(error))
            await asyncio.sleep(self._terms.restart)

    async def _tidy(self) -> None:
        while True:
            with suppress(StoreUnavailable):
                if found := await self._runs.tidy(timedelta(seconds=self._terms.keep)):
                    log.warning("jobs_queued_again", jobs=found)
            await asyncio.sleep(self._terms.tidy)

    async def deliver(self, kind: str, job_id: UUID) -> timedelta | None:
        """Try the job with that id; after how long it wants to be tried again, None when it is dealt with."""
        if self._stopping.is_set():
            return _NOW
        task = asyncio.current_task()
        assert task is not None
        job = await self._runs.claim(job_id, self._terms.losses)
        if job is not None:
            self._tries.add(task)
            try:
                await self._in_turn(self._kinds[kind], job)
            except asyncio.CancelledError:
                self._tries.discard(task)
                await self._runs.give_back(job, _NOW)
                if not self._stopping.is_set():
                    raise
                # The queue would forget a job whose task is cancelled; one that wants to be tried again, it keeps.
                task.uncancel()
            finally:
                self._tries.discard(task)
        # Asked in any case: somebody may have asked for a job again whose outcome was not wanted any more.
        return await self._runs.wait(job_id)

    async def _in_turn(self, kind: JobKind, job: Job) -> None:
        """Try *job*, or give it back because its account has as many under way as it may."""
        if (shares := self._shares.get(kind.lane)) is None:
            await self._try(kind, job)
        elif (wait := shares.take(job.account_id)) is not None:
            await self._runs.give_back(job, timedelta(seconds=wait))
        else:
            try:
                await self._try(kind, job)
            finally:
                shares.leave(job.account_id)

    async def _try(self, kind: JobKind, job: Job) -> None:
        told = log.bind(job=str(job.id), kind=job.kind, attempt=job.attempts)
        if (alone := self._alone.get(kind.lane)) is not None:
            async with alone:
                if await self._should_wait(job):
                    await self._runs.give_back(job, timedelta(seconds=self._terms.ask))
                    return
                failure = await self._run(kind, job)
        else:
            failure = await self._run(kind, job)
        if failure is None:
            told.info("job_done")
        elif failure.again and job.attempts < kind.retries.attempts:
            delay = kind.retries.wait(job.attempts) if failure.after is None else failure.after
            told.warning("job_postponed", code=failure.code, seconds=round(delay.total_seconds(), 1))
            await self._runs.postpone(job, failure.code, delay)
        else:
            told.error("job_failed", code=failure.code)
            await self._runs.fail(job, failure.code)

    async def _run(self, kind: JobKind, job: Job) -> JobFailed | None:
        """None when the job is done, and said to be; else why it is not."""
        try:
            async with asyncio.timeout(kind.limit):
                done = await kind.run(job)
            if not await self._runs.succeed(job, done.effect, done.result):
                log.info("job_outcome_dropped", job=str(job.id))
        except JobFailed as failure:
            return failure
        except EngineError as error:
            return JobFailed(_CODES.get(type(error), "engine_failed"))
        except StoreUnavailable:
            return JobFailed("store_unavailable")
        except TimeoutError:
            return JobFailed("too_slow")
        except Exception:
            # Whatever a kind has not thought of must not end the worker, nor be kept in its own words.
            log.exception("job_broke", job=str(job.id), kind=job.kind)
            return JobFailed("unexpected")
        return None

    async def _should_wait(self, job: Job) -> bool:
        waited = datetime.now(UTC) - job.created_at
        return waited < timedelta(seconds=self._terms.polite) and await self._runs.calls_in_progress()
