"""Waiting for what happens in other processes, on their own clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import repeat

EVERY = 0.05


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float = 10.0) -> None:
    """Return when *condition* holds. Raises TimeoutError."""
    async with asyncio.timeout(within):
        for _ in repeat(None):
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(EVERY)
