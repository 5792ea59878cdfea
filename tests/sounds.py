"""Synthesised recordings whose truth is known to the sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.audio import FULL_SCALE, Pcm

RATE = 16000
Wave = NDArray[np.float64]


def voice(duration: float, level_dbfs: float = -20.0, pitch_hz: float = 120.0) -> Wave:
    """Vowels one after another: harmonics of *pitch_hz*, swelling five times a second, never by more than 12 dB."""
    t = np.arange(round(duration * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * pitch_hz * k * t + k * k) / k for k in range(1, 20))
    swell = 10 ** (-6 * (1 - np.cos(2 * np.pi * 5 * t)) / 20)
    return _scaled(np.asarray(harmonics) * swell, level_dbfs)


def noise(duration: float, level_dbfs: float, seed: int = 0) -> Wave:
    """Steady telephone-band noise: hiss, comfort noise, a fricative or a breath, by its level."""
    white = np.random.default_rng(seed).normal(size=round(duration * RATE) + 8)
    return _scaled(np.convolve(white, np.ones(4) / 4, mode="same")[: round(duration * RATE)], level_dbfs)


def click(level_dbfs: float = -6.0) -> Wave:
    """Two milliseconds of a switch."""
    return _scaled(np.sign(np.sin(np.arange(round(0.002 * RATE)))), level_dbfs)


def mixed(duration: float, *parts: tuple[float, Wave]) -> Pcm:
    """A recording of *duration* seconds with each part added at its second."""
    out = np.zeros(round(duration * RATE))
    for at, part in parts:
        first = round(at * RATE)
        fitting = part[: len(out) - first]
        out[first : first + len(fitting)] += fitting
    return np.clip(np.round(out * FULL_SCALE), -32768, 32767).astype(np.int16)


def with_zero_frames(pcm: Pcm, share: float, seed: int = 0) -> Pcm:
    """*pcm* with this share of its quiet 20 ms frames replaced by digital silence, as a jitter buffer does."""
    frames = pcm[: len(pcm) // 320 * 320].reshape(-1, 320).copy()
    quiet = np.sqrt(np.mean(np.square(frames.astype(np.float64)), axis=1)) < 32768 * 10 ** (-45 / 20)
    chosen = quiet & (np.random.default_rng(seed).random(len(frames)) < share)
    frames[chosen] = 0
    return frames.reshape(-1)


def _scaled(wave: Wave, level_dbfs: float) -> Wave:
    return np.asarray(wave * (10 ** (level_dbfs / 20) / np.sqrt(np.mean(np.square(wave)))))
