"""A turn detector for load tests only: it has one opinion, and gives it after a given time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.audio import AudioFrame


class Options(BaseModel):
    """What a manifest may set. delay: seconds to each answer; finished: the answer, a probability."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: Annotated[float, Field(ge=0)] = 0.05
    finished: Annotated[float, Field(ge=0, le=1)] = 1.0


class StubTurnDetector:
    """Answers any number of requests at once."""

    def __init__(self, options: Options) -> None:
        self._options = options

    async def finished(self, utterance: AudioFrame, text: str = "") -> float:
        """The probability of the options, whatever was said."""
        await asyncio.sleep(self._options.delay)
        return self._options.finished


def load(manifest: Manifest, files: Path, threads: int) -> StubTurnDetector:
    """The detector of *manifest*; it has no files and needs no thread."""
    return StubTurnDetector(manifest.options_as(Options))
