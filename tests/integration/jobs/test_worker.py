"""One worker in this process, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.events import CallEnded, CallStarted, EndReason
from orchestrator.jobs.backlog import Backlog
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane, Retries
from orchestrator.jobs.worker import Worker, WorkerTerms
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.jobs import AFTER_CALL, ROLLUP, Job, JobState, Work, enqueue, put
from orchestrator.store.jobs_repository import JobFilter
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.drill import TERMS, count
from tests.integration.telephony.patience import until

QUICK = Retries(attempts=3, first=0.05)


@asynccontextmanager
async def working(jobs: Jobs, kinds: Sequence[JobKind], terms: WorkerTerms = TERMS) -> AsyncIterator[None]:
    """A worker runs during the block."""
    running = asyncio.create_task(Worker(jobs.dsn, jobs.runs, kinds, terms).run())
    try:
        yield
        assert not running.done()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def queued(jobs: Jobs, kind: str = "count", delay: timedelta | None = None) -> UUID:
    async with jobs.database.tenant(DEFAULT_ACCOUNT) as connection:
        assert await enqueue(connection, DEFAULT_ACCOUNT, kind, {"n": 1}, delay=delay)
    return (await jobs.all())[0].id


def over(jobs: Jobs, state: JobState) -> object:
    async def look() -> bool:
        return {job.state for job in await jobs.all()} == {state}

    return until(look, within=20.0)


class Failing:
    """Fails with *errors* in turn, and then counts."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.times: list[float] = []

    async def __call__(self, job: Job) -> Done:
        self.times.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop(0)
        return await count(job)


class Gate:
    """Counts when it is opened. begun: of the latest try."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, job: Job) -> Done:
        self.begun.set()
        await self.opened.wait()
        return await count(job)


async def test_a_job_takes_effect_and_leaves_nothing_in_the_queue(jobs: Jobs) -> None:
    job = await queued(jobs)
    async with working(jobs, [JobKind("count", count)]):
        await over(jobs, JobState.SUCCEEDED)
        await until(lambda: _empty(jobs))
    assert await jobs.effects() == {job: 1}


async def test_a_job_is_not_queued_by_a_transaction_that_is_not_kept(jobs: Jobs) -> None:
    with pytest.raises(ZeroDivisionError):
        async with jobs.database.tenant(DEFAULT_ACCOUNT) as connection:
            await enqueue(connection, DEFAULT_ACCOUNT, "count", {})
            raise ZeroDivisionError
    assert await jobs.all() == []
    assert await jobs.unread() == 0


async def test_of_two_waiting_jobs_with_one_key_the_second_is_not_queued(jobs: Jobs) -> None:
    async with jobs.database.tenant(DEFAULT_ACCOUNT) as connection:
        assert await enqueue(connection, DEFAULT_ACCOUNT, "count", {}, "monday")
        assert not await enqueue(connection, DEFAULT_ACCOUNT, "count", {}, "monday")
        assert await enqueue(connection, DEFAULT_ACCOUNT, "count", {}, "tuesday")
        assert await enqueue(connection, DEFAULT_ACCOUNT, "other", {}, "monday")
    assert len(await jobs.all()) == 3


async def test_a_job_that_fails_is_tried_again_later_and_later(jobs: Jobs) -> None:
    await queued(jobs)
    run = Failing(JobFailed("busy"), EngineUnavailable("llm", "is gone"))
    async with working(jobs, [JobKind("count", run, retries=QUICK)]):
        await over(jobs, JobState.SUCCEEDED)
    job = await jobs.the()
    assert (job.attempts, job.error, await jobs.effects()) == (3, None, {job.id: 1})
    first, second, third = run.times
    assert second - first >= 0.75 * 0.05
    assert third - second >= 0.75 * 0.1


async def test_waits_double_up_to_the_longest() -> None:
    retries = Retries(first=10.0, longest=100.0)
    waits = [retries.wait(attempts).total_seconds() for attempts in (1, 2, 3, 50)]
    assert [round(wait / 25) for wait in waits[2:]] == [round(waits[2] / 25), round(waits[3] / 25)]
    for wait, middle in zip(waits, (10.0, 20.0, 40.0, 100.0), strict=True):
        assert 0.75 * middle <= wait <= 1.25 * middle


async def test_a_job_that_fails_for_good_says_why_in_a_code_and_nowhere_in_a_caller_s_words(jobs: Jobs) -> None:
    await queued(jobs)
    run = Failing(*(RuntimeError("my card is 4111 1111 1111 1111") for _ in range(3)))
    async with working(jobs, [JobKind("count", run, retries=QUICK)]):
        await over(jobs, JobState.FAILED)
        await until(lambda: _empty(jobs))
    job = await jobs.the()
    assert (job.error, job.attempts, await jobs.effects()) == ("unexpected", 3, {})
    async with jobs.database.connection() as connection:
        for table in ("jobs", "pgqueuer_log"):
            rows = await connection.fetch(f"SELECT to_jsonb({table}) AS row FROM {table}")
            assert rows
            assert "4111 1111" not in str([row["row"] for row in rows])


async def test_a_job_that_can_never_succeed_is_tried_once(jobs: Jobs) -> None:
    await queued(jobs)
    run = Failing(JobFailed("bad_payload", again=False))
    async with working(jobs, [JobKind("count", run)]):
        await over(jobs, JobState.FAILED)
    assert ((await jobs.the()).error, len(run.times)) == ("bad_payload", 1)


async def test_a_job_that_takes_too_long_is_given_up(jobs: Jobs) -> None:
    await queued(jobs)
    async with working(jobs, [JobKind("count", Gate(), retries=Retries(attempts=1), limit=0.05)]):
        await over(jobs, JobState.FAILED)
    assert (await jobs.the()).error == "too_slow"


async def test_a_worker_that_stops_gives_back_what_it_is_at(jobs: Jobs) -> None:
    job, gate = await queued(jobs), Gate()
    async with working(jobs, [JobKind("count", gate)]):
        await gate.begun.wait()
    given_back = await jobs.the()
    assert (given_back.state, given_back.attempts, given_back.lost) == (JobState.QUEUED, 0, 0)
    # At once, and not after the queue has given up the worker that stopped.
    async with working(jobs, [JobKind("count", count)], replace(TERMS, tidy=3600.0)):
        await over(jobs, JobState.SUCCEEDED)
    assert await jobs.effects() == {job: 1}


async def test_a_job_that_is_cancelled_while_it_runs_has_no_effect(jobs: Jobs) -> None:
    job, gate = await queued(jobs), Gate()
    async with working(jobs, [JobKind("count", gate)]):
        await gate.begun.wait()
        assert await jobs.listed.cancel(DEFAULT_ACCOUNT, job) is not None
        gate.opened.set()
        await until(lambda: _empty(jobs))
    assert ((await jobs.the()).state, await jobs.effects()) == (JobState.CANCELLED, {})


async def test_a_job_that_is_cancelled_while_it_runs_and_asked_for_again_takes_effect_once(jobs: Jobs) -> None:
    job, gate = await queued(jobs), Gate()
    async with working(jobs, [JobKind("count", gate)], replace(TERMS, tidy=3600.0)):
        await gate.begun.wait()
        await jobs.listed.cancel(DEFAULT_ACCOUNT, job)
        await jobs.listed.retry(DEFAULT_ACCOUNT, job)
        gate.opened.set()
        await over(jobs, JobState.SUCCEEDED)
    assert await jobs.effects() == {job: 1}


async def test_an_account_whose_messages_are_slow_holds_up_no_other_s(jobs: Jobs) -> None:
    """However many there are, and though they came first; each takes effect once in the end."""
    other, gate, under_way, most = uuid4(), asyncio.Event(), 0, 0
    async with jobs.database.connection() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)

    async def send(job: Job) -> Done:
        nonlocal under_way, most
        if job.account_id == DEFAULT_ACCOUNT:
            under_way += 1
            most = max(most, under_way)
            await gate.wait()
            under_way -= 1
        return await count(job)

    slow = [await queued(jobs) for _ in range(60)]
    async with working(jobs, [JobKind("count", send, Lane.MESSAGES)]):
        async with jobs.database.tenant(other) as connection:
            assert await enqueue(connection, other, "count", {"n": 1})

        async def sent() -> bool:
            [job] = await jobs.listed.page(other, JobFilter(), None, 10)
            return job.state is JobState.SUCCEEDED

        await until(sent, within=20.0)
        assert {job.state for job in await jobs.all()} == {JobState.QUEUED, JobState.RUNNING}
        gate.set()
        await over(jobs, JobState.SUCCEEDED)
    assert most == 8
    assert {(job.attempts, job.lost) for job in await jobs.all()} == {(1, 0)}
    effects = await jobs.effects()
    assert {effects[job] for job in slow} == {1} and len(effects) == 61


async def test_failures_are_not_taken_for_lost_workers(jobs: Jobs) -> None:
    job = await queued(jobs)
    for _ in range(5):
        claimed = await jobs.runs.claim(job, losses=1)
        assert claimed is not None
        await jobs.runs.postpone(claimed, "busy", timedelta(0))
    assert await jobs.runs.claim(job, losses=1) is not None
    lost = await jobs.runs.claim(job, losses=1)
    assert lost is not None
    assert (lost.attempts, lost.lost) == (6, 1)
    assert await jobs.runs.claim(job, losses=1) is None
    assert ((await jobs.the()).state, (await jobs.the()).error) == (JobState.FAILED, "worker_lost")


async def test_a_worker_that_is_not_notified_any_more_reads_the_queue_anew(jobs: Jobs) -> None:
    with capture_logs() as logs:
        async with working(jobs, [JobKind("count", count)]):
            await queued(jobs)
            await over(jobs, JobState.SUCCEEDED)
            async with jobs.database.connection() as connection:
                listeners = (
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
                )
                [listener] = await connection.fetch(listeners)
            os.kill(listener["pid"], signal.SIGSTOP)
            # Longer than the queue waits for word of itself; the pool closes only with all of its connections.
            asyncio.get_running_loop().call_later(25.0, os.kill, listener["pid"], signal.SIGCONT)

            async def noticed() -> bool:
                return any(line["event"] == "queue_unavailable" for line in logs)

            await until(noticed, within=60.0)
            await queued(jobs)
            await over(jobs, JobState.SUCCEEDED)


async def test_a_job_is_not_taken_before_it_is_due(jobs: Jobs) -> None:
    job = await queued(jobs, delay=timedelta(hours=1))
    assert await jobs.runs.claim(job, losses=1) is None
    wait = await jobs.runs.wait(job)
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


async def test_what_no_queue_holds_is_queued_again_and_what_is_long_over_is_forgotten(jobs: Jobs) -> None:
    await queued(jobs)
    async with jobs.database.connection() as connection:
        await connection.execute("DELETE FROM pgqueuer")
        await connection.execute(
            "INSERT INTO jobs (account_id, kind, state, finished_at) VALUES ($1, '', 'failed', now() - interval '3 d')",
            DEFAULT_ACCOUNT,
        )
    assert await jobs.runs.tidy(timedelta(days=2)) == 1
    assert ((await jobs.the()).kind, await jobs.unread()) == ("count", 1)


async def test_a_kind_with_a_time_is_queued_for_every_account_once(jobs: Jobs) -> None:
    async with jobs.database.connection() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", uuid4())
    for _ in range(2):
        await jobs.runs.enqueue_for_all("nightly")
    async with jobs.database.connection() as connection:
        assert await connection.fetchval("SELECT count(DISTINCT account_id) FROM jobs") == 2
        assert await connection.fetchval("SELECT count(*) FROM jobs") == 2


async def test_engines_are_left_to_callers_while_there_are_any_and_a_job_has_time(jobs: Jobs) -> None:
    call, calls = uuid4(), CallsRepository(jobs.database)
    await calls.write([CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0)])
    await queued(jobs)
    run = Failing()
    kinds = [
        JobKind("count", run, Lane.ENGINES),
        JobKind(ROLLUP, count),
        *(JobKind(kind, count) for kind in AFTER_CALL),
    ]
    async with working(jobs, kinds, replace(TERMS, ask=0.05)):
        await until(lambda: _given_back(jobs), within=20.0)
        assert run.times == []
        await calls.write([CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_012.0, 12.0)])
        await until(lambda: bool(run.times), within=20.0)


async def test_engines_are_asked_during_calls_once_a_job_has_waited_long_enough(jobs: Jobs) -> None:
    started = CallStarted(uuid4(), "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0)
    await CallsRepository(jobs.database).write([started])
    await queued(jobs)
    async with working(jobs, [JobKind("count", count, Lane.ENGINES)], replace(TERMS, polite=0.0)):
        await over(jobs, JobState.SUCCEEDED)


async def test_ending_calls_and_finishing_jobs_of_one_account_do_not_wait_for_each_other_for_ever(jobs: Jobs) -> None:
    calls = CallsRepository(jobs.database)
    ids = [uuid4() for _ in range(30)]
    kinds = [JobKind(ROLLUP, count), *(JobKind(kind, count) for kind in AFTER_CALL)]

    async def one(call: UUID) -> None:
        await calls.write([CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0)])
        await calls.write([CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_012.0, 12.0)])

    async with working(jobs, kinds):
        async with asyncio.timeout(60):
            await asyncio.gather(*map(one, ids))
        await until(lambda: _analysed(jobs, len(ids)), within=60.0)
    effects = await jobs.effects()
    assert set(effects.values()) == {1}
    assert all(job.lost == 0 for job in await jobs.all())


async def test_the_end_of_a_call_queues_its_jobs_once_and_forgets_them_with_the_call(jobs: Jobs) -> None:
    call, calls = uuid4(), CallsRepository(jobs.database)
    end = CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_012.0, 12.0)
    await calls.write([CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0), end])
    await calls.write([end])
    assert sorted(job.kind for job in await jobs.all()) == sorted([*AFTER_CALL, ROLLUP])
    async with jobs.database.connection() as connection:
        await connection.execute("DELETE FROM calls")
    assert [job.kind for job in await jobs.all()] == [ROLLUP]


async def test_cancelling_the_last_job_after_a_call_counts_its_day_anew(jobs: Jobs) -> None:
    call, calls = uuid4(), CallsRepository(jobs.database)
    end = CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_012.0, 12.0)
    await calls.write([CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0), end])
    async with jobs.database.connection() as connection:
        await connection.execute("DELETE FROM jobs WHERE kind = $1", ROLLUP)
    for job in await jobs.all():
        await jobs.listed.cancel(DEFAULT_ACCOUNT, job.id)
    assert [job.kind for job in await jobs.all() if job.state is JobState.QUEUED] == [ROLLUP]


async def test_what_waits_is_counted_by_kind(jobs: Jobs) -> None:
    await queued(jobs)
    await queued(jobs, "other", delay=timedelta(hours=1))
    backlog = Backlog(jobs.runs)
    async with backlog.watched():
        await until(lambda: bool(backlog.due))
    assert backlog.due == {"count": 1}


async def test_a_job_cannot_be_about_a_call_of_another_account(jobs: Jobs) -> None:
    call = uuid4()
    await CallsRepository(jobs.database).write(
        [CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0)]
    )
    other = uuid4()
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with jobs.database.transaction() as connection:
            await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
            await put(connection, Work(other, "count", call=call))


async def test_the_tables_of_the_queue_are_those_that_its_library_makes(jobs: Jobs) -> None:
    pgq = Path(sys.executable).with_name("pgq")
    process = await asyncio.create_subprocess_exec(pgq, "--pg-dsn", jobs.dsn, "--schema", "theirs", "install")
    assert await process.wait() == 0
    async with jobs.database.connection() as connection:
        ours, theirs = [await connection.fetch(_COLUMNS, schema) for schema in ("public", "theirs")]
    assert ours
    assert ours == theirs


_COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = $1 AND table_name LIKE 'pgqueuer%' ORDER BY table_name, column_name
"""


async def _empty(jobs: Jobs) -> bool:
    return await jobs.unread() == 0


async def _given_back(jobs: Jobs) -> bool:
    return any(job.kind == "count" and job.run > 1 for job in await jobs.all())


async def _analysed(jobs: Jobs, calls: int) -> bool:
    done = [job for job in await jobs.all() if job.kind in AFTER_CALL and job.state is JobState.SUCCEEDED]
    return len(done) == calls * len(AFTER_CALL)
