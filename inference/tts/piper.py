"""Piper, streamed: the first samples are heard while the rest of the sentence is still being decoded.

A voice is a VITS model: a front end makes latent frames of the whole sentence at once (cheap), a decoder turns frames
into samples (dear, and local: each sample depends on frames nearby). The graph is cut between the two, and the decoder
runs on stretches of frames with enough neighbours on both sides that the samples equal those of the whole sentence.
Source: Kim et al. 2021, https://arxiv.org/abs/2106.06103; voices: https://github.com/OHF-Voice/piper1-gpl.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from inference.onnx_session import open_session
from inference.tts.graph import Graph, UncuttableGraph
from inference.tts.trimming import Trimmer
from orchestrator.core.audio import FULL_SCALE, AudioFrame
from orchestrator.core.errors import BadOutput, ConfigError

if TYPE_CHECKING:
    import onnxruntime

# The decoder's receptive field: eleven frames on each side leave a difference of 1e-7 (measured; HiFi-GAN V2 kernels).
NEIGHBOURS = 11
# The decoder's first layer, in every voice that Piper's trainer exports.
DECODER = "dec.conv_pre."


class Options(BaseModel):
    """What a manifest may set.

    rate: Hz of the frames given; noise, noise_width, length: VITS's scales, the voice's own when absent (length above 1
    speaks slower); speakers: for voices of several speakers, names as callers of the port use them, to numbers;
    stretches: latent frames (12 ms each) decoded at once, the last repeated: a short first one is heard soon, long ones
    cost less.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: int = Field(default=16000, ge=8000, le=48000)
    noise: float | None = Field(default=None, ge=0.0)
    noise_width: float | None = Field(default=None, ge=0.0)
    length: float | None = Field(default=None, gt=0.0)
    speakers: dict[str, int] = Field(default_factory=dict)
    stretches: tuple[int, ...] = Field(default=(24, 48, 96), min_length=1)


@dataclass(frozen=True, slots=True)
class Halves:
    """A voice cut in two. tensor: the decoder's input; by_speaker: whether the decoder wants the speaker too."""

    front: onnxruntime.InferenceSession
    decoder: onnxruntime.InferenceSession
    tensor: str
    by_speaker: bool


class Piper:
    """A voice in one thread of its own."""

    def __init__(self, name: str, model: Path, options: Options, threads: int) -> None:
        from piper import PiperVoice  # noqa: PLC0415 - heavy
        from piper.config import PiperConfig  # noqa: PLC0415

        self._name = name
        self._options = options
        self._config = PiperConfig.from_dict(json.loads(model.with_name(f"{model.name}.json").read_text()))
        self._halves = _cut(model.read_bytes(), threads)
        self._whole = open_session(model, threads) if self._halves is None else None
        self._phonemes = PiperVoice(session=self._halves.front if self._halves else self._whole, config=self._config)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="piper")

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncIterator[AudioFrame]:
        """The speech of *sentence* in pieces, from the first audible sample to the last.

        Closing it stops after the stretch that is being decoded. Raises BadOutput for an unknown *voice*.
        """
        inputs = self._speaker(voice)
        loop = asyncio.get_running_loop()
        pieces = self._pieces(sentence, inputs)
        at = 0.0
        while (pcm := await loop.run_in_executor(self._thread, next, pieces, None)) is not None:
            yield AudioFrame(pcm, self._options.rate, at)
            at += len(pcm) / self._options.rate

    async def warm(self) -> None:
        """Speak once, so that the first caller does not wait for memory to be laid out."""
        async for _ in self.synthesize("One moment, please."):
            pass

    async def close(self) -> None:
        """End the thread, after what it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _speaker(self, voice: str) -> dict[str, NDArray[np.int64]]:
        if self._config.num_speakers <= 1:
            return {}
        if voice and voice not in self._options.speakers:
            known = ", ".join(self._options.speakers) or "none"
            raise BadOutput(self._name, f"there is no voice {voice!r}; there are: {known}")
        return {"sid": np.array([self._options.speakers.get(voice, 0)], dtype=np.int64)}

    def _pieces(self, sentence: str, speaker: dict[str, NDArray[np.int64]]) -> Iterator[NDArray[np.int16]]:
        import soxr  # noqa: PLC0415 - heavy

        resampler = soxr.ResampleStream(self._config.sample_rate, self._options.rate, 1, dtype="float32")
        trimmer = Trimmer(self._options.rate)
        for samples in self._samples(sentence, speaker):
            pcm = trimmer.feed(_to_pcm(resampler.resample_chunk(samples)))
            if len(pcm):
                yield pcm
        pcm = trimmer.finish(_to_pcm(resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)))
        if len(pcm):
            yield pcm

    def _samples(self, sentence: str, speaker: dict[str, NDArray[np.int64]]) -> Iterator[NDArray[np.float32]]:
        """float32 samples at the voice's own rate."""
        for phonemes in self._phonemes.phonemize(sentence):
            ids = self._phonemes.phonemes_to_ids(phonemes)
            inputs: dict[str, NDArray[Any]] = {
                "input": np.array([ids], dtype=np.int64),
                "input_lengths": np.array([len(ids)], dtype=np.int64),
                "scales": self._scales(),
                **speaker,
            }
            if self._whole is not None:
                yield self._whole.run(None, inputs)[0].ravel()
            elif self._halves is not None:
                yield from self._stretches(self._halves, inputs, speaker)

    def _stretches(
        self, halves: Halves, inputs: dict[str, NDArray[Any]], speaker: dict[str, NDArray[np.int64]]
    ) -> Iterator[NDArray[np.float32]]:
        (latent,) = halves.front.run([halves.tensor], inputs)
        also = speaker if halves.by_speaker else {}
        hop = self._config.hop_length
        for start, end in stretches(latent.shape[2], self._options.stretches):
            first = max(0, start - NEIGHBOURS)
            (samples,) = halves.decoder.run(None, {halves.tensor: latent[:, :, first : end + NEIGHBOURS], **also})
            yield samples.ravel()[(start - first) * hop : (end - first) * hop]

    def _scales(self) -> NDArray[np.float32]:
        own = (self._config.noise_scale, self._config.length_scale, self._config.noise_w_scale)
        given = (self._options.noise, self._options.length, self._options.noise_width)
        return np.array(
            [mine if mine is not None else voice for mine, voice in zip(given, own, strict=True)], np.float32
        )


def stretches(frames: int, sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """[start, end) of each stretch of *frames* latent frames; a rest below half a stretch joins the one before."""
    start = 0
    index = 0
    while start < frames:
        size = sizes[min(index, len(sizes) - 1)]
        end = start + size if frames - start - size > size // 2 else frames
        yield start, end
        start = end
        index += 1


def _cut(model: bytes, threads: int) -> Halves | None:
    """The two halves of *model*; None for a voice that cannot be cut, which is then synthesised whole."""
    try:
        graph = Graph(model)
        tensor = graph.operand(DECODER)
        decoder = open_session(graph.after(tensor, also=("sid",)), threads)
        front = open_session(graph.until(tensor), threads)
    except UncuttableGraph:
        return None
    return Halves(front, decoder, tensor, any(one.name == "sid" for one in decoder.get_inputs()))


def _to_pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return (np.clip(samples, -1.0, 1.0) * (FULL_SCALE - 1)).astype(np.int16)


def load(manifest: Manifest, files: Path, threads: int) -> Piper:
    """The voice of *manifest*. Raises ConfigError when its folder does not hold one .onnx with its .onnx.json."""
    models = sorted(files.glob("*.onnx"))
    if len(models) != 1 or not models[0].with_name(f"{models[0].name}.json").is_file():
        raise ConfigError(f"model {manifest.name!r}: a Piper voice is one .onnx file and its .onnx.json, in {files}")
    return Piper(manifest.name, models[0], manifest.options_as(Options), threads)
