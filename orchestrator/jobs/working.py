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
from orchestrator.store.sessions_repository import SessionsRepository

# Behind calls in everything: whoever is on the phone must not notice that work is being done.
_NICENESS = 10
_CONNECTIONS = 6
# Seconds between two looks for what nobody ended.
_LOOK = 300.0
# A replay of their tokens is told from an unknown one for as long.
_SESSIONS_KEPT = timedelta(days=1)

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
        tidying = asyncio.create_task(_tidy(database, settings.over_after), name="tidying")
        try:
            await worker.run()
        finally:
            tidying.cancel()
            await asyncio.wait([tidying])


async def _tidy(database: Database, over_after: timedelta) -> None:
    """End the calls that have none though they must be over, for whoever had them died, and perhaps never comes back;
    forget sessions that nobody can go on with.
    """
    calls, sessions = CallsRepository(database), SessionsRepository(database)
    while True:
        now = datetime.now(UTC)
        try:
            for call in await calls.end_abandoned(begun_before=now - over_after):
                log.warning("abandoned_call_ended", call=str(call))
            await sessions.purge(now - _SESSIONS_KEPT)
        except (StoreUnavailable, ConfigError) as error:
            log.warning("tidying_failed", reason=str(error))
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
