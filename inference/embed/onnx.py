"""Sentence embeddings on onnxruntime, without torch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from inference.embed.minilm import SentenceEncoder
from inference.manifest import Manifest
from orchestrator.core.ports import Vectors


class Options(BaseModel):
    """max_tokens: what is beyond is cut off; all-MiniLM-L6-v2 was trained on 128 and takes 256 (model card)."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int = Field(default=256, ge=8, le=512)


class OnnxEmbedder:
    """Implements Embedder."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of unit norm."""
        return await asyncio.to_thread(self._encoder.encode, list(texts))

    async def warm(self) -> None:
        """The first run of a session allocates; have it done before a caller waits."""
        await self.embed(["warm"])


def load(manifest: Manifest, files: Path, threads: int) -> OnnxEmbedder:
    """The embedder on model.onnx and tokenizer.json in *files*."""
    options = manifest.options_as(Options)
    encoder = SentenceEncoder(
        files / "model.onnx", files / "tokenizer.json", max_tokens=options.max_tokens, threads=threads
    )
    return OnnxEmbedder(encoder)
