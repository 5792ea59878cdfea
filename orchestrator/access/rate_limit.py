"""So many tries in so many seconds, for each who tries."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from orchestrator.core.clock import Clock

# Whoever has been forgotten starts anew, so this bounds memory and not the rate.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Draw:
    """What a try met.

    wait: seconds until the next may succeed, 0 when this one did; left: how many may follow at once; full: seconds
    until the bucket is full again.
    """

    wait: float
    left: int
    full: float


class RateLimit:
    """A bucket each: *most* tries at once, one more every seconds / most."""

    def __init__(self, most: int, seconds: float, now: Clock) -> None:
        self.most = most
        self.seconds = seconds
        self._each = seconds / most
        self._now = now
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str) -> float:
        """0 when *who* may try now, and has; otherwise the seconds after which they may."""
        return self.draw(who).wait

    def wait(self, who: str) -> float:
        """Seconds until *who* may try, 0 when that is now. Nothing is counted."""
        now = self._now()
        wait = self._full_at.get(who, now) - now - self._each * (self.most - 1)
        return wait if wait > 1e-3 * self._each else 0.0  # sums of floats

    def draw(self, who: str) -> Draw:
        """Let *who* try, if they may now, and say what is left to them."""
        now = self._now()
        full_at = max(self._full_at.get(who, now), now)
        wait = full_at - now - self._each * (self.most - 1)
        if wait > 1e-3 * self._each:  # sums of floats
            return Draw(wait, 0, full_at - now)
        self._full_at[who] = full_at = full_at + self._each
        self._full_at.move_to_end(who)
        if len(self._full_at) > _REMEMBERED:
            self._full_at.popitem(last=False)
        return Draw(0.0, int((self._each * self.most - (full_at - now)) / self._each + 1e-3), full_at - now)
