"""What PostgreSQL tells of its own accord (NOTIFY): one connection that listens, and comes back when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
import structlog

from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.store.db import Database

log = structlog.get_logger(__name__)

Heard: TypeAlias = Callable[[str | None], None]
"""Takes a notification's payload; None when some may have been missed, so that everything is to be read again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. retry, longest_retry: between tries to connect, doubling; look: between signs of life asked for."""

    retry: float = 0.25
    longest_retry: float = 5.0
    look: float = 10.0


class Notifications:
    """Tells subscribers what *database* notifies, from the event loop's thread. A subscriber must not wait or raise."""

    def __init__(self, database: Database, patience: Patience | None = None) -> None:
        self._database = database
        self._patience = patience or Patience()
        self._subscribers: dict[str, list[Heard]] = {}
        self.connected = asyncio.Event()

    def subscribe(self, channel: str, heard: Heard) -> None:
        """Call *heard* for each notification on *channel*, and once with None whenever listening begins anew.

        Before listening() is entered.
        """
        self._subscribers.setdefault(channel, []).append(heard)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen during the block. The database need not be there."""
        task = asyncio.create_task(self._run(), name="notifications")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        wait = self._patience.retry
        while True:
            try:
                async with self._database.own_connection() as connection:
                    await self._listen(connection)
                    wait = self._patience.retry
                    await self._until_lost(connection)
            except (StoreUnavailable, ConfigError) as error:
                log.warning("notifications_lost", reason=str(error), again_in=wait)
            finally:
                self.connected.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._patience.longest_retry)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        for channel in self._subscribers:
            await connection.add_listener(channel, self._heard)
        self.connected.set()
        for channel in self._subscribers:
            self._tell(channel, None)

    async def _until_lost(self, connection: asyncpg.Connection) -> None:
        """Return, or raise StoreUnavailable, once *connection* has gone. A silent network is found by asking."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        while not lost.is_set():
            try:
                async with asyncio.timeout(self._patience.look):
                    await lost.wait()
            except TimeoutError:
                await connection.execute("SELECT 1")

    def _heard(self, connection: object, process: int, channel: str, payload: object) -> None:
        self._tell(channel, str(payload))

    def _tell(self, channel: str, payload: str | None) -> None:
        subscribers: Sequence[Heard] = self._subscribers[channel]
        for heard in subscribers:
            heard(payload)
