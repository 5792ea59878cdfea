"""A VITS voice whose decoder runs on stretches of a sentence, so that its beginning is heard while the rest is decoded.

VITS makes latent frames of the whole sentence at once, which is cheap, and decodes them to samples, which is dear and
local: a sample depends only on frames nearby. So the graph is cut between the two, and each stretch is decoded with as
many neighbours on both sides as the decoder reaches: the samples are those of the whole sentence.
Source: Kim, Kong, Son, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End Text-to-Speech".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.onnx_session import open_session
from inference.tts.graph import Graph, UncuttableGraph

if TYPE_CHECKING:
    import onnxruntime

Samples = NDArray[np.float32]
Inputs = dict[str, NDArray[Any]]

DECODER: Final = "dec.conv_pre."  # the decoder's first layer in every voice that Piper's trainer exports
DURATIONS: Final = "Ceil"  # the one operator that rounds the duration of each phoneme up to whole frames
SPEAKER: Final = "sid"  # the one input that the decoder of a voice with several speakers wants too
PROBE_FRAMES: Final = 65  # no published voice reaches further than 16 frames to a side


@dataclass(frozen=True, slots=True)
class Spoken:
    """The speech of some phonemes.

    lengths: samples that each of the inputs takes, int64, shape (inputs,); None when the voice does not tell. pieces:
    the samples at the voice's rate, in [-1, 1].
    """

    lengths: NDArray[np.int64] | None
    pieces: Iterator[Samples]


class Vits(Protocol):
    """A model that turns phonemes into samples."""

    def speak(self, inputs: Inputs) -> Spoken:
        """The speech of *inputs* (the original graph's)."""
        ...


@dataclass(frozen=True, slots=True)
class WholeVits:
    """A voice that cannot be cut: one piece a sentence."""

    session: onnxruntime.InferenceSession

    def speak(self, inputs: Inputs) -> Spoken:
        """The whole speech of *inputs* as one piece."""
        return Spoken(None, iter([self.session.run(None, inputs)[0].ravel()]))


class StreamedVits:
    """A voice cut in two. stretches: latent frames decoded at once, the last repeated.

    front: gives the latent frames and, where it can, how many of them each phoneme takes.
    """

    def __init__(
        self,
        front: onnxruntime.InferenceSession,
        decoder: onnxruntime.InferenceSession,
        latent: str,
        stretches: Sequence[int],
    ) -> None:
        self._front = front
        self._decoder = decoder
        self._latent = latent
        self._stretches = tuple(stretches)
        self._by_speaker = any(given.name == SPEAKER for given in decoder.get_inputs())
        self._hop, self._reach = self._measured()

    def speak(self, inputs: Inputs) -> Spoken:
        """The speech of *inputs*, a stretch a piece; each is decoded when it is asked for."""
        latent, *frames = self._front.run(None, inputs)
        lengths = frames[0].ravel().astype(np.int64) * self._hop if frames else None
        return Spoken(lengths, self._stretched(latent, inputs))

    def _stretched(self, latent: Samples, inputs: Inputs) -> Iterator[Samples]:
        for start, end in spans(latent.shape[2], self._stretches):
            first = max(0, start - self._reach)
            speech = self._decoded(latent[:, :, first : end + self._reach], inputs)
            yield speech[(start - first) * self._hop : (end - first) * self._hop]

    def _decoded(self, latent: Samples, inputs: Inputs) -> Samples:
        feeds = {self._latent: latent} | ({SPEAKER: inputs[SPEAKER]} if self._by_speaker else {})
        speech: Samples = self._decoder.run(None, feeds)[0].ravel()
        return speech

    def _measured(self) -> tuple[int, int]:
        """Samples a frame, and how many frames to each side the decoder reaches: what one changed frame changes."""
        channels = self._front.get_outputs()[0].shape[1]
        if not isinstance(channels, int):
            raise UncuttableGraph(f"{self._latent} has no known number of channels")
        latent = np.random.default_rng(0).normal(size=(1, channels, PROBE_FRAMES)).astype(np.float32)
        speaker: Inputs = {SPEAKER: np.zeros(1, dtype=np.int64)}
        before = self._decoded(latent, speaker)
        middle = PROBE_FRAMES // 2
        latent[:, :, middle] = 0.0
        changed = np.flatnonzero(before != self._decoded(latent, speaker)) * PROBE_FRAMES // len(before)
        return len(before) // PROBE_FRAMES, int(max(middle - changed[0], changed[-1] - middle))


def open_vits(model: bytes, threads: int, stretches: Sequence[int]) -> Vits:
    """The voice in the ONNX file *model*, streamed if its graph can be cut."""
    try:
        graph = Graph(model)
        latent = graph.operand(DECODER)
        durations = graph.outcome(DURATIONS)
        front = open_session(graph.until(latent, *([durations] if durations else [])), threads)
        decoder = open_session(graph.after(latent, also={SPEAKER}), threads)
        return StreamedVits(front, decoder, latent, stretches)
    except UncuttableGraph:
        return WholeVits(open_session(model, threads))


def spans(frames: int, stretches: Sequence[int]) -> Iterator[tuple[int, int]]:
    """[start, end) of each stretch of *frames*. A rest of less than half a stretch joins the one before it."""
    start = index = 0
    while start < frames:
        size = stretches[min(index, len(stretches) - 1)]
        end = start + size if 2 * (frames - start) >= 3 * size else frames
        yield start, end
        start, index = end, index + 1
