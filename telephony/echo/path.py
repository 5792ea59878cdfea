"""The way of an echo as an adaptive filter: where it lies, what it will bring, and how sure of that the filter is.

A partitioned-block Kalman filter in the frequency domain (Enzner, Vary, "Frequency-domain adaptive Kalman filter for
acoustic echo control in hands-free telephones", Signal Processing 86, 2006; partitions: Kuech, Mabande, Enzner,
ICASSP 2014). Its steps follow from its own uncertainty and from what else is heard, so that somebody who speaks over
the echo needs no detector: he only makes it learn more slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Signal: TypeAlias = NDArray[np.float32]
Bands: TypeAlias = NDArray[np.float32]
Spectrum: TypeAlias = NDArray[np.complex64]

# A path loses its certainty with time: paths drift, and jitter buffers slip.
_KEPT = np.float32(0.9998**2)
_UNCERTAIN, _HARDLY = np.float32(0.05), np.float32(2e-4)
_NEAR_MEMORY = np.float32(0.8)
# Partitions whose response is cut to one frame in a step: all of them in turn (Soo and Pang 1990).
_CONSTRAINED = 5
_LEAST = np.float32(1e-3)


class FarEnd:
    """What was played, in overlapping blocks of two frames, the latest first.

    spectra: (parts, frame + 1); powers: theirs; bands: (parts, count), as *banded* sums up a spectrum.
    """

    def __init__(self, frame: int, parts: int, count: int, banded: Callable[[Spectrum], Bands]) -> None:
        self.frame = frame
        self.parts = parts
        self.spectra: Spectrum = np.zeros((parts, frame + 1), dtype=np.complex64)
        self.powers: Signal = np.zeros((parts, frame + 1), dtype=np.float32)
        self.bands: Bands = np.zeros((parts, count), dtype=np.float32)
        self._banded = banded
        self._latest: Signal = np.zeros(frame, dtype=np.float32)

    def push(self, far: Signal) -> None:
        """Append a frame."""
        for history in (self.spectra, self.powers, self.bands):
            history[1:] = history[:-1]
        newest = transform(np.concatenate((self._latest, far)))
        self.spectra[0], self.powers[0], self.bands[0] = newest, power(newest), self._banded(newest)
        self._latest = far


class EchoPath:
    """A filter from the far end to the echo in the near end, which begins about *part* frames after it."""

    def __init__(self, far: FarEnd, part: int) -> None:
        self._far = far
        shape = far.spectra.shape
        self._weights: Spectrum = np.zeros(shape, dtype=np.complex64)
        self._uncertainty: Signal = np.full(shape, _HARDLY, dtype=np.float32)
        # Learning what lies around the delay first takes a few frames instead of a second.
        self._uncertainty[max(0, part - 1) : part + 3] = _UNCERTAIN
        self._near: Signal = np.zeros(shape[1], dtype=np.float32)
        self._turn = 0

    def predict(self) -> Signal:
        """The echo in the present frame."""
        blocks = np.fft.irfft((self._far.spectra * self._weights).sum(axis=0))
        return np.asarray(blocks[self._far.frame :], dtype=np.float32)

    def learn(self, left: Spectrum) -> None:
        """*left*: the spectrum of what the prediction left of the present frame, behind a frame of zeros."""
        spectra, powers = self._far.spectra, self._far.powers
        self._near = _NEAR_MEMORY * self._near + (1 - _NEAR_MEMORY) * power(left)
        # A block has two frames and what is left one: half of the power.
        expected = 0.5 * (powers * self._uncertainty).sum(axis=0)
        step = self._uncertainty / (expected + self._near + _LEAST)
        self._weights += (spectra * left.conj()).conj() * step
        self._uncertainty *= _KEPT - (0.5 * _KEPT) * (step * powers)
        self._uncertainty += (1 - _KEPT) * power(self._weights)
        self._constrain()

    def _constrain(self) -> None:
        chosen = (self._turn + np.arange(_CONSTRAINED)) % self._far.parts
        self._turn = int(chosen[-1]) + 1
        responses = np.fft.irfft(self._weights[chosen], axis=1)
        responses[:, self._far.frame :] = 0
        self._weights[chosen] = np.fft.rfft(responses, axis=1)


def transform(signal: Signal) -> Spectrum:
    """The spectrum of *signal*, in the precision that it has."""
    return np.asarray(np.fft.rfft(signal), dtype=np.complex64)


def power(spectrum: Spectrum) -> Signal:
    """The power of each bin."""
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), dtype=np.float32)
