"""Whom a call is with, as far as its agent and its account want to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from orchestrator.agents import route
from orchestrator.core.acquaintance import Acquaintance, Memory
from orchestrator.core.events import CallStarted
from orchestrator.core.privacy import Masking, MaskingPolicy
from orchestrator.store.acquaintances_repository import AcquaintancesRepository

# What stands where a number should, of people who show none (RFC 3323, and what carriers write).
_NOBODY: Final = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private"})


@dataclass(frozen=True, slots=True)
class Acquaintances:
    """Those of all accounts. policy: what an account's calls are kept with."""

    repository: AcquaintancesRepository
    policy: Callable[[UUID], MaskingPolicy]

    async def recall(self, started: CallStarted, memory: Memory) -> Acquaintance | None:
        """Who is on the other end of *started*, as far as *memory* goes. Raises StoreUnavailable, ConfigError.

        Where names are masked in what is kept, nobody is known: an agent that knew a name would say it.
        """
        number = route(started.caller if started.direction == "inbound" else started.callee)
        masking = started.masking.with_at_least(self.policy(started.account).words)
        if memory is Memory.OFF or masking is Masking.ALL or number in _NOBODY:
            return None
        agent = started.agent_id if memory is Memory.CALLS else None
        return await self.repository.find(started.account, number, agent)
