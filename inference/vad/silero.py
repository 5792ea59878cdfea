"""Silero VAD on onnxruntime: one session shared by all calls, one small recurrent state a call.

Source: Silero VAD model card and its OnnxWrapper, https://github.com/snakers4/silero-vad (MIT).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from inference.onnx_session import open_session
from orchestrator.core.audio import FULL_SCALE, Pcm

if TYPE_CHECKING:
    import onnxruntime

STATE_SHAPE = (2, 1, 128)
_SCALE = np.float32(1 / FULL_SCALE)


class Options(BaseModel):
    """What a manifest may set. rate: Hz; window: samples a call; context: samples before the window that go with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: int = Field(default=16000, ge=8000)
    window: int = Field(default=512, ge=256)
    context: int = Field(default=64, ge=0)


class Silero:
    """The model. Calls share its weights and nothing else."""

    def __init__(self, weights: Path, options: Options) -> None:
        # One window is 0.15 ms of work: a second thread would cost more than it gives.
        self._session = open_session(weights, threads=1)
        self._options = options

    def open(self) -> SileroStream:
        """A detector for one call."""
        return SileroStream(self._session, self._options)


class SileroStream:
    """Voice activity of one call."""

    def __init__(self, session: onnxruntime.InferenceSession, options: Options) -> None:
        self.rate = options.rate
        self.window = options.window
        self._session = session
        self._context = options.context
        self._input = np.zeros((1, options.context + options.window), dtype=np.float32)
        self._state = np.zeros(STATE_SHAPE, dtype=np.float32)
        self._rate = np.array(options.rate, dtype=np.int64)

    def speech_probability(self, window: Pcm) -> float:
        """Probability in [0, 1] that *window* holds speech.

        window: int16, shape (self.window,), self.rate Hz; the windows of one call must come in order.
        Raises ValueError for any other shape or type.
        """
        if window.shape != (self.window,) or window.dtype != np.int16:
            raise ValueError(f"window must be int16 of shape ({self.window},), not {window.dtype} of {window.shape}")
        self._input[0, : self._context] = self._input[0, self.window :]
        np.multiply(window, _SCALE, out=self._input[0, self._context :])
        feeds = {"input": self._input, "state": self._state, "sr": self._rate}
        probability, self._state = self._session.run(None, feeds)
        return float(probability[0, 0])


def load(manifest: Manifest, files: Path, threads: int) -> Silero:
    """The model of *manifest*. Always one thread."""
    (weights,) = files.glob("*.onnx")
    return Silero(weights, manifest.options_as(Options))
