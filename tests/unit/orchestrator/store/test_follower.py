"""What is in memory is read anew when it was changed, and until that succeeds."""

from __future__ import annotations

import asyncio

from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.store.follower import RETRY, Follower
from tests.virtual_clock import run_virtual


class Memory:
    """Notes when it is loaded. failures: of the first loads."""

    def __init__(self, *failures: Exception, again: float | None = None) -> None:
        self.loads: list[float] = []
        self._failures = list(failures)
        self.follower = Follower("memory", self.load, lambda: again)

    async def load(self) -> None:
        self.loads.append(asyncio.get_running_loop().time())
        if self._failures:
            raise self._failures.pop(0)

    def loaded_within(self, seconds: float, *told: float) -> list[float]:
        """When it was loaded in its first *seconds*, in which it was *told* of changes."""
        run_virtual(self._live(seconds, told))
        return self.loads

    async def _live(self, seconds: float, told: tuple[float, ...]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for at in told:
            loop.call_later(at, self.follower.heard, None)
        async with self.follower.running():
            await asyncio.sleep(seconds)
        self.loads = [round(at - began, 3) for at in self.loads]


def test_it_is_loaded_when_something_was_changed_and_only_then() -> None:
    assert Memory().loaded_within(100.0, 5.0, 7.0) == [5.0, 7.0]


def test_while_the_database_is_away_or_refuses_it_is_tried_again() -> None:
    memory = Memory(StoreUnavailable("away"), ConfigError("not you"))
    assert memory.loaded_within(100.0, 5.0) == [5.0, 5.0 + RETRY, 5.0 + 2 * RETRY]


def test_what_ages_is_loaded_again_in_any_case() -> None:
    assert Memory(again=60.0).loaded_within(150.0, 5.0) == [5.0, 65.0, 125.0]
