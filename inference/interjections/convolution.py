"""Interruption, back-channel or noise, by three convolutions over a log-mel spectrogram: 96,000 weights, in numpy.

Trained by models/interjections/train_interjections.py; docs/models.md has its card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.log_mel import HOP, RATE, log_mel
from inference.manifest import Manifest
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Interjection

Floats: TypeAlias = NDArray[np.float32]

BANDS: Final = 48
KEPT: Final = 36  # of them, below 3.6 kHz: a telephone line carries nothing above
SPAN: Final = 1.25  # of the spectrogram's units, five powers of ten below the loudest band: beneath is the line's noise
SHORTEST: Final = 0.1  # s
STRIDES: Final = (2, 2, 1)
_LAYERS: Final = ("first", "second", "third")


class Options(BaseModel):
    """seconds: what is beyond is not looked at, for a sound so long is decided by its beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=2.0, ge=0.5, le=10.0)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What the network sees. bands: shape (frames, KEPT), 0 to SPAN, a frame each 10 ms; peak: of the loudest."""

    bands: Floats
    peak: float


def spectrum(samples: Floats) -> Spectrum:
    """The spectrum of *samples* (16 kHz, -1 to 1, at least 0.1 s)."""
    return relative(log_mel(samples, BANDS)[:KEPT].T)


def relative(bands: Floats) -> Spectrum:
    """*bands*, a part of log_mel's result in time, measured from SPAN below their loudest."""
    peak = float(bands.max())
    return Spectrum(np.maximum(bands - (peak - SPAN), 0.0, dtype=np.float32), peak)


def summary(pooled: Floats, peak: float, frames: int) -> Floats:
    """The dense layers' input: pooled features, the level in 20 dB, and the length in seconds."""
    return np.concatenate([pooled, np.array([peak * 2.0, frames * HOP / RATE], dtype=np.float32)])


class InterjectionNetwork:
    """Implements Interjections. weights: as models/interjections/network.py saves them."""

    def __init__(self, weights: Mapping[str, Floats], options: Options) -> None:
        self._weights = dict(weights)
        self._samples = int(options.seconds * RATE)

    async def classify(self, sound: AudioFrame) -> Interjection:
        """What *sound* (any rate) is, by its sound alone.

        sound: from about 0.2 s before it began, still going on or over. It takes about 2 ms and does not give way
        meanwhile. Raises ValueError for less than 0.1 s.
        """
        return Interjection(*map(float, self.shares(sound)))

    async def warm(self) -> None:
        """Classify silence once: the first time, filters are computed."""
        self.shares(AudioFrame(np.zeros(RATE, dtype=np.int16), RATE))

    def shares(self, sound: AudioFrame) -> Floats:
        """Probabilities of interruption, back-channel and noise; see classify()."""
        if len(sound.pcm) < SHORTEST * sound.rate:
            raise ValueError(f"{len(sound.pcm) / sound.rate:.3f} s of sound cannot be judged; at least {SHORTEST} s")
        samples = sound.as_float()
        if sound.rate != RATE:
            import soxr  # noqa: PLC0415 - only calls at another rate need it

            samples = soxr.resample(samples, sound.rate, RATE)
        heard = spectrum(samples[: self._samples])
        weights = self._weights
        hidden = heard.bands
        for layer, stride in zip(_LAYERS, STRIDES, strict=True):
            hidden = _convolved(hidden, weights[f"{layer}.weights"], weights[f"{layer}.bias"], stride)
        pooled = np.concatenate([hidden.mean(axis=0), hidden.max(axis=0)])
        features = summary(pooled, heard.peak, len(heard.bands))
        dense = np.maximum(features @ weights["dense.weights"] + weights["dense.bias"], 0.0)
        logits = dense @ weights["output.weights"] + weights["output.bias"]
        powers = np.exp(logits - logits.max())
        shares: Floats = powers / powers.sum()
        return shares


def _convolved(frames: Floats, weights: Floats, bias: Floats, stride: int) -> Floats:
    """frames: shape (n, channels); weights: shape (taps, channels, out). Rectified, shape (ceil(n / stride), out)."""
    taps = len(weights)
    padded = np.pad(frames, ((taps // 2, taps // 2), (0, 0)))
    windows = sliding_window_view(padded, taps, axis=0)[::stride].transpose(0, 2, 1)
    columns = windows.reshape(len(windows), -1)
    kernel = weights.reshape(-1, weights.shape[2])
    # A product this small stays on one thread of BLAS when its rows come in pieces.
    parts = [columns[row : row + _ROWS] @ kernel for row in range(0, len(columns), _ROWS)]
    return np.maximum(np.concatenate(parts) + bias, 0.0)


_ROWS: Final = 16


def load(manifest: Manifest, files: Path, threads: int) -> InterjectionNetwork:
    """The network on network.npz in *files*. Raises ConfigError when it is not one."""
    with np.load(files / "network.npz") as file:
        weights = {name: file[name].astype(np.float32) for name in file.files}
    wanted = {f"{layer}.{part}" for layer in (*_LAYERS, "dense", "output") for part in ("weights", "bias")}
    if set(weights) != wanted or weights["first.weights"].shape[1] != KEPT:
        raise ConfigError(
            f"model {manifest.name!r}: network.npz: holds {', '.join(sorted(weights))}; wanted are "
            f"{', '.join(sorted(wanted))}, the first for {KEPT} bands"
        )
    return InterjectionNetwork(weights, manifest.options_as(Options))
