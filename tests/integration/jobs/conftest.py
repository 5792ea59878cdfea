"""Jobs on a real PostgreSQL, in a table of whose rows each job that takes effect adds one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.jobs import Job
from orchestrator.store.jobs_repository import JobFilter, JobsRepository


@dataclass
class Jobs:
    """What a test looks at."""

    dsn: str
    database: Database
    runs: JobRuns
    listed: JobsRepository

    async def all(self) -> list[Job]:
        """The first account's, the latest first."""
        return await self.listed.page(DEFAULT_ACCOUNT, JobFilter(), None, 10_000)

    async def the(self) -> Job:
        """The only one."""
        [job] = await self.all()
        return job

    async def effects(self) -> dict[UUID, int]:
        """How often each job took effect."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT job, count(*) AS n FROM effects GROUP BY job")
        return {row["job"]: row["n"] for row in rows}

    async def unread(self) -> int:
        """Ids in the queue."""
        async with self.database.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM pgqueuer"))


@pytest.fixture
async def jobs(database: Database, dsn: str) -> Jobs:
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE effects (job uuid)")
    return Jobs(dsn, database, JobRuns(database), JobsRepository(database))
