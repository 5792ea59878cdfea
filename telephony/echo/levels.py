"""Powers in bands: of the line's noise, and of the loudest echo that has not been ruled out yet."""

from __future__ import annotations

import numpy as np

from telephony.echo.path import Bands, FarEnd, Signal, Spectrum, power, transform

# Hz, within what both telephone bands carry, growing like the ear's bands. A bin is 25 Hz wide at either rate.
_EDGES = np.array((250, 400, 550, 700, 900, 1100, 1400, 1700, 2100, 2600, 3400)) // 25
BINS = slice(int(_EDGES[0]), int(_EDGES[-1]))
COUNT = len(_EDGES) - 1

# Nothing softer is speech: comfort noise is sent at -60 dBFS or less (RFC 3389).
_AUDIBLE = 10**-6.2
_OVER_NOISE = 4.0
# The floor follows the quietest frames, and forgets them by 2 dB a second.
_NOISE_RISE = np.float32(1.01)
_LEAST = np.float32(1e-6)

# An echo that cannot be there now may be there later: a telephone is put on its loudspeaker. 4 dB a second.
_BOUND_RISE = np.float32(0.02)
_BOUND_MARGIN_DB = 12.0
# Nobody who speaks when the agent has just begun waits for an echo that comes later than so many frames, which is rare
# (ITU-T G.131 ends at 0.4 s); it is expected once it has been heard.
_LATEST, _SILENT = 26, np.float32(-20.0)
# A single band's part in an excess: one that holds nothing of the echo must not outvote the others.
_MOST_DB = 15.0
_SOFT_FAR = 0.02


class Spectrums:
    """Spectra of single frames of *frame* samples."""

    def __init__(self, frame: int) -> None:
        self.frame = frame
        self._zeros: Signal = np.zeros(frame, dtype=np.float32)

    def of(self, signal: Signal) -> Spectrum:
        """The spectrum of a frame behind a frame of zeros, shape (frame + 1,)."""
        return transform(np.concatenate((self._zeros, signal)))

    @property
    def audible(self) -> float:
        """The power, summed over bands, of the softest frame that may be speech."""
        return float(_AUDIBLE * self.frame**2)


def bands(spectrum: Spectrum) -> Bands:
    """The power of *spectrum* in each band, shape (COUNT,)."""
    return np.asarray(np.add.reduceat(power(spectrum)[: BINS.stop], _EDGES[:-1]))


def excess(found: Bands, limit: Bands) -> float:
    """By how many dB *found* is over *limit*, on average over the bands; bands under it count for nothing."""
    over = decibels((found + _LEAST) / (limit + _LEAST))
    return float(np.mean(np.clip(over, 0.0, _MOST_DB)))


def decibels(ratio: Bands) -> Bands:
    """*ratio* of powers in dB."""
    return np.asarray(10.0 * np.log10(ratio), dtype=np.float32)


class Noise:
    """The line's noise. bands: its power in each."""

    def __init__(self, audible: float) -> None:
        self.bands: Bands = np.ones(COUNT, dtype=np.float32)
        self._audible = audible

    def hear(self, near: Bands) -> bool:
        """Whether a frame with the powers *near* holds more than noise."""
        self.bands = np.maximum(np.minimum(near, self.bands * _NOISE_RISE), _LEAST)
        return bool(near.sum() > max(_OVER_NOISE * self.bands.sum(), self._audible))

    @property
    def limit(self) -> Bands:
        """The power that noise stays under."""
        return self.bands * np.float32(_OVER_NOISE)


class Bounds:
    """How loud an echo of each delay can be: never louder than the softest that was heard while the far end was loud.

    So a caller who is silent for a moment while the agent speaks proves that there is no echo, at any delay that the
    moment covers, and an echo proves its own delay by being there whenever it must.
    """

    def __init__(self, far: FarEnd, audible: float) -> None:
        self._far = far
        self._loud = 4 * audible * _SOFT_FAR
        self._softest: Bands = np.zeros((far.parts, COUNT), dtype=np.float32)
        self._softest[_LATEST:] = _SILENT
        self._before: Bands = np.zeros(COUNT, dtype=np.float32)

    def hear(self, near: Bands) -> Bands:
        """Take in a frame with the powers *near*; the most of it that can be an echo."""
        # Echoes do not keep to frames: what was surely, and what may have been played a delay ago.
        far = self._far.bands
        sides = np.concatenate((far[:1], far[:-1])), far, np.concatenate((far[1:], far[-1:]))
        surely, possibly = np.minimum.reduce(sides), np.maximum.reduce(sides)
        # A block of the far end spans two frames.
        found = np.log((near + self._before + _LEAST) / (surely + _LEAST))
        self._before = near
        self._softest = np.where(surely > self._loud, np.minimum(self._softest + _BOUND_RISE, found), self._softest)
        most: Bands = np.max(np.exp(self._softest) * possibly, axis=0)
        return most * np.float32(10 ** (_BOUND_MARGIN_DB / 10))
