"""How a caller feels, from how their turns sound one after the other."""

from __future__ import annotations

from typing import Final

# Of the latest turn in the mean: one harsh word is no bad temper, three in a row are.
_LATEST: Final = 0.5


class Temper:
    """An exponential mean of scores from -1 to 1. level: None before the first."""

    def __init__(self) -> None:
        self.level: float | None = None

    def take(self, score: float) -> float:
        """The level with the next turn's *score*."""
        self.level = score if self.level is None else self.level + _LATEST * (score - self.level)
        return self.level
