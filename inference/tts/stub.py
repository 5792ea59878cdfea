"""A voice for load tests only: a prepared buzz in place of speech, at a given pace, without computing anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.audio import FULL_SCALE, AudioFrame, Pcm

_LONGEST = 20.0  # seconds of prepared sound
_PITCH_HZ = 125
_HARMONICS = 20
_SYLLABLES_HZ = 4
_PEAK = 0.3


class Options(BaseModel):
    """What a manifest may set. first_audio, per_piece: seconds to the first and between later ones; piece: seconds of
    sound in each; characters_per_second: how fast the voice speaks; rate: Hz."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_audio: Annotated[float, Field(ge=0)] = 0.1
    per_piece: Annotated[float, Field(ge=0)] = 0.02
    piece: Annotated[float, Field(gt=0)] = 0.2
    characters_per_second: Annotated[float, Field(gt=0)] = 15.0
    rate: Annotated[int, Field(ge=8000)] = 16000


class StubVoice:
    """Speaks any number of sentences at once."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._sound = buzz(_LONGEST, options.rate)

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        """A sound as long as *sentence* would take, loud from the first sample to the last, twenty seconds at most.

        Each piece is due at its own time after the request, so that waits do not add up.
        """
        clock = asyncio.get_running_loop().time
        due = clock() + self._options.first_audio
        rate = self._options.rate
        sound = self._sound[: round(len(sentence) / self._options.characters_per_second * rate)]
        step = round(self._options.piece * rate)
        for start in range(0, len(sound), step):
            await asyncio.sleep(max(0.0, due - clock()))
            yield AudioFrame(sound[start : start + step], rate, start / rate)
            due += self._options.per_piece


def buzz(duration: float, rate: int) -> Pcm:
    """A sound with a voice's pitch and rhythm, int16, shape (duration * rate,); never quieter than -30 dBFS."""
    at = np.arange(round(duration * rate)) / rate
    tone = sum(np.sin(2 * np.pi * _PITCH_HZ * number * at) / number for number in range(1, _HARMONICS + 1))
    loudness = 0.65 + 0.35 * np.cos(2 * np.pi * _SYLLABLES_HZ * at)
    wave = np.asarray(tone) * loudness
    pcm: Pcm = np.round(wave / np.abs(wave).max() * _PEAK * FULL_SCALE).astype(np.int16)
    return pcm


def load(manifest: Manifest, files: Path, threads: int) -> StubVoice:
    """The voice of *manifest*; it has no files and needs no thread."""
    return StubVoice(manifest.options_as(Options))
