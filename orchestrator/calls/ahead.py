"""A stream that is made before anyone asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from orchestrator.core.errors import EngineError
from orchestrator.core.streams import closing

T = TypeVar("T")


class Ahead(Generic[T]):
    """The items of *source*, up to *limit* of them made ahead. Closing it closes *source*.

    group: the call's own; it awaits the task that makes them. An EngineError of *source* is raised where the items end.
    """

    def __init__(self, group: asyncio.TaskGroup, source: AsyncIterator[T], limit: int) -> None:
        self.failed = False
        self._source = source
        self._items: asyncio.Queue[T | EngineError | None] = asyncio.Queue(limit)
        self._task = group.create_task(self._make(), name="ahead")

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        item = await self._items.get()
        if item is None:
            raise StopAsyncIteration
        if isinstance(item, EngineError):
            raise item
        return item

    def drop(self) -> None:
        """Begin to close: nobody will ask for the items."""
        self._task.cancel()

    async def aclose(self) -> None:
        """Close *source* and wait until it is closed."""
        self.drop()
        await asyncio.wait([self._task])

    async def _make(self) -> None:
        end: EngineError | None = None
        try:
            async with closing(self._source) as items:
                async for item in items:
                    await self._items.put(item)
        except EngineError as error:
            self.failed = True
            end = error
        await self._items.put(end)
