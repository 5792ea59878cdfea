"""A classifier of moods for load tests only: everybody is calm, after a given time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.ports import Mood


class Options(BaseModel):
    """What a manifest may set. delay: seconds to each answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: Annotated[float, Field(ge=0)] = 0.01


class StubSentiment:
    """Answers any number of requests at once."""

    def __init__(self, options: Options) -> None:
        self._options = options

    async def score(self, text: str) -> Mood:
        """Neutral, whatever was said."""
        await asyncio.sleep(self._options.delay)
        return Mood(negative=0.0, neutral=1.0, positive=0.0)


def load(manifest: Manifest, files: Path, threads: int) -> StubSentiment:
    """The classifier of *manifest*; it has no files and needs no thread."""
    return StubSentiment(manifest.options_as(Options))
