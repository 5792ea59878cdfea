"""Sentence embeddings with sentence-transformers, for any of its models, on CPU or GPU. Needs the torch extra."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.ports import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class Options(BaseModel):
    """device: where the model runs; batch: sentences a forward pass; prefix: what the model wants before each text."""

    model_config = ConfigDict(extra="forbid")

    device: Literal["cpu", "cuda"] = "cpu"
    batch: int = Field(default=32, ge=1)
    prefix: str = ""


class SentenceTransformerEmbedder:
    """Implements Embedder."""

    def __init__(self, model: SentenceTransformer, options: Options) -> None:
        self._model = model
        self._options = options

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of unit norm."""
        return await asyncio.to_thread(self._encode, [self._options.prefix + text for text in texts])

    async def warm(self) -> None:
        """The first pass allocates; have it done before a caller waits."""
        await self.embed(["warm"])

    def _encode(self, texts: list[str]) -> Vectors:
        # Nothing to encode still has a width: one empty sentence stands in, and is cut off.
        encoded = self._model.encode(
            texts or [""], batch_size=self._options.batch, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(encoded, dtype=np.float32)[: len(texts)]


def load(manifest: Manifest, files: Path, threads: int) -> SentenceTransformerEmbedder:
    """The embedder on the model folder *files*; nothing is fetched from the network."""
    import torch  # noqa: PLC0415 - heavy
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - heavy

    options = manifest.options_as(Options)
    torch.set_num_threads(threads)
    model = SentenceTransformer(str(files), device=options.device, local_files_only=True)
    return SentenceTransformerEmbedder(model, options)
