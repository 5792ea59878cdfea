"""Where in a recording something was said. The recording may have begun in mid-call, and may lack its last moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from orchestrator.core.audio import Pcm

# Sounds on either side of an utterance that detectors leave out, such as the f of "half".
MARGIN: Final = 0.3
# Ends are told to the frame, and the last frames of a call are heard before they are recorded.
TOLERANCE: Final = 0.1
# Shorter than the 30 s that recognisers take, and cut where it is quietest in the last part of that.
LONGEST: Final = 28.0
_SOUGHT: Final = 8.0
_PAUSE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Extent:
    """What a recording covers. start: seconds on the call's media clock; rate: Hz; frames: how many there are."""

    start: float
    rate: int
    frames: int

    @property
    def _stop(self) -> float:
        return self.start + self.frames / self.rate

    def holds(self, start: float, end: float) -> bool:
        """Whether it has all from *start* to *end*, give or take a moment."""
        return start >= self.start - TOLERANCE and end <= self._stop + TOLERANCE

    def passages(self, times: Sequence[tuple[float, float]], *, in_part: bool = False) -> list[tuple[int, int] | None]:
        """That of each of *times*, at which one of a call's two spoke, in order: see passage()."""
        ends = [-inf, *(end for _, end in times)]
        starts = [*(start for start, _ in times[1:]), inf]
        return [
            self.passage(start, end, after, before, in_part=in_part)
            for (start, end), after, before in zip(times, ends, starts, strict=False)
        ]

    def passage(
        self, start: float, end: float, after: float, before: float, *, in_part: bool = False
    ) -> tuple[int, int] | None:
        """The frames from *start* to *end* with a margin that leaves out what ends at *after* and begins at *before*.

        All in seconds on the media clock. None for what is not in the recording, or not all of it; in_part: what there
        is of it.
        """
        if end <= start or not (in_part or self.holds(start, end)):
            return None
        first = max(min(start, max(start - MARGIN, after)), self.start)
        last = min(max(end, min(end + MARGIN, before)), self._stop)
        found = round((first - self.start) * self.rate), round((last - self.start) * self.rate)
        return found if found[0] < found[1] else None


def pieces(pcm: Pcm, rate: int) -> list[Pcm]:
    """*pcm*, shape (n,), in parts of LONGEST seconds at most, cut where it is quietest."""
    longest, sought, pause = (round(seconds * rate) for seconds in (LONGEST, _SOUGHT, _PAUSE))
    found: list[Pcm] = []
    while len(pcm) > longest:
        begin = longest - sought
        power = np.square(pcm[begin:longest].astype(np.float64))
        loudness = np.convolve(power, np.ones(pause), mode="valid")
        cut = begin + int(np.argmin(loudness)) + pause // 2
        found.append(pcm[:cut])
        pcm = pcm[cut:]
    return [*found, pcm]
