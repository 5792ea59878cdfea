"""Jobs as workers take them and say what came of them. Of several who run one job, the latest alone is heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.store.after_call import take_turn
from orchestrator.store.db import Database
from orchestrator.store.job_ends import job_ended
from orchestrator.store.jobs import Job, JobState, Work, put, to_job

Effect: TypeAlias = Callable[[asyncpg.Connection], Awaitable[None]]
"""What a job changes, written in the transaction that says that it succeeded: both are kept, or neither."""

# A try whose worker died counts as lost, not as an attempt: the job is not to blame until it happens again and again.
_CLAIM = """
    UPDATE jobs SET
        attempts = attempts + CASE state WHEN 'running' THEN 0 ELSE 1 END,
        lost = lost + CASE state WHEN 'running' THEN 1 ELSE 0 END,
        state = 'running', run = run + 1, started_at = now()
    WHERE id = $1
    RETURNING *
"""

_END = """
    UPDATE jobs SET state = $3, error = $4, result = $5, finished_at = now()
    WHERE id = $1 AND run = $2 AND state = 'running'
    RETURNING *
"""

_POSTPONE = """
    UPDATE jobs SET state = 'queued', error = $3, due_at = now() + $4
    WHERE id = $1 AND run = $2 AND state = 'running'
"""

_GIVE_BACK = """
    UPDATE jobs SET state = 'queued', attempts = attempts - 1, due_at = now() + $3
    WHERE id = $1 AND run = $2 AND state = 'running'
"""

_WAIT = "SELECT greatest(due_at - now(), interval '0') FROM jobs WHERE id = $1 AND state = 'queued'"

# Ids that the queue has lost, such as of a job that was asked for again while its cancelled run went on.
_REQUEUE = """
    SELECT queue_job(id, kind, greatest(due_at - now(), interval '0')) FROM jobs
    WHERE state IN ('queued', 'running') AND NOT EXISTS (
        SELECT FROM pgqueuer WHERE dedupe_key = jobs.id::text AND status IN ('queued', 'picked')
    )
"""

# What the queue holds because a worker could not say what came of it; and its diary, which is in our own rows.
_TIDY = """
    WITH held AS (DELETE FROM pgqueuer WHERE status = 'failed'),
        told AS (DELETE FROM pgqueuer_log WHERE created < now() - interval '1 day')
    DELETE FROM jobs WHERE finished_at < now() - $1::interval
"""

_BACKLOG = "SELECT kind, count(*) AS n FROM jobs WHERE state IN ('queued', 'running') AND due_at <= now() GROUP BY kind"


class JobRuns:
    """All accounts' jobs. Everything raises StoreUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, job: UUID, losses: int) -> Job | None:
        """Take a job for one more try; None when it is not due yet, is over, or was cancelled.

        A job that lost its worker *losses* times fails: it takes its workers with it.
        """
        async with self._database.transaction() as connection:
            await take_turn(connection, job)
            row = await connection.fetchrow("SELECT *, due_at > now() AS early FROM jobs WHERE id = $1 FOR UPDATE", job)
            if row is None or row["state"] not in {JobState.QUEUED, JobState.RUNNING}:
                return None
            if row["state"] == JobState.QUEUED and row["early"]:
                return None
            claimed = to_job(await connection.fetchrow(_CLAIM, job))
            if claimed.lost > losses:
                await self._end(connection, claimed, JobState.FAILED, "worker_lost", None)
                return None
            return claimed

    async def succeed(self, job: Job, effect: Effect, result: Mapping[str, object]) -> bool:
        """Write *effect*, and that *job* succeeded. False, and neither is written, when another run took its place."""
        async with self._database.transaction() as connection:
            await take_turn(connection, job.id)
            if not await self._end(connection, job, JobState.SUCCEEDED, None, result):
                return False
            await effect(connection)
            return True

    async def postpone(self, job: Job, error: str, delay: timedelta) -> None:
        """Say that *job* failed, and is to be tried again after *delay*; nothing when another run took its place."""
        async with self._database.connection() as connection:
            await connection.execute(_POSTPONE, job.id, job.run, error, delay)

    async def give_back(self, job: Job, delay: timedelta) -> None:
        """Let *job* be taken again after *delay*, as if it had not been; nothing when another run took its place."""
        async with self._database.connection() as connection:
            await connection.execute(_GIVE_BACK, job.id, job.run, delay)

    async def fail(self, job: Job, error: str) -> bool:
        """Say that *job* is not tried again by itself; False when another run took its place."""
        async with self._database.transaction() as connection:
            await take_turn(connection, job.id)
            return await self._end(connection, job, JobState.FAILED, error, None)

    async def wait(self, job: UUID) -> timedelta | None:
        """How long until *job* is to be tried; None when it is not to be tried, or is being tried."""
        async with self._database.connection() as connection:
            wait: timedelta | None = await connection.fetchval(_WAIT, job)
        return wait

    async def tidy(self, keep: timedelta) -> int:
        """Queue what is to be done and in no queue; how many there were. What is over for longer than *keep* goes."""
        async with self._database.transaction() as connection:
            await connection.execute(_TIDY, keep)
            return len(await connection.fetch(_REQUEUE))

    async def enqueue_for_all(self, kind: str) -> None:
        """One job of *kind* for each account, unless one waits already."""
        async with self._database.transaction() as connection:
            for row in await connection.fetch("SELECT id FROM accounts ORDER BY id"):
                await put(connection, Work(row["id"], kind, key="scheduled"))

    async def backlog(self) -> dict[str, int]:
        """How many jobs of each kind are due and not done."""
        async with self._database.connection() as connection:
            return {row["kind"]: row["n"] for row in await connection.fetch(_BACKLOG)}

    async def calls_in_progress(self) -> bool:
        """Whether anybody is on the phone."""
        async with self._database.connection() as connection:
            return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM calls WHERE ended_at IS NULL)"))

    @staticmethod
    async def _end(
        connection: asyncpg.Connection,
        job: Job,
        state: JobState,
        error: str | None,
        result: Mapping[str, object] | None,
    ) -> bool:
        row = await connection.fetchrow(_END, job.id, job.run, state.value, error, result)
        if row is None:
            return False
        await job_ended(connection, to_job(row))
        return True
