"""Keeps a caller from waiting in silence: a slow reply is announced, and one that does not come is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from orchestrator.calls.answering import Uttered
from orchestrator.core.errors import EngineTimeout
from orchestrator.core.streams import closing


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds with nothing to play. filler: until a filler is said, None for never; limit, stall: until it
    is a failure, before the first audio and later on.
    """

    filler: float | None
    limit: float
    stall: float


async def without_dead_air(
    reply: AsyncIterator[Uttered], filler: AsyncIterator[Uttered], waits: Waits
) -> AsyncIterator[Uttered]:
    """*reply*, behind *filler* when it is slow to begin. Closing it closes both.

    Raises EngineTimeout when the reply has nothing more to play for too long; the limit of its beginning includes what
    the filler takes.
    """
    async with closing(reply) as pieces, closing(filler):
        coming = asyncio.ensure_future(anext(pieces, None))
        try:
            if waits.filler is not None and waits.filler < waits.limit and not await _there(coming, waits.filler):
                begun = asyncio.get_running_loop().time()
                async for uttered in filler:
                    yield uttered
                taken = waits.filler + asyncio.get_running_loop().time() - begun
            else:
                taken = 0.0
            limit = waits.limit - taken
            while (piece := await _within(coming, limit)) is not None:
                limit = waits.stall
                yield piece
                coming = asyncio.ensure_future(anext(pieces, None))
        finally:
            # A generator cannot be closed while it is being asked for its next item.
            coming.cancel()
            await asyncio.wait([coming])
            if not coming.cancelled():
                coming.exception()  # nobody is left to hear of it


async def _there(coming: asyncio.Future[Uttered | None], seconds: float) -> bool:
    done, _ = await asyncio.wait([coming], timeout=seconds)
    return bool(done)


async def _within(coming: asyncio.Future[Uttered | None], seconds: float) -> Uttered | None:
    if not await _there(coming, max(0.0, seconds)):
        raise EngineTimeout("reply", "nothing to say for too long")
    return coming.result()
