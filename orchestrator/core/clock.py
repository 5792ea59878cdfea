"""One clock a call: media time, and how wall-clock moments map onto it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

Clock = Callable[[], float]
"""A monotonic clock in seconds, such as the event loop's time()."""


@dataclass(slots=True)
class MediaClock:
    """Media time at this moment, from frames that arrive late by a varying delay.

    The smallest delay ever seen is taken as none: media now = clock now - min(arrival - end of the frame).
    """

    clock: Clock
    _offset: float = field(default=inf)

    def observe(self, end: float) -> None:
        """Note that a frame whose last sample is at *end* (media seconds) has just arrived."""
        self._offset = min(self._offset, self.clock() - end)

    def now(self) -> float:
        """Media seconds at this moment; 0 before the first frame."""
        return 0.0 if self._offset is inf else max(0.0, self.clock() - self._offset)
