"""An empty database filled with the tables of another: all of them, or none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg

from orchestrator.core.errors import ConfigError, RecordRefused
from orchestrator.core.events import FIRST_ACCOUNT
from orchestrator.store.db import Database, one_error
from orchestrator.store.migrate import migrate
from orchestrator.store.snapshot import CONNECT, PATIENT, TEXT, stored_tables

_REFERENCES: Final = """
    SELECT
        format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS undo,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS redo
    FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace ORDER BY conname
"""
_TRIGGERS: Final = """
    SELECT
        format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS undo,
        format('ALTER TABLE %s ENABLE TRIGGER %I', tgrelid::regclass, tgname) AS redo
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND tgenabled = 'O' AND relnamespace = current_schema()::regnamespace ORDER BY tgname
"""


async def refuse_what_is_not_empty(dsn: str, migrations: Mapping[str, str]) -> None:
    """Raises ConfigError for a database that holds something, or whose schema has none of *migrations* alone.

    What the migrations put there themselves counts as nothing.
    """
    connection = await _connected(dsn)
    try:
        with one_error():
            tables = [table.name for table in await stored_tables(connection)]
            applied: list[str] = []
            if await connection.fetchval("SELECT to_regclass('schema_migrations')") is not None:
                applied = [row[0] for row in await connection.fetch("SELECT version FROM schema_migrations")]
            elif tables:
                raise ConfigError(f"the database is not empty: it has tables of others, such as {tables[0]}")
            for table in tables:
                if await connection.fetchval(_ANY_ROW[table == "accounts"].format(table), *_seeds(table)):
                    raise ConfigError(f"the database is not empty: there are {table} in it")
    finally:
        connection.terminate()
    if newer := sorted(set(applied) - migrations.keys()):
        raise ConfigError(
            f"the database has migration {newer[-1]}, which the backup has not: give it a database without tables"
        )


_ANY_ROW: Final = ('SELECT EXISTS (SELECT FROM "{}")', 'SELECT EXISTS (SELECT FROM "{}" WHERE id <> $1)')


def _seeds(table: str) -> Sequence[object]:
    return (FIRST_ACCOUNT,) if table == "accounts" else ()


@asynccontextmanager
async def reload(dsn: str, last: str) -> AsyncIterator[Reload]:
    """What fills the tables of a database whose schema is brought to the version *last* first.

    Nothing is in the database before the end of the block, and nothing ever when that raises. Until then references
    are not checked and no trigger fires, so that rows stay what they were; then every reference is checked.
    Raises StoreUnavailable, RecordRefused when rows contradict the schema, and what migrate() raises.
    """
    async with Database(dsn) as database:
        await migrate(database, last=last)
    connection = await _connected(dsn)
    try:
        with _refusing(), one_error():
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(PATIENT)
            references = await connection.fetch(_REFERENCES)
            triggers = await connection.fetch(_TRIGGERS)
            for change in (*references, *triggers):
                await connection.execute(change["undo"])
            tables = await stored_tables(connection)
            await connection.execute("TRUNCATE " + ", ".join(f'"{table.name}"' for table in tables))
        yield Reload(connection, {table.name: table.columns for table in tables})
        with _refusing(), one_error():
            for change in (*references, *triggers):
                await connection.execute(change["redo"])
            for table in tables:
                await connection.execute(f'ANALYZE "{table.name}"')
            # Last: whoever hears of a failure may rely on an empty database.
            await transaction.commit()
    finally:
        connection.terminate()


class Reload:
    """See reload()."""

    def __init__(self, connection: asyncpg.Connection, tables: Mapping[str, tuple[str, ...]]) -> None:
        self._connection = connection
        self._tables = tables

    def refuse_other_tables(self, tables: Mapping[str, Sequence[str]]) -> None:
        """Raises RecordRefused unless the schema has every one of *tables*, with these columns."""
        for name, columns in tables.items():
            if set(columns) != set(self._tables.get(name, ())):
                raise RecordRefused(f"table {name} is not as the schema of its version has it")

    async def fill(self, table: str, columns: Sequence[str], text: Iterator[bytes]) -> int:
        """Put *text*, as COPY writes it, into *table*; the number of rows. Raises StoreUnavailable, RecordRefused."""
        with _refusing(), one_error():
            done: str = await self._connection.copy_to_table(table, source=_slowly(text), columns=list(columns))
        return int(done.removeprefix("COPY "))

    async def continue_sequences(self, latest: Mapping[str, int]) -> None:
        """Let sequences go on after their *latest* numbers. Raises StoreUnavailable, RecordRefused for unknown ones."""
        with _refusing(), one_error():
            for name, number in latest.items():
                await self._connection.execute("SELECT setval(format('%I', $1::text)::regclass, $2)", name, number)


@contextmanager
def _refusing() -> Iterator[None]:
    """Raise RecordRefused for rows that the schema does not take."""
    try:
        yield
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.SyntaxOrAccessError) as error:
        raise RecordRefused(f"PostgreSQL does not take the rows: {error}") from error


async def _slowly(text: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in text:
        yield piece


async def _connected(dsn: str) -> asyncpg.Connection:
    with one_error():
        settings = {"application_name": "offhook restore", **TEXT}
        return await asyncpg.connect(dsn, timeout=CONNECT, server_settings=settings)
