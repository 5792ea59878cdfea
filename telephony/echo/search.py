"""Looks for the delay of an echo, and believes only what a filter for that delay really takes away."""

from __future__ import annotations

import numpy as np

from telephony.echo.levels import BINS, bands, decibels
from telephony.echo.path import Bands, EchoPath, FarEnd, Signal, Spectrum

# Delays in a partition: those of 8 kHz are fine enough, at either rate.
_LAGS = 160
_MEMORY = np.float32(0.9)
# The strongest of 8,000 correlations of two people's speech stays under 4 (in standard deviations).
_STRONG = 4.2
_CERTAIN = 5.8
_NEAR_LAG = 6
_STEADY = 3
_LEAST = np.float32(1e-6)

_TRIAL_FRAMES = 50
_SURE_FRAMES = 6
_AVERAGED = 0.15
_SETTLED_FRAMES = 40
_TAKEN_DB = 2.0
# How the power of a room decays behind its first frames: 3 dB in 20 ms are a T60 of 0.4 s.
_DECAY = 0.5 ** np.arange(1, 10)
_HERE, _ABOUT = (np.concatenate((np.ones(3 + 2 * frames), _DECAY)).astype(np.float32) for frames in (0, 5))


class DelaySearch:
    """Correlates what comes in with all that was played, by phase alone (GCC-PHAT: Knapp and Carter 1976)."""

    def __init__(self, far: FarEnd) -> None:
        self._far = far
        self._window: Signal = np.hanning(far.frame).astype(np.float32)
        self._cross: Spectrum = np.zeros((far.parts, _LAGS + 1), dtype=np.complex64)
        self._weight = 0.0
        self._lag = self._steady = 0
        self._strength = 0.0

    def look(self, spectrum: Spectrum) -> int | None:
        """The delay of an echo in this frame, in 160ths of a partition, once it has stood out for a while.

        spectrum: of the frame under `window`, behind a frame of zeros.
        """
        product = self._far.spectra[:, BINS].conj() * spectrum[BINS]
        self._cross *= _MEMORY
        self._cross[:, BINS] += product / (np.abs(product) + _LEAST)
        self._weight = self._weight * float(_MEMORY) ** 2 + (BINS.stop - BINS.start)
        correlation = np.abs(np.fft.irfft(self._cross, axis=1)[:, :_LAGS]).ravel()
        lag = int(np.argmax(correlation))
        strength = float(correlation[lag]) * 2 * _LAGS / np.sqrt(2 * self._weight)
        self._steady = self._steady + 1 if strength > _STRONG and abs(lag - self._lag) < _NEAR_LAG else 0
        self._lag, self._strength = lag, strength
        return lag if self._steady >= _STEADY else None

    @property
    def suspects(self) -> bool:
        """Whether one delay begins to stand out."""
        return self._steady >= _STEADY - 1

    @property
    def certain(self) -> bool:
        """Whether a delay stands out so far that no filter need prove it."""
        return self._steady >= _STEADY and self._strength > _CERTAIN

    @property
    def window(self) -> Signal:
        """What a frame is to be multiplied with: the edges of frames correlate with each other."""
        return self._window

    def forget(self) -> None:
        """Begin anew."""
        self._cross[:] = 0
        self._weight = 0.0
        self._steady = 0


class Echo:
    """An echo that begins in partition *part*, as far as its filter knows it.

    whole, left: logarithms of the powers that come in and that the filter leaves, against those that were played;
    taken_db: what the filter takes away.
    """

    def __init__(self, far: FarEnd, lag: int, before: Echo | None = None) -> None:
        self.lag = lag
        self.part = lag // _LAGS
        self.path = EchoPath(far, self.part)
        # A jitter buffer moves an echo, and leaves it as loud as it was.
        self.whole: Bands | None = None if before is None else before.whole
        self.left: Bands | None = self.whole
        self.taken_db = 0.0
        self._far = far
        self._frames = 0

    @property
    def settled(self) -> bool:
        """Whether its averages are those of more than a few sounds."""
        return self._frames > _SETTLED_FRAMES

    @property
    def refuted(self) -> bool:
        """Whether the filter has had its time, and takes nothing away."""
        return self._frames > _TRIAL_FRAMES * 2 and self.taken_db < _TAKEN_DB / 2

    def is_at(self, lag: int) -> bool:
        """Whether it has that delay."""
        return abs(lag - self.lag) < _NEAR_LAG

    @property
    def played(self) -> Bands:
        """The powers of what was played and may be heard in this frame."""
        return self._loudest(_HERE)

    @property
    def around(self) -> Bands:
        """The same when a jitter buffer may just have moved the echo, by 0.1 s at most."""
        return self._loudest(_ABOUT)

    def _loudest(self, weights: Signal) -> Bands:
        first = self.part - (len(weights) - len(_HERE)) // 2 - 1
        rows = self._far.bands[max(0, first) :]
        weights = weights[max(0, -first) :][: len(rows)]
        loudest = np.max(rows[: len(weights)] * weights[:, None], axis=0)
        return np.asarray(loudest + 1e-9, dtype=np.float32)

    def hear(self, near: Bands, left: Bands, *, up: float, down: float, taken: float) -> None:
        """A frame that holds the echo alone; the shares of what is new say how fast the averages follow."""
        self._frames += 1
        played = self.played
        whole, rest = np.log(near / played + 1e-9), np.log(left / played + 1e-9)
        self.whole = _followed(self.whole, whole, up, down)
        self.left = _followed(self.left, rest, up, down)
        self.taken_db += taken * (float(decibels((near.sum() + 1e-9) / (left.sum() + 1e-9))) - self.taken_db)


class Trial:
    """A filter for a delay that may be the echo's, run for a second beside what is known already."""

    def __init__(self, far: FarEnd, lag: int) -> None:
        self.echo = Echo(far, lag)
        self._gain_db = 0.0
        self._frames = 0

    def hear(self, left: Spectrum, near: Bands, known: Bands) -> bool:
        """Whether the filter is believed.

        left: what it leaves of a frame; near: the powers that came in; known: those left by what is known already.
        """
        powers = bands(left)
        self.echo.hear(near, powers, up=_AVERAGED, down=_AVERAGED, taken=_AVERAGED)
        gain = float(decibels((known.sum() + 1e-9) / (powers.sum() + 1e-9)))
        self._gain_db += _AVERAGED * (gain - self._gain_db)
        self._frames += 1
        return self._frames >= _SURE_FRAMES and self._gain_db > _TAKEN_DB

    @property
    def over(self) -> bool:
        """Whether it has had its time."""
        return self._frames >= _TRIAL_FRAMES


def _followed(before: Bands | None, now: Bands, up: float, down: float) -> Bands:
    if before is None:
        return now
    return np.asarray(before + np.where(now > before, up, down) * (now - before), dtype=np.float32)
