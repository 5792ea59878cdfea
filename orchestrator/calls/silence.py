"""How long nobody has said anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class SilenceWatch:
    """Tells each time that *seconds* have passed in which neither side said anything.

    elapsed: called with how often it has been since the caller's last words, this time included.
    """

    def __init__(self, seconds: float, elapsed: Callable[[int], None]) -> None:
        self._seconds = seconds
        self._elapsed = elapsed
        self._times = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Nobody speaks from now on."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._tell)

    def stop(self) -> None:
        """Somebody speaks, or the call is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def answered(self) -> None:
        """The caller has said something in words."""
        self._times = 0

    def _tell(self) -> None:
        self._times += 1
        self._elapsed(self._times)
