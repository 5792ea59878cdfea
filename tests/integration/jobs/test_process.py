"""`offhook worker` as `offhook up` runs it, and alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from orchestrator.jobs.process import Patience, WorkerProcess
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.jobs import ROLLUP, JobState, enqueue
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.test_after_calls import ended
from tests.integration.telephony.patience import until


def environment(jobs: Jobs, folder: Path) -> dict[str, str]:
    return {"OFFHOOK_DATABASE_URL": jobs.dsn, "OFFHOOK_DATA": str(folder)}


async def queued(jobs: Jobs, day: str) -> None:
    async with jobs.database.tenant(DEFAULT_ACCOUNT) as connection:
        await enqueue(connection, DEFAULT_ACCOUNT, ROLLUP, {"day": day}, day)


async def test_a_supervised_worker_works_behind_calls_and_is_started_again_when_it_dies(
    jobs: Jobs, tmp_path: Path
) -> None:
    worker = WorkerProcess(environment(jobs, tmp_path))
    await queued(jobs, "2026-11-23")
    async with worker.running():
        await until(lambda: _done(jobs, 1), within=30.0)
        first = worker.pid
        assert first is not None
        assert os.getpriority(os.PRIO_PROCESS, first) >= 10
        os.kill(first, signal.SIGKILL)
        await queued(jobs, "2026-11-24")
        await until(lambda: _done(jobs, 2), within=30.0)
        assert worker.restarts == 1
        last = worker.pid
        assert last is not None
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


async def test_a_worker_forgets_sessions_that_ended_long_ago(jobs: Jobs, tmp_path: Path) -> None:
    async with jobs.database.connection() as connection:
        user = await connection.fetchval("INSERT INTO users (email, name) VALUES ('a@example.org', 'A') RETURNING id")
        await connection.execute(
            "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'client')", DEFAULT_ACCOUNT, user
        )
        await connection.execute(
            """
            INSERT INTO sessions (account_id, user_id, ended_at, end_reason)
            VALUES ($1, $2, now() - interval '4 days', 'signed_out')
            """,
            DEFAULT_ACCOUNT,
            user,
        )

        async def forgotten() -> bool:
            return bool(await connection.fetchval("SELECT count(*) FROM sessions") == 0)

        async with WorkerProcess(environment(jobs, tmp_path)).running():
            await until(forgotten, within=30.0)


async def test_a_worker_that_cannot_be_started_again_is_tried_until_it_can(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = WorkerProcess(environment(jobs, tmp_path), Patience(restart=0.05, longest=0.05))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    async with worker.running():
        await until(lambda: _restarted(worker, 3), within=30.0)
        monkeypatch.undo()
        await queued(jobs, "2026-11-23")
        await until(lambda: _done(jobs, 1), within=30.0)


async def test_a_worker_alone_works_until_it_is_told_to_stop_whatever_its_input_is(jobs: Jobs, tmp_path: Path) -> None:
    await queued(jobs, "2026-11-23")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orchestrator", "worker"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=PIPE,
        env={**os.environ, **environment(jobs, tmp_path)},
    )
    try:
        await until(lambda: _done(jobs, 1), within=30.0)
        process.terminate()
        assert process.stderr is not None
        told = await process.stderr.read()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"worker_stopped" in told


async def test_a_worker_ends_though_it_waits_for_a_cluster_that_says_nothing(jobs: Jobs, tmp_path: Path) -> None:
    await ended(jobs, ["It hurts."])
    ray = {"RAY_ADDRESS": "127.0.0.1:9", "OFFHOOK_PROFILE": "cpu-cluster"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orchestrator", "worker", "--owned"),
        stdin=PIPE,
        stderr=PIPE,
        env={**os.environ, **environment(jobs, tmp_path), **ray},
    )
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60.0):
            while b"Connecting to existing Ray cluster" not in await process.stderr.readline():
                pass
        process.stdin.close()
        async with asyncio.timeout(10.0):
            assert b"worker_stopped" in await process.stderr.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_day_that_is_no_day_is_not_tried_again(jobs: Jobs, tmp_path: Path) -> None:
    await queued(jobs, "yesterday")
    async with WorkerProcess(environment(jobs, tmp_path)).running():
        await until(lambda: _failed(jobs), within=30.0)
    job = await jobs.the()
    assert (job.error, job.attempts) == ("bad_payload", 1)


async def _restarted(worker: WorkerProcess, times: int) -> bool:
    return worker.restarts >= times


async def _done(jobs: Jobs, number: int) -> bool:
    return sum(job.state is JobState.SUCCEEDED for job in await jobs.all()) == number


async def _failed(jobs: Jobs) -> bool:
    return (await jobs.the()).state is JobState.FAILED
