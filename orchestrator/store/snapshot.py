"""All of the database as it is at one moment, read while others go on writing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.core.errors import ConfigError
from orchestrator.store.db import one_error

Sink: TypeAlias = Callable[[bytes], Awaitable[None]]

# The schema's own record, and what proves who somebody is in this very place: nobody is signed in after a restore, and
# a token that was traded since the backup is not good again.
NOT_KEPT: Final = (
    "schema_migrations",
    "sessions",
    "refresh_tokens",
    "socket_tickets",
    "oidc_flows",
    "sign_in_codes",
    "idempotency_keys",
)
# What text of a value depends on. Source: PostgreSQL manual, 19.11.
TEXT: Final = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
CONNECT: Final = 10.0

_TABLES: Final = """
    SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> ALL ($1::text[])
        AND NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
    GROUP BY c.relname ORDER BY c.relname
"""
# A dump of years takes longer than any other statement may, and waits for the disk in between.
PATIENT: Final = """
    SELECT set_config(name, '0', true) FROM pg_settings
    WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table and its columns, without those that PostgreSQL computes."""

    name: str
    columns: tuple[str, ...]


async def stored_tables(connection: asyncpg.Connection) -> list[StoredTable]:
    """The tables of the schema that a backup holds, by name."""
    rows = await connection.fetch(_TABLES, NOT_KEPT)
    return [StoredTable(row["name"], tuple(row["columns"])) for row in rows]


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[Snapshot]:
    """The database at the moment of entering, for as long as the block takes.

    It takes no lock that a reader or a writer would meet: only a migration waits for its end.
    Raises StoreUnavailable, and ConfigError for a database that Offhook has never used.
    """
    with one_error():
        settings = {"application_name": "offhook backup", **TEXT}
        connection = await asyncpg.connect(dsn, timeout=CONNECT, server_settings=settings)
    try:
        with one_error():
            transaction = connection.transaction(isolation="repeatable_read", readonly=True)
            await transaction.start()
            await connection.execute(PATIENT)
            # An error rather than a table of which a policy has hidden a part.
            await connection.execute("SET LOCAL row_security = off")
            if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
                raise ConfigError("the database has no tables of Offhook: there is nothing to back up")
        yield Snapshot(connection)
    finally:
        connection.terminate()


class Snapshot:
    """See snapshot(). Its methods raise StoreUnavailable when the database goes away."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def migrations(self) -> dict[str, str]:
        """Checksums of what made the schema, by their version."""
        with one_error():
            rows = await self._connection.fetch("SELECT version, checksum FROM schema_migrations ORDER BY version")
        return {row["version"]: row["checksum"] for row in rows}

    async def tables(self) -> list[StoredTable]:
        """What there is to copy."""
        with one_error():
            return await stored_tables(self._connection)

    async def copy(self, table: StoredTable, sink: Sink) -> int:
        """Give all of *table* to *sink*, as PostgreSQL's COPY writes text; the number of rows.

        sink may raise any VoiceError; what else it raises may be taken for the database's.
        """
        with one_error():
            done: str = await self._connection.copy_from_table(table.name, output=sink, columns=table.columns)
        return int(done.removeprefix("COPY "))

    async def sequences(self) -> dict[str, int]:
        """The latest numbers of the sequences that have given one. Sequences know no moments: ask after the tables."""
        with one_error():
            rows = await self._connection.fetch(
                """
                SELECT sequencename::text AS name, last_value FROM pg_sequences
                WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY sequencename
                """
            )
        return {row["name"]: row["last_value"] for row in rows}

    async def recordings(self) -> int:
        """How many recordings are complete, and so have objects."""
        with one_error():
            if await self._connection.fetchval("SELECT to_regclass('recordings')") is None:
                return 0
            count: int = await self._connection.fetchval(
                "SELECT count(*) FROM recordings WHERE completed_at IS NOT NULL"
            )
        return count

    async def known_calls(self, calls: Collection[UUID]) -> set[UUID]:
        """Those of *calls* that there are."""
        with one_error():
            rows = await self._connection.fetch("SELECT id FROM calls WHERE id = ANY ($1::uuid[])", list(calls))
        return {UUID(str(row["id"])) for row in rows}
