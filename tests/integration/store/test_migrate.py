"""The schema's way from nothing to now, on a real database."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import MIGRATIONS, migrate, read_migrations


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations")


async def test_migrating_twice_applies_each_file_once(empty_dsn: str) -> None:
    async with Database(empty_dsn) as database:
        assert await migrate(database) == [migration.name for migration in read_migrations()]
        assert await migrate(database) == []


async def test_processes_that_start_together_migrate_once(empty_dsn: str) -> None:
    async with Database(empty_dsn) as database:
        applied = await asyncio.gather(*(migrate(database) for _ in range(4)))

    assert sorted(applied, key=len)[:3] == [[], [], []]
    assert sum(map(len, applied)) == len(read_migrations())


async def test_an_edited_file_is_refused(empty_dsn: str, folder: Path) -> None:
    async with Database(empty_dsn) as database:
        await migrate(database, folder)
        first = folder / read_migrations()[0].name
        first.write_text(first.read_text() + "-- a late thought\n")

        with pytest.raises(ConfigError, match="edited after it was applied"):
            await migrate(database, folder)


async def test_a_database_of_a_newer_release_is_refused(empty_dsn: str, folder: Path) -> None:
    later = len(read_migrations()) + 1
    (folder / f"{later:04}_later.sql").write_text("CREATE TABLE later ()")
    async with Database(empty_dsn) as database:
        await migrate(database, folder)

        with pytest.raises(ConfigError, match="does not know"):
            await migrate(database)


async def test_a_file_that_fails_leaves_nothing_of_itself(empty_dsn: str, folder: Path) -> None:
    broken = folder / f"{len(read_migrations()) + 1:04}_broken.sql"
    broken.write_text("CREATE TABLE half (); SELECT 1 / 0;")
    async with Database(empty_dsn) as database:
        with pytest.raises(Exception, match="division by zero"):
            await migrate(database, folder)
        broken.write_text("CREATE TABLE half ();")

        assert broken.name in await migrate(database, folder)


async def test_an_index_can_be_built_outside_of_a_transaction(empty_dsn: str, folder: Path) -> None:
    index = folder / f"{len(read_migrations()) + 1:04}_index.sql"
    index.write_text(
        "-- no-transaction\n"
        "CREATE INDEX CONCURRENTLY one ON calls (agent);\n"
        "CREATE INDEX CONCURRENTLY two ON calls (callee);\n"
    )
    async with Database(empty_dsn) as database, Database(empty_dsn) as another:
        applied = await asyncio.gather(migrate(database, folder), migrate(another, folder))

    assert sum(names.count(index.name) for names in applied) == 1


async def test_a_deadlock_with_whoever_still_writes_is_survived(empty_dsn: str, folder: Path) -> None:
    crossing = folder / f"{len(read_migrations()) + 1:04}_crossing.sql"
    crossing.write_text("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE; LOCK TABLE turns IN ACCESS EXCLUSIVE MODE;")
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'turns'::regclass)"
    async with Database(empty_dsn) as database, Database(empty_dsn) as another, asyncio.TaskGroup() as group:
        await migrate(database)
        async with another.transaction() as writer:
            await writer.execute("LOCK TABLE turns IN ROW EXCLUSIVE MODE")
            migrating = group.create_task(migrate(database, folder))
            while not await writer.fetchval(waiting):
                pass
            # The migration, which has waited for longer, is the one that PostgreSQL ends.
            await writer.execute("LOCK TABLE calls IN ROW EXCLUSIVE MODE")
        assert await migrating == [crossing.name]


async def test_waiting_for_another_process_ends(empty_dsn: str) -> None:
    async with Database(empty_dsn) as database, Database(empty_dsn) as another, another.connection() as busy:
        await busy.execute("SELECT pg_advisory_lock(7214001)")

        with pytest.raises(StoreUnavailable, match="another process"):
            await migrate(database, patience=0.2)


def test_a_gap_in_the_numbers_is_refused(folder: Path) -> None:
    (folder / "0009_far_ahead.sql").write_text("SELECT 1")

    with pytest.raises(ConfigError, match="numbered without a gap"):
        read_migrations(folder)


_BY_HAND = "CREATE ROLE offhook_tenant NOLOGIN; GRANT offhook_tenant TO plain"


@pytest.mark.parametrize(("rights", "before"), [("CREATEROLE", "SELECT"), ("NOCREATEROLE", _BY_HAND)])
async def test_a_user_who_is_no_superuser_migrates_and_reads(data_folder: Path, rights: str, before: str) -> None:
    async with plain_database(data_folder, rights, before) as dsn, Database(dsn) as database:
        await migrate(database)
        assert await CallsRepository(database).recent() == []


async def test_a_user_who_may_not_make_the_role_is_told_who_can(data_folder: Path) -> None:
    async with plain_database(data_folder, "NOCREATEROLE", "SELECT") as dsn, Database(dsn) as database:
        with pytest.raises(ConfigError, match="Let a superuser run: CREATE ROLE offhook_tenant"):
            await migrate(database)


@asynccontextmanager
async def plain_database(folder: Path, rights: str, before: str) -> AsyncIterator[str]:
    """A database whose owner, plain, is no superuser, on a server of its own. before: what a superuser runs."""
    async with EmbeddedPostgres(folder) as server:
        owner = await asyncpg.connect(server.dsn)
        try:
            await owner.execute(f"CREATE ROLE plain LOGIN PASSWORD 'plain' {rights}")
            await owner.execute("CREATE DATABASE plain OWNER plain")
            await owner.execute(before)
            yield re.sub(r"//[^@]*@/offhook", "//plain:plain@/plain", server.dsn)
        finally:
            await owner.execute("DROP DATABASE plain WITH (FORCE)")
            await owner.execute("DROP ROLE IF EXISTS offhook_tenant, plain")
            await owner.close()
