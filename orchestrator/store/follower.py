"""Keeps what is in memory as the database has it: read anew when it was changed, and until that succeeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from orchestrator.core.errors import ConfigError, StoreUnavailable

RETRY: Final = 2.0
"""Seconds between tries."""

log = structlog.get_logger(__name__)


def _when_told() -> float | None:
    return None


class Follower:
    """Calls *load* whenever something was heard of. again: seconds until it is called in any case; None for never.

    load may raise StoreUnavailable, and ConfigError, for a database that refuses us may let us in again: until it
    succeeds, what is known stands.
    """

    def __init__(
        self, what: str, load: Callable[[], Awaitable[None]], again: Callable[[], float | None] = _when_told
    ) -> None:
        self._what = what
        self._load = load
        self._again = again
        self._changed = asyncio.Event()

    def heard(self, payload: str | None) -> None:
        """Something was changed somewhere (orchestrator.store.notifications)."""
        self._changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the database during the block."""
        task = asyncio.create_task(self._follow(), name=self._what)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _follow(self) -> None:
        wait = self._again()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self._load()
                wait = self._again()
            except (StoreUnavailable, ConfigError) as error:
                log.warning("memory_behind", what=self._what, reason=str(error))
                wait = RETRY
