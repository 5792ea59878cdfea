"""How long to wait before something that died is started again."""

from __future__ import annotations


class BackOff:
    """Waits in seconds: *first* after the first death, twice as long after each that follows, *longest* at most.

    steady: whoever lived longer than that was well, and the next wait is the first again.
    """

    def __init__(self, first: float, longest: float, steady: float) -> None:
        self._first = first
        self._longest = longest
        self._steady = steady
        self._next = first

    def after(self, lived: float) -> float:
        """The wait after a life of *lived* seconds."""
        wait = self._first if lived > self._steady else self._next
        self._next = min(2 * wait, self._longest)
        return wait
