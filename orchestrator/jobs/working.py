"""`offhook worker`: a worker and what it works with, put together from the settings."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta

import structlog

from inference.reach import ReachedEngines
from inference.registry import Registry
from inference.transcribing import RecordingRecognizer
from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.jobs.registry import Means, kinds
from orchestrator.jobs.worker import Worker
from orchestrator.settings import Settings
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database, PoolLimits
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.job_runs import JobRuns

# Behind calls in everything: whoever is on the phone must not notice that work is being done.
_NICENESS = 10
_CONNECTIONS = 6
# Seconds between two looks for calls that nobody ended.
_LOOK = 300.0

log = structlog.get_logger(__name__)


async def work(settings: Settings) -> None:
    """Work until cancelled, on the database of *settings*, which is there and migrated: `offhook up` does both."""
    os.nice(max(0, _NICENESS - os.nice(0)))
    dsn = address(settings)
    async with Database(dsn, PoolLimits(connections=_CONNECTIONS)) as database:
        registry = Registry(cache=settings.cache)
        profile = registry.profile(settings.profile)
        engines = ReachedEngines(profile, settings.engines)
        recognizer = RecordingRecognizer(profile, registry, settings.transcription)
        worker = Worker(dsn, JobRuns(database), kinds(Means(settings, database, engines, recognizer)))
        log.info("worker_ready", pid=os.getpid())
        ending = asyncio.create_task(_end_abandoned(CallsRepository(database), settings.over_after), name="call ends")
        try:
            await worker.run()
        finally:
            ending.cancel()
            await asyncio.wait([ending])


async def _end_abandoned(calls: CallsRepository, over_after: timedelta) -> None:
    """End the calls that have none though they must be over: whoever had them died, and perhaps never comes back."""
    while True:
        try:
            for call in await calls.end_abandoned(begun_before=datetime.now(UTC) - over_after):
                log.warning("abandoned_call_ended", call=str(call))
        except (StoreUnavailable, ConfigError) as error:
            log.warning("abandoned_calls_not_ended", reason=str(error))
        await asyncio.sleep(_LOOK)


def address(settings: Settings) -> str:
    """Where the database is: the company's own, or the embedded one of a running `offhook up`."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return EmbeddedPostgres(settings.data).dsn


async def until_closed(descriptor: int) -> None:
    """Return when the other end of the pipe *descriptor* is closed: its owner has gone, or wants us to."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def look() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            closed.set()

    loop.add_reader(descriptor, look)
    await closed.wait()
