"""What is known of the caller comes into the conversation while the greeting is said: nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.history import History
from orchestrator.core.acquaintance import Acquaintance
from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.dialogue.prompting import of_the_caller

Recall: TypeAlias = Callable[[], Awaitable[Acquaintance | None]]
"""What is known of the caller of one call; None for nothing. Raises StoreUnavailable, ConfigError."""

# Seconds. What comes later than that would change the prompt of a conversation that has begun.
_PATIENCE: Final = 1.0

log = structlog.get_logger(__name__)


async def remember(recall: Recall, history: History, chronicle: Chronicle) -> None:
    """Let *history* know what is recalled. A call in which nothing can be recalled goes on without."""
    try:
        async with asyncio.timeout(_PATIENCE):
            known = await recall()
    except (StoreUnavailable, ConfigError, TimeoutError) as error:
        log.warning("nothing_recalled", reason=type(error).__name__)
        chronicle.happened("memory", {"failed": True})
        return
    if known is not None:
        history.know(of_the_caller(known))
        chronicle.happened("memory", {"contact": bool(known.name), "calls": len(known.earlier)})
