"""Objects that others took the place of: swept away, but not while a backup copies what its snapshot knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from orchestrator.store.db import Database, one_error

# A backup holds it alone, sweepers together.
_LOCK: Final = 7214004
_CONNECT: Final = 10.0


@asynccontextmanager
async def kept_for_a_backup(dsn: str) -> AsyncIterator[None]:
    """During the block nothing is swept. Waits for who sweeps just now, and for another backup.

    Raises StoreUnavailable; at its end as well, if the database did not hold it all the time.
    """
    patient = {"application_name": "offhook backup", "statement_timeout": "0", "idle_session_timeout": "0"}
    with one_error():
        connection = await asyncpg.connect(dsn, timeout=_CONNECT, server_settings=patient)
    try:
        with one_error():
            await connection.execute("SELECT pg_advisory_lock($1::bigint)", _LOCK)
        yield
        with one_error():
            await connection.execute("SELECT 1")
    finally:
        connection.terminate()


@asynccontextmanager
async def sweeping(database: Database) -> AsyncIterator[bool]:
    """Whether replaced objects may be swept during the block. Raises StoreUnavailable."""
    async with database.connection() as connection:
        free: bool = await connection.fetchval("SELECT pg_try_advisory_lock_shared($1::bigint)", _LOCK)
        try:
            yield free
        finally:
            if free:
                await connection.execute("SELECT pg_advisory_unlock_shared($1::bigint)", _LOCK)
