"""Tones, and where they are in a recording."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm

RATE = 16000
LOUD = 2000


def tone(hz: float, duration: float, rate: int = RATE) -> AudioFrame:
    """A sine at a quarter of full scale."""
    times = np.arange(round(duration * rate)) / rate
    return AudioFrame((8000 * np.sin(2 * np.pi * hz * times)).astype(np.int16), rate)


def pitch(pcm: Pcm, rate: int = RATE) -> float:
    """The strongest frequency in *pcm*, Hz."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * rate / len(pcm))


def loud_span(pcm: Pcm, rate: int = RATE) -> tuple[float, float]:
    """Seconds of the first and last loud sample."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > LOUD)
    assert len(loud), "nothing loud in the recording"
    return float(loud[0] / rate), float(loud[-1] / rate)


def channels(path: Path) -> tuple[Pcm, Pcm]:
    """Left and right of a stereo WAV: at the phone sent and heard, at the gateway caller and agent."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, RATE)
        stereo = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return stereo[:, 0], stereo[:, 1]
