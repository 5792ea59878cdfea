"""An event loop whose time jumps to the next timer, so that minutes of a call pass in milliseconds of test."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: whatever the loop would have slept is added to its clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            # No timer is due and nothing is ready: only another thread could wake the loop.
            return super().select(1.0)
        self.elapsed += max(timeout, 0.0)
        return []


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, starting at 0 s."""

    def __init__(self) -> None:
        self._virtual = _JumpingSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.elapsed


def run_virtual(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run *coroutine* to its end on a fresh loop with virtual time; tasks that it leaves behind are an error."""
    loop = VirtualClockLoop()
    try:
        result = loop.run_until_complete(coroutine)
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        assert not left, f"tasks left behind: {left}"
        return result
    finally:
        loop.close()
