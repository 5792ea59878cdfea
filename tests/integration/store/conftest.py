"""A real PostgreSQL, one for the session, with a database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from orchestrator.store.calls_repository import CallsRepository
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
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


@pytest.fixture
async def empty_dsn(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a database without a schema."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield server.dsn.replace("@/offhook", f"@/{name}")
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@pytest.fixture
async def database(empty_dsn: str) -> AsyncIterator[Database]:
    """A migrated database of the test's own."""
    async with Database(empty_dsn) as opened:
        await migrate(opened)
        yield opened


@pytest.fixture
def calls(database: Database) -> CallsRepository:
    """The default account's calls."""
    return CallsRepository(database)


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    """Where a recorder may keep what it cannot store."""
    return tmp_path / "spool"
