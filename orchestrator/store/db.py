"""The way to PostgreSQL: a pool of connections whose failures have one name, StoreUnavailable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.store.jsonb import from_jsonb, to_jsonb

# What says nothing about the statement: the same one may succeed later. Source: PostgreSQL manual, appendix A.
_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.OperatorInterventionError,  # class 57: shutting down, starting up, statement timeout
    asyncpg.InsufficientResourcesError,  # class 53: disk full, out of memory, too many connections
    asyncpg.TransactionRollbackError,  # class 40: deadlock, serialization
    asyncpg.ReadOnlySQLTransactionError,  # a standby, in the middle of a failover
    asyncpg.PostgresIOError,
    asyncpg.InternalClientError,  # a connection that is lost in the middle of a query is given back to the pool
)

# No later try can mend these: they end the start instead of being waited for.
_WRONG_ADDRESS = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ClientConfigurationError,
)

Isolation: TypeAlias = Literal["repeatable_read", "serializable"]
"""Of a transaction: "repeatable_read" lets all of its statements see one moment."""


@contextmanager
def one_error() -> Iterator[None]:
    """Raise StoreUnavailable for every failure that a later try may not meet, ConfigError for a wrong address."""
    try:
        yield
    except _WRONG_ADDRESS as error:
        raise ConfigError(f"the database refuses the connection of DATABASE_URL: {error}") from error
    # An interface error that is also a ValueError is a mistaken argument, not an absent server.
    except _PASSING as error:
        if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
            raise
        raise StoreUnavailable(f"the database does not answer: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of a pool. connections: at most; connect, acquire, statement: seconds."""

    connections: int = 8
    connect: float = 5.0
    acquire: float = 5.0
    statement: float = 10.0


class Database:
    """A pool of connections to one database. Opening it does not need the server to be there."""

    def __init__(self, dsn: str, limits: PoolLimits | None = None) -> None:
        self._dsn = dsn
        self._limits = limits or PoolLimits()
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        with one_error():
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=self._limits.connections,
                timeout=self._limits.connect,
                command_timeout=self._limits.statement,
                init=_prepare,
                # Plans of a phone system's small statements never earn back a compilation.
                server_settings={"application_name": "offhook", "timezone": "UTC", "jit": "off"},
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(self._limits.statement):
                await self._pool.close()
        except (TimeoutError, *_PASSING):
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the pool. Raises StoreUnavailable when there is none in time or it is lost in use."""
        assert self._pool is not None, "the database is used before it is opened"
        with one_error():
            async with self._pool.acquire(timeout=self._limits.acquire) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self, isolation: Isolation | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A connection inside a transaction: all of the block is kept, or none of it."""
        async with self.connection() as connection, connection.transaction(isolation=isolation):
            yield connection

    @asynccontextmanager
    async def tenant(self, account: UUID, isolation: Isolation | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A transaction that sees the rows of *account* alone: PostgreSQL hides all others from it."""
        async with self.transaction(isolation) as connection:
            await connection.execute(
                "SELECT set_config('role', 'offhook_tenant', true), set_config('offhook.account', $1, true)",
                str(account),
            )
            yield connection

    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection beside the pool, for what keeps one for long. Raises StoreUnavailable."""
        with one_error():
            connection = await asyncpg.connect(
                self._dsn,
                timeout=self._limits.connect,
                command_timeout=self._limits.statement,
                server_settings={"application_name": "offhook listener"},
            )
            try:
                yield connection
            finally:
                connection.terminate()

    async def answers(self) -> bool:
        """Whether the database serves a query at this moment."""
        try:
            async with self.connection() as connection:
                await connection.fetchval("SELECT 1")
        except StoreUnavailable:
            return False
        return True


async def _prepare(connection: asyncpg.Connection) -> None:
    """Let jsonb columns be Python values."""
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=to_jsonb, decoder=from_jsonb)
