"""How often something may happen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class Pace:
    """Lets something happen *most* times in any *within* seconds."""

    def __init__(self, most: int, within: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._within = within
        self._clock = clock

    @property
    def spent(self) -> bool:
        """Whether once more would be too often now."""
        return len(self._times) == self._times.maxlen and self._clock() - self._times[0] < self._within

    def count(self) -> None:
        """It has happened."""
        self._times.append(self._clock())
