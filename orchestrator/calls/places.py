"""How many calls are in, and whether one more may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Where nobody has said what the machine bears.
_MOST_SIMULATED: Final = 20
_SHARE: Final = 4


@dataclass(slots=True)
class Places:
    """Calls over lines, and simulated ones, which have places of their own beside them.

    lines, simulated: how many there are now; most: over lines, None when nobody has said. Whoever tries an agent out
    takes no caller's place, and makes the machine bear a quarter more than *most* at the worst.
    """

    most: int | None
    lines: int = 0
    simulated: int = 0

    @property
    def taken(self) -> int:
        """All calls."""
        return self.lines + self.simulated

    def has_room(self, *, simulated: bool) -> bool:
        """Whether one more may be. None is simulated on a machine that is full."""
        if self.most is None:
            return not simulated or self.simulated < _MOST_SIMULATED
        free = self.lines < self.most
        return free and self.simulated < max(1, self.most // _SHARE) if simulated else free

    def take(self, *, simulated: bool) -> None:
        """One more is in."""
        self._count(1, simulated=simulated)

    def leave(self, *, simulated: bool) -> None:
        """One has ended."""
        self._count(-1, simulated=simulated)

    def _count(self, change: int, *, simulated: bool) -> None:
        if simulated:
            self.simulated += change
        else:
            self.lines += change
