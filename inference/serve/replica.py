"""The cluster's end of an engine: one class for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from inference.failures import outward
from inference.loading import HostedEngine, check, unload
from inference.operations import OPERATIONS
from inference.registry import Registry
from orchestrator.core.errors import EngineError
from orchestrator.core.time_slice import ask_for_slices


class EngineReplica:
    """Holds one engine and does what it is asked. Errors leave it as failures.outward() has them."""

    def __init__(self) -> None:
        self._hosted: HostedEngine | None = None
        self._engine: Any = None
        self._loaded = asyncio.Event()

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Load the engine that *config*, a HostedEngine, describes; Ray calls this first.

        Its files are pulled when this node does not have them. Another call swaps the engine.
        """
        # A cluster of our own inherits the orchestrator's short slices, of which whoever computes for long has nothing.
        ask_for_slices(0)
        hosted = HostedEngine.model_validate(config)
        if hosted.manifest.files and not hosted.files.is_dir():
            cache = hosted.files.parents[1]  # Weights has them in <cache>/models/<name>
            await asyncio.to_thread(Registry(cache=cache).pull, hosted.manifest)
        engine = await hosted.load()
        previous, self._engine, self._hosted = self._engine, engine, hosted
        self._loaded.set()
        await unload(previous)

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        """The answer of *operation*."""
        name, method = await self._method(operation)
        try:
            return await method(**arguments)
        except Exception as error:
            raise outward(error, name) from error

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        """The pieces of *operation*'s answer. Cancelling it closes the engine's generator."""
        name, method = await self._method(operation)
        async with aclosing(method(**arguments)) as items:
            while True:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                except Exception as error:
                    raise outward(error, name) from error
                yield item

    async def check_health(self) -> None:
        """Ray asks this now and then, and replaces the replica when it raises."""
        await check(self._engine)

    async def _method(self, operation: str) -> tuple[str, Any]:
        # A cluster sends nothing before reconfigure() has returned; Serve's imitation of one does.
        await self._loaded.wait()
        assert self._hosted is not None
        manifest = self._hosted.manifest
        if operation not in OPERATIONS[manifest.kind]:
            raise EngineError(manifest.name, f"cannot {operation!r}")
        return manifest.name, getattr(self._engine, operation)
