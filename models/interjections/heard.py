"""Sounds as a call hears them: some quiet, the sound, quiet again; a room, a level, a background and a G.711 line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.wer import telephone
from models.interjections.phrases import Label, Split
from models.interjections.synthesis import RATE, Random, Wave, quick_size, reverberant
from orchestrator.core.audio import Pcm

LONGEST: Final = 2.0  # s that the network looks at
_TAIL: Final = 0.7  # s of quiet kept after the sound
_FULL: Final = 32768.0


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound by itself, 16 kHz, from its first loud moment to its last.

    kind: as in the report; source: who or what made it; text: its words, "" where there are none or they are unknown;
    language: of the words, "" when there are none.
    """

    pcm: Pcm
    label: Label
    kind: str
    source: str
    split: Split
    text: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound on the line. begins, ends: seconds into *pcm* (16 kHz) at which the sound itself does."""

    sound: Sound
    pcm: Pcm
    begins: float
    ends: float

    def until(self, seconds: float) -> Pcm:
        """What has been heard *seconds* after the sound began."""
        return self.pcm[: int((self.begins + seconds) * RATE)]


def heard(random: Random, sound: Sound) -> Heard:
    """*sound* on some caller's line. What is learned from varies more than what is measured."""
    learned = sound.split == "train"
    wave = sound.pcm.astype(np.float64)
    begins = random.uniform(0.08, 0.4) if learned else random.uniform(0.15, 0.25)
    longest = int((LONGEST + 0.5 - begins) * RATE)
    pace = float(np.exp(random.normal(0.0, 0.09 if learned else 0.04)))
    wave = _paced(wave[: int(longest * pace)], pace)
    far = sound.kind == "far voice"
    if far or random.random() < 0.3:
        wave = reverberant(random, wave, random.uniform(0.3, 0.9) if far else random.uniform(0.08, 0.3))
    if far:
        wave = _tilted(wave, random.uniform(0.5, 0.85))
    elif random.random() < 0.5:
        wave = _tilted(wave, random.uniform(-0.3, 0.4))
    level = random.uniform(-56.0, -40.0) if far else random.uniform(-36.0, -14.0)
    wave *= _FULL * 10 ** (level / 20) / (np.sqrt(np.mean(wave**2)) + 1e-9)
    placed = np.concatenate([np.zeros(int(begins * RATE)), wave, np.zeros(int(_TAIL * RATE))])
    floor = min(level - 8.0, random.uniform(-78.0, -46.0))
    placed += _FULL * 10 ** (floor / 20) * _background(random, len(placed))
    pcm = telephone(np.clip(placed, -32768, 32767).astype(np.int16))
    return Heard(sound, pcm, begins, begins + len(wave) / RATE)


def trimmed(pcm: Pcm) -> Pcm:
    """*pcm* without the quiet before and after: 10 ms frames under a fortieth of the loudest."""
    frames = len(pcm) // 160
    if not frames:
        return pcm
    level = np.sqrt(np.mean(pcm[: frames * 160].reshape(frames, 160).astype(np.float64) ** 2, axis=1))
    (loud,) = np.nonzero(level > level.max() / 40)
    return pcm[loud[0] * 160 : (loud[-1] + 1) * 160] if len(loud) else pcm


def _paced(wave: Wave, pace: float) -> Wave:
    """*wave* played *pace* times as fast, so higher too."""
    paced: Wave = np.interp(np.arange(0, len(wave) - 1, pace), np.arange(len(wave)), wave)
    return paced


def _tilted(wave: Wave, share: float) -> Wave:
    """*wave* with less treble (share over 0, below 1) or more of it (under 0, above -1)."""
    size = quick_size(len(wave) + 256)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = (1 - abs(share)) / (1 - share * turn) if share > 0 else 1 + share * turn
    tilted: Wave = np.fft.irfft(np.fft.rfft(wave, size) * response, size)[: len(wave)]
    return tilted


def _background(random: Random, count: int) -> Wave:
    """Noise of power one, from white to brown, now and then with mains hum."""
    size = quick_size(count)
    spectrum = np.fft.rfft(random.standard_normal(size))
    spectrum[1:] /= np.fft.rfftfreq(size)[1:] ** random.uniform(0.0, 0.8)
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, size)[:count]
    noise /= np.sqrt(np.mean(noise**2))
    if random.random() < 0.2:
        mains = 2 * np.pi * random.choice([50.0, 60.0, 100.0, 120.0]) * np.arange(count) / RATE
        noise += random.uniform(0.5, 2.0) * (np.sin(mains) + 0.5 * np.sin(3 * mains))
    return noise
