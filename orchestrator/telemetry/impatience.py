"""Writes that are given up in time, however long the one who does them takes to let go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchestrator.core.errors import StoreUnavailable
from orchestrator.core.events import Record
from orchestrator.telemetry.ports import RecordStore


class ImpatientStore:
    """A store with a deadline for each write; one write at a time, also those that were given up.

    A driver may need seconds to cancel a statement on a server that is frozen or cut off, and the records that wait
    behind it are not safe in that time.
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._write: asyncio.Task[None] | None = None

    async def write(self, records: Sequence[Record], deadline: float) -> None:
        """Store *records* within *deadline* seconds. Raises what the store raises, StoreUnavailable when it is late."""
        if not await self._ended(deadline):
            raise StoreUnavailable("no answer in time")
        write = self._write = asyncio.create_task(self._store.write(records), name="recorder-write")
        try:
            if not await self._ended(deadline):
                raise StoreUnavailable("no answer in time")
        finally:
            write.cancel()
        write.result()

    async def close(self, deadline: float) -> None:
        """Wait for a write that was given up, at most *deadline* seconds."""
        await self._ended(deadline)

    async def _ended(self, deadline: float) -> bool:
        if self._write is None:
            return True
        await asyncio.wait([self._write], timeout=deadline)
        if not self._write.done():
            return False
        if not self._write.cancelled():
            # Looked at, so that the failure of a write that was given up is not reported as unheard of.
            self._write.exception()
        return True
