"""Brings a database's schema up to date from the numbered SQL files in migrations/."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.store.db import Database

MIGRATIONS = Path(__file__).parent / "migrations"

# Any fixed number: one schema is migrated by one process at a time.
_LOCK = 7_214_001
_POLL = 0.1
# Of one file, while processes that have not been stopped go on writing.
_TRIES = 5

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_OUTSIDE_TRANSACTION = "-- no-transaction\n"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. version: its number, four digits; checksum: SHA-256 of the file."""

    version: str
    name: str
    sql: str
    checksum: str

    @property
    def statements(self) -> list[str]:
        """What to execute, each outside of a transaction when the file asks for that on its first line."""
        if not self.sql.startswith(_OUTSIDE_TRANSACTION):
            return [self.sql]
        return [part for part in re.split(r";[ \t]*\n", self.sql) if part.strip()]

    @property
    def transactional(self) -> bool:
        """Whether the whole file is applied or none of it. CREATE INDEX CONCURRENTLY cannot be."""
        return not self.sql.startswith(_OUTSIDE_TRANSACTION)


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of *folder* in order. Raises ConfigError for a file whose name or number does not fit."""
    migrations: list[Migration] = []
    for expected, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None or int(match[1]) != expected:
            raise ConfigError(f"{path}: expected a name such as {expected:04}_what_it_does.sql, numbered without a gap")
        sql = path.read_text(encoding="utf-8")
        migrations.append(Migration(match[1], path.name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return migrations


async def migrate(
    database: Database, folder: Path = MIGRATIONS, *, patience: float = 60.0, last: str | None = None
) -> list[str]:
    """Apply what *database* lacks, in order, up to the version *last* if given; the names of the files applied.

    Several processes may call it at once: one works, the others wait up to *patience* seconds for it.
    Raises StoreUnavailable when the database does not answer or the wait is over, and ConfigError when a file was
    edited after it was applied, or when the database was migrated by a newer release.
    """
    migrations = read_migrations(folder)
    async with database.connection() as connection:
        await _lock(connection, patience)
        try:
            return await _apply(connection, migrations, last)
        finally:
            if not connection.is_closed():
                await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _lock(connection: asyncpg.Connection, patience: float) -> None:
    # Polled, because a session that waits inside pg_advisory_lock() holds a snapshot, and the
    # CREATE INDEX CONCURRENTLY of the session that has the lock would wait for that snapshot for ever.
    try:
        async with asyncio.timeout(patience):
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110
                await asyncio.sleep(_POLL)
    except TimeoutError as error:
        raise StoreUnavailable(f"another process has been migrating the database for {patience:g} s") from error


async def _apply(connection: asyncpg.Connection, migrations: list[Migration], last: str | None) -> list[str]:
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version text PRIMARY KEY,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    rows = await connection.fetch("SELECT version, checksum FROM schema_migrations")
    applied = {row["version"]: row["checksum"] for row in rows}
    _refuse_unknown(applied, migrations)
    names = []
    for migration in migrations:
        if migration.version not in applied and (last is None or migration.version <= last):
            await _apply_one(connection, migration)
            names.append(migration.name)
    return names


def _refuse_unknown(applied: dict[str, str], migrations: list[Migration]) -> None:
    known = {migration.version: migration for migration in migrations}
    if newer := sorted(applied.keys() - known.keys()):
        raise ConfigError(
            f"the database has migration {newer[-1]}, which this release does not know: start a release at least as new"
        )
    for version, checksum in applied.items():
        if known[version].checksum != checksum:
            raise ConfigError(f"{known[version].name} was edited after it was applied: restore it and add a new file")


async def _apply_one(connection: asyncpg.Connection, migration: Migration) -> None:
    if not migration.transactional:
        await _execute(connection, migration)
        return
    for tries_left in reversed(range(_TRIES)):
        try:
            async with connection.transaction():
                await _execute(connection, migration)
        except asyncpg.DeadlockDetectedError:
            # Whoever was writing has what they wanted now, for it was this transaction that had to yield.
            if not tries_left:
                raise
        else:
            return


async def _execute(connection: asyncpg.Connection, migration: Migration) -> None:
    for statement in migration.statements:
        try:
            # An index over years of calls takes longer than any query may.
            await connection.execute(statement, timeout=3600)
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConfigError(
                f"{migration.name}: the user of DATABASE_URL may not do this: {error}. {error.hint or ''}".rstrip()
            ) from error
    await connection.execute(
        "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)", migration.version, migration.checksum
    )
