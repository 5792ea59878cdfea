"""Whether what sounds like a voice may be the first of an echo that is just being looked into."""

from __future__ import annotations

# Frames for which it is held back. A clear voice, so many dB over what an echo can be, uses them up sooner.
_MOST = 10
_CLEAR_DB, _CLEAR = 6.0, 3


class Doubt:
    """One call's. It halves each time that there was no echo, so a line without one is soon let alone."""

    def __init__(self) -> None:
        self._most = _MOST
        self._spent = 0

    def holds_back(self, suspects: bool, over_db: float) -> bool:
        """Whether a frame with a voice waits. suspects: whether an echo is being looked into; over_db: see `excess`."""
        if not suspects:
            self._spent = 0
            return False
        self._spent += 1 if over_db < _CLEAR_DB else _CLEAR
        return self._spent <= self._most

    def confirm(self) -> None:
        """There was an echo."""
        self._most, self._spent = _MOST, 0

    def refute(self) -> None:
        """There was none."""
        self._most, self._spent = self._most // 2, 0
