"""The queue as a worker reads it: pgqueuer, which gives out ids of jobs, each at least once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from orchestrator.core.errors import StoreUnavailable
from orchestrator.store.db import one_error

# The names that our migration has given: those of the environment, such as CHANNEL or TRIGGER, are somebody else's.
_NAMES: Final = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)

log = structlog.get_logger(__name__)

Deliver: TypeAlias = Callable[[str, UUID], Awaitable[timedelta | None]]
"""Runs the job of a kind with that id; the time after which it wants to be run again, or None when it is dealt with."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Kinds that share their turns: at most *at_once* of them are in a worker's hands, an even number."""

    kinds: tuple[str, ...]
    at_once: int


@dataclass(frozen=True, slots=True)
class Schedules:
    """times: of each kind, as a cron expression in UTC; queue: called with a kind whose time has come."""

    times: Mapping[str, str]
    queue: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds. heartbeat: without a sign of life for so long, a job is given to another worker; look: between two looks
    at the queue when nothing is heard from it; away: until a job is tried again that met no database."""

    heartbeat: float = 30.0
    look: float = 5.0
    away: float = 5.0


async def consume(
    dsn: str,
    lanes: Sequence[Lane],
    deliver: Deliver,
    schedules: Schedules,
    terms: Terms,
) -> None:
    """Give every id of *lanes* to *deliver*, and every kind of *schedules* when its time has come.

    Runs until cancelled. Raises StoreUnavailable when the database goes away.
    """
    with one_error():
        async with asyncpg.create_pool(dsn, min_size=0, max_size=2 + 2 * len(lanes), timeout=5.0) as pool:
            queries = _queries(pool)
            try:
                async with asyncio.TaskGroup() as group:
                    for lane in lanes:
                        group.create_task(_read(queries, lane, deliver, terms), name=f"lane {lane.kinds}")
                    if schedules.times:
                        group.create_task(_keep_time(queries, schedules), name="schedules")
            except BaseExceptionGroup as failures:
                first, *others = failures.exceptions
                for other in others:
                    log.warning("queue_lost", exc_info=other)
                raise first from None


def _queries(pool: asyncpg.Pool) -> Queries:
    return Queries(
        AsyncpgPoolDriver(pool),
        QueryBuilderEnvironment(_NAMES),
        QueryQueueBuilder(_NAMES),
        QuerySchedulerBuilder(_NAMES),
    )


async def _read(queries: Queries, lane: Lane, deliver: Deliver, terms: Terms) -> None:
    manager = QueueManager(queries, _NAMES.channel)

    async def run(job: Job) -> None:
        assert job.payload is not None
        try:
            again = await deliver(job.entrypoint, UUID(job.payload.decode()))
        except StoreUnavailable:
            again = timedelta(seconds=terms.away)
        # Raised here, where no other error is being handled, whose words would be kept with it.
        if again is not None:
            raise RetryRequested(again, "later")

    for kind in lane.kinds:
        manager.entrypoint(kind, on_failure="hold", accepts_context=False)(run)
    silent = StoreUnavailable("the queue's notifications do not come any more")
    try:
        await manager.run(
            dequeue_timeout=timedelta(seconds=terms.look),
            batch_size=lane.at_once // 2,
            max_concurrent_tasks=lane.at_once,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=timedelta(seconds=terms.heartbeat),
            log_aggregation_interval=timedelta(0),
        )
    except FailingListenerError as error:
        raise silent from error
    raise silent


async def _keep_time(queries: Queries, schedules: Schedules) -> None:
    manager = SchedulerManager(queries)

    async def run(schedule: Schedule) -> None:
        await schedules.queue(schedule.entrypoint)

    for kind, expression in schedules.times.items():
        manager.schedule(kind, expression, accepts_context=False)(run)
    await manager.run()
