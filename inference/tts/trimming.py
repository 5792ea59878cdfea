"""Takes the silence off both ends of speech that comes in pieces: a caller would hear it as latency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# -46 dBFS: below Piper's quietest phonemes, above its breath.
AUDIBLE = 160
LEAD = 0.002
TAIL = 0.12  # sentences follow each other without a gap of their own: this much is the pause between them


class Trimmer:
    """Feed it int16 pieces in order; it holds silence back until it knows whether speech follows.

    skipped: samples of silence that it took off before the speech, once that has begun.
    """

    def __init__(self, rate: int, *, lead: float = LEAD, tail: float = TAIL) -> None:
        self._lead = round(lead * rate)
        self._tail = round(tail * rate)
        self.skipped = 0
        self._begun = False
        self._held = np.zeros(0, dtype=np.int16)

    def feed(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """What of *pcm*, and of the silence before it, is certain to be part of the speech."""
        pcm = np.concatenate([self._held, pcm])
        audible = np.flatnonzero(np.abs(pcm.astype(np.int32)) > AUDIBLE)
        if not len(audible):
            # Before the speech only the last moment may be needed; after it, the tail at the most.
            self._held = pcm if self._begun else pcm[-self._lead :]
            self.skipped += len(pcm) - len(self._held)
            return pcm[:0]
        first = 0 if self._begun else max(0, int(audible[0]) - self._lead)
        self.skipped += first
        self._begun = True
        last = int(audible[-1]) + 1
        self._held = pcm[last:]
        return pcm[first:last]

    def finish(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """The end of the speech; *pcm* is the last piece."""
        spoken = self.feed(pcm)
        return np.concatenate([spoken, self._held[: self._tail]]) if self._begun else spoken
