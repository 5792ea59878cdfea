"""Audio as it moves through a call: mono PCM frames on the leg's media clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]

FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """Mono PCM. pcm: int16, shape (n,); rate: Hz; at: seconds on the leg's media clock of the first sample.

    word_ends: of a voice that tells, when the next words of the text are over, in seconds from the first sample; a word
    that goes on after the frame is told of in a later one.
    """

    pcm: Pcm
    rate: int
    at: float = 0.0
    word_ends: tuple[float, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds of audio in the frame."""
        return len(self.pcm) / self.rate

    @property
    def end(self) -> float:
        """Seconds on the media clock just after the last sample."""
        return self.at + self.duration

    def latest(self, seconds: float) -> AudioFrame:
        """Its last *seconds*, or all of it when it is shorter; a view, not a copy."""
        first = max(0, len(self.pcm) - round(seconds * self.rate))
        return AudioFrame(self.pcm[first:], self.rate, self.at + first / self.rate)

    def until(self, end: float) -> AudioFrame:
        """What of it lies before media second *end*; a view, not a copy."""
        return AudioFrame(self.pcm[: max(0, round((end - self.at) * self.rate))], self.rate, self.at)

    def as_float(self) -> NDArray[np.float32]:
        """The samples as float32 in [-1, 1), shape (n,)."""
        return self.pcm.astype(np.float32) / np.float32(FULL_SCALE)


def silence(duration: float, rate: int, at: float = 0.0) -> AudioFrame:
    """A frame of zeros, *duration* seconds long."""
    return AudioFrame(np.zeros(round(duration * rate), dtype=np.int16), rate, at)


def joined(frames: Iterable[AudioFrame]) -> AudioFrame:
    """One frame with the samples and words of *frames* in order, at the first frame's time.

    Raises ValueError when there is no frame or their rates differ.
    """
    parts = list(frames)
    if not parts:
        raise ValueError("no frames to join")
    rates = {part.rate for part in parts}
    if len(rates) != 1:
        raise ValueError(f"cannot join frames of different rates: {sorted(rates)} Hz")
    starts = accumulate((part.duration for part in parts), initial=0.0)
    ends = [start + end for start, part in zip(starts, parts, strict=False) for end in part.word_ends]
    return AudioFrame(np.concatenate([part.pcm for part in parts]), parts[0].rate, parts[0].at, tuple(ends))


def level_dbfs(pcm: Pcm) -> float:
    """RMS level of *pcm* in dBFS; digital silence and an empty array are -120."""
    if len(pcm) == 0:
        return -120.0
    mean_square = float(np.mean(np.square(pcm.astype(np.float32) / FULL_SCALE)))
    return 10.0 * float(np.log10(max(mean_square, 1e-12)))
