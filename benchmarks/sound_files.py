"""Questions from audio files of any rate, as the caller plays them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.conversation import RATE
from orchestrator.core.audio import Pcm
from orchestrator.core.errors import ConfigError

_BAND = 2 * 3400


def read_wav(path: Path) -> Pcm:
    """The first channel of a 16-bit PCM WAV file at 16 kHz. Raises ConfigError for anything else."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise ConfigError(f"{path}: {error}; accepted are 16-bit PCM WAV files") from error
    if width != 2:
        raise ConfigError(f"{path}: {8 * width}-bit samples; accepted are 16-bit PCM WAV files")
    return at_line_rate(np.frombuffer(data, dtype="<i2").reshape(-1, channels)[:, 0], rate)


def read_recording(path: Path) -> Pcm:
    """A WAV file at 16 kHz, or a `.raw` one: 16-bit little-endian samples at 16 kHz, no header. Raises ConfigError."""
    if path.suffix != ".raw":
        return read_wav(path)
    try:
        return np.fromfile(path, dtype="<i2").astype(np.int16)
    except OSError as error:
        raise ConfigError(f"{path}: {error}") from error


def at_line_rate(pcm: Pcm, rate: int) -> Pcm:
    """*pcm* (int16, shape (n,), *rate* Hz) at the caller's 16 kHz."""
    return np.ascontiguousarray(pcm, dtype=np.int16) if rate == RATE else _resampled(pcm, rate, RATE)


def narrowband(pcm: Pcm) -> Pcm:
    """*pcm* (16 kHz) without what a G.711 line does not carry: all over 3.4 kHz (ITU-T G.712).

    A last /s/ may lie wholly over that: nobody at the other end could hear that the word goes on.
    """
    return _resampled(_resampled(pcm, RATE, _BAND), _BAND, RATE)


def _resampled(pcm: Pcm, rate: int, target: int) -> Pcm:
    moved: NDArray[np.float32] = soxr.resample(pcm.astype(np.float32), rate, target)
    return np.clip(np.round(moved), -32768, 32767).astype(np.int16)
