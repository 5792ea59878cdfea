"""The recorder over a real database that is killed and frozen, and in a process that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from orchestrator.core.events import Happened, Record
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate
from orchestrator.telemetry.recorder import DatabaseRecorder, RecorderLimits
from orchestrator.telemetry.spool import Spool
from tests.fakes.records import small_call, started

EAGER = RecorderLimits(batch=20, linger=0.001, retry=0.02, longest_retry=0.1)


@pytest.fixture
async def mortal(data_folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server of the test's own."""
    async with EmbeddedPostgres(data_folder) as server:
        yield server


@pytest.fixture
async def mortal_database(mortal: EmbeddedPostgres) -> AsyncIterator[Database]:
    async with Database(mortal.dsn) as database:
        await migrate(database)
        yield database


def a_long_call(call_id: UUID, events: int) -> list[Record]:
    return [started(call_id), *(Happened(call_id, seq, "state", seq / 50, {"n": seq}) for seq in range(events))]


async def kept_events(database: Database, call_id: UUID) -> list[int]:
    history = await CallsRepository(database).history(call_id)
    assert history is not None
    return [event.seq for event in history.events]


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    """Stop the server and its backends without ending them: connections stay open and nobody answers."""
    assert server.pid is not None
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    pids = [server.pid, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_nothing_is_lost_when_postgresql_is_killed_in_the_middle_of_writing(
    mortal: EmbeddedPostgres, mortal_database: Database, spool_folder: Path
) -> None:
    call_id = uuid4()
    records = a_long_call(call_id, events=600)
    async with DatabaseRecorder(CallsRepository(mortal_database), Spool(spool_folder), EAGER) as recorder:
        for position, record in enumerate(records):
            recorder.record(record)
            if position in (150, 400):
                assert mortal.pid is not None
                os.kill(mortal.pid, signal.SIGKILL)
            if position % 10 == 0:
                await asyncio.sleep(0)
        await recorder.drain()

        assert recorder.dropped == recorder.rejected == 0
    assert await kept_events(mortal_database, call_id) == list(range(600))


async def test_a_frozen_server_sends_records_to_the_disk_within_the_deadline_of_a_write(
    mortal: EmbeddedPostgres, mortal_database: Database, spool_folder: Path
) -> None:
    limits = RecorderLimits(linger=0.0, write=0.2, replay=0.2, retry=0.1)
    call_id = uuid4()
    async with DatabaseRecorder(CallsRepository(mortal_database), Spool(spool_folder), limits) as recorder:
        recorder.record(started(call_id))
        await recorder.drain()
        with frozen(mortal):
            recorder.record(Happened(call_id, 0, "state", 1.0))
            async with asyncio.timeout(2.0):
                await recorder.flush()
            assert recorder.away
            assert recorder.backlog == 1
        await recorder.drain()

    assert await kept_events(mortal_database, call_id) == [0]


RECORDING_PROCESS = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.telemetry.recorder import DatabaseRecorder
from orchestrator.telemetry.spool import Spool
from tests.fakes.records import small_call

async def main(dsn, folder, call_id):
    async with Database(dsn) as database, DatabaseRecorder(CallsRepository(database), Spool(Path(folder))) as recorder:
        for record in small_call(UUID(call_id)):
            recorder.record(record)
        await recorder.flush()
        print("safe", flush=True)
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def until_safe_then_killed(*arguments: str) -> list[str]:
    """What a process that records a call logs until the call is safe; it is killed at that moment."""
    command = [sys.executable, "-c", RECORDING_PROCESS, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            return list(iter(process.stdout.readline, "safe\n"))
        finally:
            process.kill()


async def test_nothing_is_lost_when_the_process_is_killed_while_the_database_is_away(
    calls: CallsRepository, spool_folder: Path, tmp_path: Path
) -> None:
    call_id = uuid4()
    nowhere = f"postgresql://offhook@/offhook?host={tmp_path}"
    logged = await asyncio.to_thread(until_safe_then_killed, nowhere, str(spool_folder), str(call_id))
    assert any("database_away" in line for line in logged)

    async with DatabaseRecorder(calls, Spool(spool_folder)) as recorder:
        await recorder.drain()

    history = await calls.history(call_id)
    assert history is not None
    assert (len(history.events), len(history.transcript), len(history.turns)) == (3, 3, 1)
    assert history.call.duration == 7.0


async def test_a_call_whose_start_is_unknown_is_put_aside_and_the_others_are_kept(
    calls: CallsRepository, spool_folder: Path
) -> None:
    known, unknown = small_call(), small_call()[1:]
    async with DatabaseRecorder(calls, Spool(spool_folder)) as recorder:
        for pair in zip(known, unknown, strict=False):
            for record in pair:
                recorder.record(record)
        recorder.record(known[-1])
        await recorder.drain()

        assert recorder.rejected == len(unknown)
    history = await calls.history(known[0].call_id)
    assert history is not None
    assert history.call.duration == 7.0
    assert len((spool_folder / "rejected.jsonl").read_text().splitlines()) == len(unknown)


async def test_a_database_without_the_schema_makes_records_wait(empty_dsn: str, spool_folder: Path) -> None:
    call_id = uuid4()
    async with Database(empty_dsn) as database:
        async with DatabaseRecorder(CallsRepository(database), Spool(spool_folder), EAGER) as recorder:
            for record in small_call(call_id):
                recorder.record(record)
            await recorder.flush()
            assert recorder.backlog == len(small_call())

            await migrate(database)
            await recorder.drain()

            assert recorder.rejected == 0
        assert await kept_events(database, call_id) == [0, 1, 2]
