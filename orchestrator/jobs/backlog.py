"""How much work waits, for whoever watches the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from orchestrator.core.errors import StoreUnavailable
from orchestrator.store.job_runs import JobRuns

_EVERY = 15.0  # seconds


class Backlog:
    """due: jobs that could be under way or are, by kind, as of a moment ago."""

    def __init__(self, runs: JobRuns) -> None:
        self.due: Mapping[str, int] = {}
        self._runs = runs

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """It is looked at during the block."""
        watching = asyncio.create_task(self._watch(), name="job backlog")
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            with suppress(StoreUnavailable):
                # A kind that has waited before is told of as none, and not left out.
                self.due = {**dict.fromkeys(self.due, 0), **await self._runs.backlog()}
            await asyncio.sleep(_EVERY)
