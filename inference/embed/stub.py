"""A sentence encoder for load tests only: a text is like itself and like no other, after a given time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zlib import crc32

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.ports import Vectors


class Options(BaseModel):
    """What a manifest may set. delay: seconds to each answer; dimensions: of the vectors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: Annotated[float, Field(ge=0)] = 0.01
    dimensions: Annotated[int, Field(ge=2)] = 384


class StubEmbedder:
    """Answers any number of requests at once."""

    def __init__(self, options: Options) -> None:
        self._options = options

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dimensions): for each text one axis, picked by its letters without their case."""
        await asyncio.sleep(self._options.delay)
        vectors = np.zeros((len(texts), self._options.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, crc32(text.casefold().encode()) % self._options.dimensions] = 1.0
        return vectors


def load(manifest: Manifest, files: Path, threads: int) -> StubEmbedder:
    """The encoder of *manifest*; it has no files and needs no thread."""
    return StubEmbedder(manifest.options_as(Options))
