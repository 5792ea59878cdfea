"""smart-turn: whether the caller is done, from how the last seconds sounded.

Source: smart-turn v3 model card, https://huggingface.co/pipecat-ai/smart-turn-v3 (BSD-2-Clause).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.log_mel import RATE, log_mel, normalised
from inference.manifest import Manifest
from inference.onnx_session import open_session
from orchestrator.core.audio import AudioFrame


class Options(BaseModel):
    """What a manifest may set. rate: Hz, 16000 for every release so far; seconds: audio that the model sees."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: int = Field(default=RATE, ge=RATE, le=RATE)
    seconds: int = Field(default=8, ge=1)


class SmartTurn:
    """A turn detector in one thread of its own, so that no call's frames wait for it."""

    def __init__(self, weights: Path, options: Options, threads: int) -> None:
        self._session = open_session(weights, threads)
        self._samples = options.seconds * options.rate
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smart-turn")

    async def finished(self, utterance: AudioFrame, text: str = "") -> float:
        """Probability in [0, 1] that the caller, having said *utterance* (any rate), is done.

        Only the last seconds count. Cancelling it while others are ahead takes it out of the queue.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._score, utterance)

    async def warm(self) -> None:
        """Score silence once, so that the first caller does not wait for memory to be laid out."""
        await self.finished(AudioFrame(np.zeros(RATE, dtype=np.int16), RATE))

    async def close(self) -> None:
        """End the thread, after what it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _score(self, utterance: AudioFrame) -> float:
        (probability,) = self._session.run(None, {"input_features": self._features(utterance)[None]})
        return float(probability[0, 0])

    def _features(self, utterance: AudioFrame) -> NDArray[np.float32]:
        """The model's input for *utterance*: shape (80, 100 per second). Short audio stands at the end of silence."""
        heard = utterance.pcm[-self._samples * utterance.rate // RATE :]
        speech = AudioFrame(heard, utterance.rate).as_float()
        if utterance.rate != RATE:
            import soxr  # noqa: PLC0415 - only calls at another rate need it

            speech = soxr.resample(speech, utterance.rate, RATE)
        samples = np.zeros(self._samples, dtype=np.float32)
        speech = speech[-self._samples :]
        samples[self._samples - len(speech) :] = speech
        return log_mel(normalised(samples))


def load(manifest: Manifest, files: Path, threads: int) -> SmartTurn:
    """The detector of *manifest*."""
    (weights,) = files.glob("*.onnx")
    return SmartTurn(weights, manifest.options_as(Options), threads)
