"""The server of our own: started, killed, left behind, refused."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from orchestrator.core.errors import ConfigError, RecordRefused, StoreUnavailable
from orchestrator.core.events import Spoken
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database, PoolLimits
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate

OWNER = """
import asyncio, sys
from pathlib import Path
from orchestrator.store.embedded import EmbeddedPostgres

async def main(folder):
    async with EmbeddedPostgres(Path(folder)) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


def is_running(pid: int) -> bool:
    """Whether the process works; one that has ended may still have its number until its parent asks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def fetch(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def restarted(server: EmbeddedPostgres, count: int) -> None:
    while server.restarts < count:  # noqa: ASYNC110 - the supervisor signals nobody
        await asyncio.sleep(0.01)


def started_by_another(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that owns a server on *folder*, and the server's pid."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    for line in owner.stdout:
        if line.strip().isdigit():
            return owner, int(line)
    raise AssertionError("the owner gave up")


async def test_data_outlives_the_server(empty_folder: Path) -> None:
    async with EmbeddedPostgres(empty_folder) as server:
        await fetch(server, "CREATE TABLE kept AS SELECT 42 AS n")
        first = server.pid
    assert first is not None
    assert not is_running(first)

    async with EmbeddedPostgres(empty_folder) as server:
        assert await fetch(server, "SELECT n FROM kept") == 42
        assert server.pid != first


async def test_nobody_can_reach_it_over_the_network(data_folder: Path) -> None:
    async with EmbeddedPostgres(data_folder) as server:
        assert await fetch(server, "SHOW listen_addresses") == ""
        assert (data_folder / "postgres").stat().st_mode & 0o077 == 0


async def test_a_killed_server_comes_back_with_its_data(data_folder: Path) -> None:
    async with EmbeddedPostgres(data_folder) as server:
        await fetch(server, "CREATE TABLE remembered AS SELECT 42 AS n")
        for count in (1, 2):
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            await restarted(server, count)

            assert await fetch(server, "SELECT n FROM remembered") == 42


async def test_a_server_whose_owner_was_killed_is_replaced(data_folder: Path) -> None:
    owner, leftover = await asyncio.to_thread(started_by_another, data_folder)
    owner.kill()
    owner.wait()
    assert is_running(leftover)

    async with EmbeddedPostgres(data_folder) as server:
        assert server.pid != leftover
        assert not is_running(leftover)
        assert await fetch(server, "SELECT 1") == 1


async def test_a_folder_belongs_to_one_owner_at_a_time(data_folder: Path) -> None:
    async with EmbeddedPostgres(data_folder) as server:
        with pytest.raises(ConfigError, match=f"process {os.getpid()} already runs the database"):
            async with EmbeddedPostgres(data_folder):
                pass

        assert await fetch(server, "SELECT 1") == 1


@pytest.mark.parametrize(
    "content",
    [f"{os.getpid()}\n/elsewhere\n", "", "garbage", "4194304\n/elsewhere\n1\n5432\n\n\n"],
    ids=["of an unrelated process", "empty", "garbage", "of nobody"],
)
async def test_a_stale_postmaster_pid_does_not_keep_it_from_starting(data_folder: Path, content: str) -> None:
    (data_folder / "postgres" / "postmaster.pid").write_text(content)

    async with EmbeddedPostgres(data_folder) as server:
        assert await fetch(server, "SELECT 1") == 1


async def test_data_of_another_release_is_refused_untouched(data_folder: Path) -> None:
    version = data_folder / "postgres" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    try:
        with pytest.raises(ConfigError, match=rf"was made by PostgreSQL 15, this is {ours.strip()}"):
            async with EmbeddedPostgres(data_folder):
                pass
        assert version.read_text() == "15\n"
    finally:
        version.write_text(ours)


async def test_what_postgresql_complains_of_is_told(data_folder: Path) -> None:
    with pytest.raises(ConfigError, match='invalid value for parameter "shared_buffers": "plenty"'):
        async with EmbeddedPostgres(data_folder, {"shared_buffers": "plenty"}):
            pass


async def test_a_folder_that_is_no_cluster_is_refused(empty_folder: Path) -> None:
    (empty_folder / "postgres").mkdir()
    (empty_folder / "postgres" / "thesis.txt").write_text("unsaved")

    with pytest.raises(ConfigError, match="no PostgreSQL cluster"):
        async with EmbeddedPostgres(empty_folder):
            pass


async def test_a_folder_that_cannot_be_made_is_refused(empty_folder: Path) -> None:
    (empty_folder / "file").touch()

    with pytest.raises(ConfigError, match="cannot be used"):
        async with EmbeddedPostgres(empty_folder / "file" / "data"):
            pass


async def test_a_cluster_whose_making_was_cut_short_is_made_again(empty_folder: Path) -> None:
    (empty_folder / "postgres.unfinished").mkdir()
    (empty_folder / "postgres.unfinished" / "PG_VERSION").write_text("18\n")

    async with EmbeddedPostgres(empty_folder) as server:
        assert await fetch(server, "SELECT 1") == 1


async def test_a_path_too_long_for_a_socket_is_served_from_elsewhere(empty_folder: Path) -> None:
    folder = empty_folder / ("deep " * 10) / ("folder" * 10)
    async with EmbeddedPostgres(folder) as server:
        assert await fetch(server, "SELECT 1") == 1


async def test_ctrl_c_at_the_terminal_does_not_stop_it(data_folder: Path) -> None:
    async with EmbeddedPostgres(data_folder) as server:
        assert server.pid is not None
        assert os.getpgid(server.pid) != os.getpgid(0)
        assert os.getsid(server.pid) != os.getsid(0)


async def test_a_server_that_goes_away_is_a_store_that_is_unavailable(data_folder: Path) -> None:
    async with EmbeddedPostgres(data_folder) as server, Database(server.dsn, PoolLimits(connect=1.0)) as database:
        assert await database.answers()
        with pytest.raises(StoreUnavailable):
            async with database.connection() as connection:
                await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        assert await database.answers()
        dsn = server.dsn

    async with Database(dsn) as database:
        assert not await database.answers()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            async with database.connection():
                pass


async def test_a_wrong_database_url_is_a_mistake_in_the_configuration(data_folder: Path) -> None:
    async with (
        EmbeddedPostgres(data_folder) as server,
        Database(server.dsn.replace("@/offhook", "@/missing")) as database,
    ):
        with pytest.raises(ConfigError, match="missing"):
            async with database.connection():
                pass


async def test_its_log_tells_errors_and_quotes_nothing_of_what_was_refused(empty_folder: Path) -> None:
    async with EmbeddedPostgres(empty_folder) as server, Database(server.dsn) as database:
        await migrate(database)
        with pytest.raises(RecordRefused):
            await CallsRepository(database).write([Spoken(uuid4(), 1, "caller", "zanzibar", 0.0, 1.0)])
    log = (empty_folder / "postgres.log").read_text()
    assert "violates not-null constraint" in log
    assert "zanzibar" not in log
