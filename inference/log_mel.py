"""Whisper's log-mel spectrogram, which smart-turn was trained on too.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022, section 2.2.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE: Final = 16000
FFT: Final = 400
HOP: Final = 160
FLOOR: Final = 1e-10
VARIANCE_FLOOR: Final = 1e-7
DYNAMIC_RANGE: Final = 8.0  # in powers of ten, below the loudest bin


def normalised(samples: Samples) -> Samples:
    """*samples* with mean 0 and variance 1, as transformers.WhisperFeatureExtractor(do_normalize=True) makes them."""
    result: Samples = (samples - samples.mean()) / np.sqrt(samples.var() + VARIANCE_FLOOR)
    return result


def log_mel(samples: Samples, bands: int = 80) -> Samples:
    """Log-mel features of *samples* (16 kHz, shape (n,), n > 0): shape (bands, n // 160)."""
    padded = np.pad(samples, FFT // 2, mode="reflect")
    frames = sliding_window_view(padded, FFT)[: len(samples) // HOP * HOP : HOP]
    spectrum = np.fft.rfft(frames * WINDOW, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    # Not @: for a product this small BLAS wakes its threads, which then spin for twenty times as long as it takes.
    mel = np.log10(np.maximum(np.einsum("bf,tf->bt", mel_filters(bands), power), FLOOR))
    features: Samples = (np.maximum(mel, np.max(mel, initial=np.log10(FLOOR)) - DYNAMIC_RANGE) + 4.0) / 4.0
    return features.astype(np.float32)


@cache
def mel_filters(bands: int) -> Samples:
    """Slaney's triangular filters of unit area, shape (bands, 201): linear below 1 kHz, logarithmic above."""
    corners = hertz(np.linspace(0.0, mels(np.array(RATE / 2)), bands + 2))
    bins = np.linspace(0.0, RATE / 2, FFT // 2 + 1)
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None]).astype(np.float32)


def mels(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """*frequency* in Hz on Slaney's mel scale."""
    above = 15.0 + np.log(np.maximum(frequency, 1000.0) / 1000.0) * (27.0 / np.log(6.4))
    return np.where(frequency < 1000.0, 3.0 * frequency / 200.0, above)


def hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The frequency in Hz at *mel* on Slaney's scale."""
    above = 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0))
    return np.where(mel < 15.0, 200.0 * mel / 3.0, above)


WINDOW: Final = np.hanning(FFT + 1)[:-1].astype(np.float32)
