"""A real PostgreSQL, one for the session, with a database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder outside of pytest's own, which every run of pytest closes to other accounts, such as the server's."""
    with TemporaryDirectory(prefix="offhook-test-") as folder:
        yield Path(folder)


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    """Where nothing has ever run."""
    with fresh_folder() as folder:
        yield folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def data_folder() -> AsyncIterator[Path]:
    """A folder with a cluster, for the tests that start a server of their own, one after another."""
    with fresh_folder() as folder:
        async with EmbeddedPostgres(folder):
            pass
        yield folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[EmbeddedPostgres]:
    """A server that nobody kills."""
    # A database for each test means thousands of files, whose survival of a power cut is of no interest here.
    with fresh_folder() as folder:
        async with EmbeddedPostgres(folder, {"fsync": "off"}) as running:
            yield running


@asynccontextmanager
async def fresh_database(server: EmbeddedPostgres, template: str = "template1") -> AsyncIterator[str]:
    """The address of a copy of *template*, which is gone afterwards."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        yield server.dsn.replace("@/offhook", f"@/{name}")
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The name of a database with the whole schema and no rows but the migrations', to be copied."""
    async with fresh_database(server) as dsn:
        async with Database(dsn) as opened:
            await migrate(opened)
            async with opened.connection() as connection:
                name = await connection.fetchval("SELECT current_database()")
        yield name


@pytest.fixture
async def empty_dsn(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a database without a schema."""
    async with fresh_database(server) as dsn:
        yield dsn


@pytest.fixture
async def dsn(server: EmbeddedPostgres, migrated: str) -> AsyncIterator[str]:
    """The address of a migrated database of the test's own."""
    async with fresh_database(server, migrated) as dsn:
        yield dsn


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A migrated database of the test's own."""
    async with Database(dsn) as opened:
        yield opened
