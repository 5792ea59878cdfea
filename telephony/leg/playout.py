"""What is known of the gateway's playout queue: how much was sent, how much has played, and when."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Playout:
    """Counts in samples since the answer. Dropped audio is taken back, so `sent` is all that has played or will.

    A *run* is a stretch of audio without a gap: its first sample's index, and when that left.
    """

    sent: int = 0
    played: int = 0
    _indexes: list[int] = field(default_factory=list)
    _times: list[int] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Samples sent that have not played yet, as last reported."""
        return self.sent - self.played

    def began(self, index: int, at: int) -> None:
        """Sample *index* left at *at*, after silence."""
        self._indexes.append(index)
        self._times.append(at)

    def reported(self, played: int) -> None:
        """*played* samples are out."""
        self.played = max(self.played, played)

    def cleared(self, played: int) -> None:
        """What had not played is gone."""
        self.played = self.sent = played

    def left_at(self, index: int) -> int | None:
        """When sample *index* left, in samples since the answer; None while it has not."""
        run = bisect_right(self._indexes, index) - 1
        if index >= self.played or run < 0:
            return None
        return self._times[run] + index - self._indexes[run]
