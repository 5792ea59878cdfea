"""Reading ahead: the language model reads the conversation so far while nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from orchestrator.core.errors import EngineError

log = structlog.get_logger(__name__)


class Prefill:
    """Has the conversation read, once at a time. group: the call's own; read: what reads it, raising EngineError."""

    def __init__(self, group: asyncio.TaskGroup, read: Callable[[], Coroutine[None, None, None]]) -> None:
        self._group = group
        self._read = read
        self._reading: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Nobody waits for a reply now. What is being read already is read to its end first."""
        if self._reading is None or self._reading.done():
            self._reading = self._group.create_task(self._try(), name="prefill")

    def stop(self) -> None:
        """The call is over."""
        if self._reading is not None:
            self._reading.cancel()

    async def _try(self) -> None:
        try:
            await self._read()
        except EngineError as error:  # the next turn is slower, no more
            log.warning("prefill_failed", engine=error.engine, error=error.message)
