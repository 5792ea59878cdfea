"""Mood by a softmax head over a sentence encoder: as quick as the encoder, a few kilobytes of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.embed.minilm import SentenceEncoder
from inference.manifest import Manifest
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Mood, Vectors


class Options(BaseModel):
    """max_tokens: what is beyond is cut off."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int = Field(default=128, ge=8, le=512)


class LinearSentiment:
    """Implements Sentiment. weights: float32, shape (dim, 3), columns negative, neutral, positive; bias: shape (3,)."""

    def __init__(self, encoder: SentenceEncoder, weights: Vectors, bias: Vectors) -> None:
        self._encoder = encoder
        self._weights = weights
        self._bias = bias

    async def score(self, text: str) -> Mood:
        """The mood of *text*; nothing said is neutral."""
        if not text.strip():
            return Mood(negative=0.0, neutral=1.0, positive=0.0)
        return await asyncio.to_thread(self._score, text)

    async def warm(self) -> None:
        """The first run of a session allocates; have it done before a caller waits."""
        await self.score("warm")

    def _score(self, text: str) -> Mood:
        logits = self._encoder.encode([text])[0] @ self._weights + self._bias
        powers = np.exp(logits - logits.max())
        negative, neutral, positive = (powers / powers.sum()).tolist()
        return Mood(negative=negative, neutral=neutral, positive=positive)


def load(manifest: Manifest, files: Path, threads: int) -> LinearSentiment:
    """The classifier on model.onnx, tokenizer.json and head.npz (weights, bias) in *files*."""
    options = manifest.options_as(Options)
    encoder = SentenceEncoder(
        files / "model.onnx", files / "tokenizer.json", max_tokens=options.max_tokens, threads=threads
    )
    with np.load(files / "head.npz") as head:
        weights, bias = head["weights"], head["bias"]
    if weights.shape != (encoder.dimensions, 3):
        raise ConfigError(
            f"model {manifest.name!r}: head.npz: weights have shape {weights.shape}, "
            f"the encoder wants ({encoder.dimensions}, 3)"
        )
    return LinearSentiment(encoder, weights, bias)
