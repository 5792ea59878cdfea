"""A recogniser for load tests only: it hears nothing and answers after a given time, without computing anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.audio import AudioFrame
from orchestrator.core.ports import Reading, Transcript, Word


class Options(BaseModel):
    """What a manifest may set. delay: seconds to each answer; words: of every caller, from the first one on, again and
    again; words_per_second: how many of them a window holds for each of its seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: Annotated[float, Field(ge=0)] = 0.1
    words: Annotated[str, Field(min_length=1)] = "when are you open and what does it cost"
    words_per_second: Annotated[float, Field(gt=0)] = 2.5


class StubRecognizer:
    """Answers any number of requests at once."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._words = options.words.split()

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        """As many words as *window* is long; none in digital silence."""
        await asyncio.sleep(self._options.delay)
        count = max(1, round(window.duration * self._options.words_per_second)) if window.pcm.any() else 0
        return Transcript(" ".join(islice(cycle(self._words), count)), language=language or "en")

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        """The words of recognize(), of which it is certain."""
        return (Reading((await self.recognize(sound, language=language)).text, 1.0),)

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        """The words of recognize(), each as long as the others."""
        heard = await self.recognize(window, language=language)
        texts = heard.text.split()
        ends = [window.at + window.duration * number / len(texts) for number in range(len(texts) + 1)]
        return replace(heard, words=tuple(map(Word, texts, ends, ends[1:])))


def load(manifest: Manifest, files: Path, threads: int) -> StubRecognizer:
    """The recogniser of *manifest*; it has no files and needs no thread."""
    return StubRecognizer(manifest.options_as(Options))
