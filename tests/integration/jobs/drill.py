"""A worker in a process of its own, to be killed: python -m tests.integration.jobs.drill <dsn>.

Its kind "count" adds a row; "stick" does so too, but its first try tells that it has begun, and never ends.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.jobs.kinds import Done, JobKind
from orchestrator.jobs.worker import Worker, WorkerTerms
from orchestrator.store.db import Database
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.jobs import Job
from orchestrator.store.queue_consumer import Terms

if TYPE_CHECKING:
    import asyncpg

TERMS = WorkerTerms(losses=1000, tidy=0.5, restart=0.1, queue=Terms(heartbeat=1.0, look=0.2, away=0.2))


async def add_row(connection: asyncpg.Connection, job: Job) -> None:
    """The effect of a job, in two steps between which its worker may die."""
    await connection.execute("INSERT INTO effects VALUES ($1)", job.id)
    await connection.execute("SELECT pg_sleep(0.005)")


async def count(job: Job) -> Done:
    return Done(partial(add_row, job=job))


async def stick(job: Job) -> Done:
    if job.run == 1:
        print("begun", flush=True)
        await asyncio.Event().wait()
    return await count(job)


async def _main(dsn: str) -> None:
    async with Database(dsn) as database:
        print("ready", flush=True)
        await Worker(dsn, JobRuns(database), [JobKind("count", count), JobKind("stick", stick)], TERMS).run()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
