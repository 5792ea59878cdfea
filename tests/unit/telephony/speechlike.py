"""Signals with the rhythm of speech: syllables of random timbre on a gliding pitch, with gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.audio import Pcm

RATE = 16000
_SYLLABLE = 0.16
_BANDS = 8


def speechlike(seed: int, seconds: float, dbfs: float = -22.0, rate: int = RATE) -> Pcm:
    """int16, *seconds* long; the same for the same seed."""
    draw = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = []
    phase, size = 0.0, round(_SYLLABLE * rate)
    for _ in range(int(np.ceil(seconds / _SYLLABLE))):
        pitch = np.linspace(*draw.uniform(90, 220, size=2), size)
        phases = phase + np.cumsum(pitch) / rate
        phase = float(phases[-1])
        pulses = np.diff(np.floor(phases), prepend=np.floor(phases[0])) * 12 + draw.normal(size=size) * 0.5
        spectrum = np.fft.rfft(pulses)
        hz = np.fft.rfftfreq(size, 1 / rate)
        gains = 10 ** (draw.uniform(-25, 0, size=_BANDS) / 20)
        spectrum *= np.interp(hz, np.linspace(200, 3600, _BANDS), gains) * (hz > 150) * (hz < 3800)
        loud = 0.0 if draw.random() < 0.2 else draw.uniform(0.3, 1.0)
        parts.append(np.fft.irfft(spectrum, size) * np.hanning(size) ** 0.3 * loud)
    whole = np.concatenate(parts)[: round(seconds * rate)]
    whole *= 32768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(np.square(whole)))
    return np.clip(np.round(whole), -32768, 32767).astype(np.int16)


def echoed(far: Pcm, delay: float, gain: float, rate: int = RATE) -> Pcm:
    """*far* as it comes back: *delay* seconds later, times *gain*, with a short tail."""
    tail = np.random.default_rng(7).normal(size=rate // 50) * np.exp(-np.arange(rate // 50) / (0.004 * rate)) * 0.2
    tail[0] = 1.0
    echo = np.convolve(np.concatenate([np.zeros(round(delay * rate)), far]), tail)[: len(far)]
    return np.round(gain * echo).astype(np.int16)


def hiss(seed: int, length: int, dbfs: float = -62.0) -> Pcm:
    """Line noise of *length* samples."""
    return np.round(np.random.default_rng(seed).normal(size=length) * 32768 * 10 ** (dbfs / 20)).astype(np.int16)
