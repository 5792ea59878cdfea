"""Engines in this very process, for tests and tools: everything that the other placements do, without a border."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from inference.failures import outward
from inference.loading import unload
from inference.manifest import Kind, Profile
from inference.placed import Hosted, Placed, Terms
from inference.remote import Gauge


class DirectChannel:
    """A Channel to *engine*, which is called *name*."""

    def __init__(self, name: str, engine: Any) -> None:
        self._name = name
        self._engine = engine

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        """See Channel."""
        try:
            return await getattr(self._engine, operation)(**arguments)
        except Exception as error:
            raise outward(error, self._name) from error

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        """See Channel."""
        async with aclosing(getattr(self._engine, operation)(**arguments)) as items:
            while True:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                except Exception as error:
                    raise outward(error, self._name) from error
                yield item


@asynccontextmanager
async def in_this_process(profile: Profile, hosted: Hosted, terms: Terms) -> AsyncIterator[Mapping[Kind, Placed]]:
    """Every engine of *hosted*, loaded here. Raises ConfigError when one cannot be."""
    async with AsyncExitStack() as stack:
        placed: dict[Kind, Placed] = {}
        for kind, engine in hosted.items():
            loaded = await engine.load()
            stack.push_async_callback(unload, loaded)
            placed[kind] = Placed(DirectChannel(engine.manifest.name, loaded), Gauge())
        yield placed
