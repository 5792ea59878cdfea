"""Workers that are killed outright: no job is lost, and none takes effect twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from orchestrator.core.errors import StoreUnavailable
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.jobs import JobState, enqueue
from orchestrator.store.jobs_repository import JobsRepository
from orchestrator.store.migrate import migrate
from tests.integration.jobs.conftest import Jobs
from tests.integration.telephony.patience import until


@asynccontextmanager
async def worker(dsn: str) -> AsyncIterator[Process]:
    """A process of tests.integration.jobs.drill that is at work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.jobs.drill", dsn, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_job_whose_worker_is_killed_takes_effect_once_in_the_next_worker(jobs: Jobs) -> None:
    async with jobs.database.transaction() as connection:
        await enqueue(connection, DEFAULT_ACCOUNT, "stick", {})
    async with worker(jobs.dsn) as first:
        assert first.stdout is not None
        assert await first.stdout.readline() == b"begun\n"
        assert (await jobs.the()).state is JobState.RUNNING
        first.kill()
        await first.wait()
    async with worker(jobs.dsn):
        await until(lambda: _over(jobs), within=30.0)
    job = await jobs.the()
    assert (job.state, job.attempts, job.lost, job.run) == (JobState.SUCCEEDED, 1, 1, 2)
    assert await jobs.effects() == {job.id: 1}


async def test_of_hundreds_of_jobs_whose_workers_are_killed_none_is_lost_or_takes_effect_twice(jobs: Jobs) -> None:
    chance = random.Random(7)
    async with jobs.database.transaction() as connection:
        for _ in range(300):
            await enqueue(connection, DEFAULT_ACCOUNT, "count", {})
    done = 0
    for _ in range(5):
        async with worker(jobs.dsn) as doomed:
            # Killed once it has done some more, at no particular moment of the next one.
            done += chance.randrange(5, 40)
            await until(partial(_at_least, jobs, done), within=30.0)
            doomed.kill()
            await doomed.wait()
        done = len(await jobs.effects())
    assert done < 300, "the workers were killed too late to show anything"
    async with worker(jobs.dsn):
        await until(lambda: _over(jobs), within=60.0)
    kept = await jobs.all()
    assert {job.state for job in kept} == {JobState.SUCCEEDED}
    assert await jobs.effects() == {job.id: 1 for job in kept}
    assert any(job.lost for job in kept), "no worker was killed in the middle of a job"


async def test_of_hundreds_of_jobs_whose_database_is_killed_none_is_lost_or_takes_effect_twice(
    data_folder: Path,
) -> None:
    chance = random.Random(8)
    async with EmbeddedPostgres(data_folder) as server, Database(server.dsn) as database:
        await migrate(database)
        jobs = Jobs(server.dsn, database, JobRuns(database), JobsRepository(database))
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE effects (job uuid)")
            for _ in range(300):
                await enqueue(connection, DEFAULT_ACCOUNT, "count", {})
        done = restarts = 0
        async with worker(jobs.dsn) as process:
            for _ in range(3):
                done += chance.randrange(5, 40)
                await until(partial(_at_least, jobs, done), within=30.0)
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
                await until(partial(_again, server, restarts), within=30.0)
                restarts = server.restarts
                done = await _counted(jobs)
            assert done < 300, "the database was killed too late to show anything"
            await until(lambda: _over(jobs), within=60.0)
            assert process.returncode is None, "the worker went with the database"
        kept = await jobs.all()
        assert await jobs.effects() == {job.id: 1 for job in kept}
        assert {job.state for job in kept} == {JobState.SUCCEEDED}


async def _over(jobs: Jobs) -> bool:
    with suppress(StoreUnavailable):
        return all(job.finished_at is not None for job in await jobs.all())
    return False


def _again(server: EmbeddedPostgres, restarts: int) -> bool:
    return server.restarts > restarts


async def _counted(jobs: Jobs) -> int:
    """How many jobs took effect, as soon as the database says so."""
    done: list[int] = []

    async def look() -> bool:
        with suppress(StoreUnavailable):
            done.append(len(await jobs.effects()))
        return bool(done)

    await until(look, within=30.0)
    return done[0]


async def _at_least(jobs: Jobs, done: int) -> bool:
    with suppress(StoreUnavailable):
        return len(await jobs.effects()) >= done
    return False
