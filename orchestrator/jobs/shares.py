"""How many places of a lane an account may have, so that what is slow for one holds up no other."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from orchestrator.core.clock import Clock

# Seconds between two jobs of one account that ask again: thousands of them must not keep a worker from the others.
_APART: Final = 0.1


class Shares:
    """Places that are taken. most: of one account; now: seconds, from any moment on."""

    def __init__(self, most: int, now: Clock) -> None:
        self._most = most
        self._now = now
        self._taken: Counter[UUID] = Counter()
        self._latest: dict[UUID, float] = {}

    def take(self, account: UUID) -> float | None:
        """None: *account* has one more place, until leave(). Else after how many seconds to ask again."""
        if self._taken[account] < self._most:
            self._taken[account] += 1
            return None
        now = self._now()
        self._latest[account] = max(self._latest.get(account, now), now) + _APART
        return self._latest[account] - now

    def leave(self, account: UUID) -> None:
        """Give back a place that *account* took."""
        self._taken[account] -= 1
        if not self._taken[account]:
            del self._taken[account]
            self._latest.pop(account, None)
