"""A real PostgreSQL, one for the session, with a database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """A server that nobody kills."""
    # A database for each test means thousands of files, whose survival of a power cut is of no interest here.
    async with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), {"fsync": "off"}) as running:
        yield running


@pytest.fixture
async def empty_dsn(server: EmbeddedPostgres) -> str:
    """The address of a database without a schema."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return server.dsn.replace("@/offhook", f"@/{name}")


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
