"""Piper voices, streamed at the call's rate: the first sound comes while the rest of the sentence is being decoded."""

from __future__ import annotations

import asyncio
import json
from asyncio import Future
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from inference.tts.trimming import Trimmer
from inference.tts.vits import SPEAKER, Inputs, Samples, open_vits
from inference.tts.word_ends import word_ends
from orchestrator.core.audio import FULL_SCALE, AudioFrame, Pcm
from orchestrator.core.errors import ConfigError

if TYPE_CHECKING:
    from piper.config import PiperConfig

# Piper puts a padding behind each phoneme's number, a beginning and a padding before the first, an end behind the last.
_LEADING: Final = 2
_FRAMING: Final = 3
# Long enough for a steady level, short enough to cost a quarter of a second when the voice is opened.
SAMPLE_SENTENCE: Final = "Thank you for calling. How may I help you today?"


class Options(BaseModel):
    """What a manifest may set.

    rate: Hz of the frames; voice: the one taken when a request names none; level: dBFS (RMS) that every voice is
    brought to; noise, noise_width, length: VITS's scales, the voice's own when absent (length above 1 speaks slower);
    stretches: latent frames (12 ms each) decoded at once, the last repeated. A short first one is heard soon, long ones
    cost less; each must last while the next is decoded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: int = Field(default=16000, ge=8000, le=48000)
    voice: str = ""
    level: float = Field(default=-20.0, ge=-40.0, le=-10.0)
    noise: float | None = Field(default=None, ge=0.0)
    noise_width: float | None = Field(default=None, ge=0.0)
    length: float | None = Field(default=None, gt=0.0)
    stretches: tuple[int, ...] = Field(default=(16, 32, 64), min_length=1)


class Voice:
    """One voice file. Blocking; for one thread at a time."""

    def __init__(self, model: Path, options: Options, threads: int) -> None:
        """model: the .onnx file, its configuration beside it. Raises OSError, ValueError or KeyError when it is bad."""
        from piper import PiperVoice  # noqa: PLC0415 - heavy
        from piper.config import PiperConfig  # noqa: PLC0415 - heavy

        self._options = options
        config: PiperConfig = PiperConfig.from_dict(json.loads(configuration(model).read_text(encoding="utf-8")))
        self._config = config
        self.vits = open_vits(model.read_bytes(), threads, options.stretches)
        # It turns text into phonemes for every script that Piper knows; its session is only for its own synthesis.
        self._piper = PiperVoice(session=None, config=config)
        self._gain = 1.0
        self._gain = gain(np.concatenate(list(self._samples(SAMPLE_SENTENCE, 0, deque()))), options.level)

    @property
    def speakers(self) -> dict[str, int]:
        """Numbers of the voice's speakers by name; empty when it has one."""
        return dict(self._config.speaker_id_map) if self._config.num_speakers > 1 else {}

    def speak(self, text: str, speaker: int) -> Iterator[AudioFrame]:
        """The speech of *text* in pieces, at the rate of the options, without the silence around it."""
        import soxr  # noqa: PLC0415 - heavy

        rate = self._options.rate
        # MQ passes all that a phone can carry and holds back 6 ms; HQ would hold back 17.
        resampler = soxr.ResampleStream(self._config.sample_rate, rate, 1, "float32", quality="MQ")
        trimmer = Trimmer(rate)
        ends: deque[float] = deque()
        position = 0
        for samples in self._samples(text, speaker, ends):
            pcm = trimmer.feed(as_pcm(resampler.resample_chunk(samples)))
            if len(pcm):
                yield _frame(pcm, rate, position, ends, trimmer.skipped)
                position += len(pcm)
        rest = resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        if len(pcm := trimmer.finish(as_pcm(rest))):
            yield _frame(pcm, rate, position, ends, trimmer.skipped)

    def _samples(self, text: str, speaker: int, ends: deque[float]) -> Iterator[Samples]:
        """The samples of *text* at the voice's rate. Before those of a sentence, *ends* gets the ends of its words."""
        sentences = [phonemes for phonemes in self._piper.phonemize(text) if phonemes]
        ids = [self._piper.phonemes_to_ids(phonemes) for phonemes in sentences]
        # What has no number in the voice's table is not said, and shifts those behind it.
        told = all(len(its) == 2 * len(said) + _FRAMING for its, said in zip(ids, sentences, strict=True))
        words = word_ends(text, sentences) if told else []
        begun = 0
        for number, its in enumerate(ids):
            spoken = self.vits.speak(self._inputs(its, speaker))
            if spoken.lengths is not None:
                said = begun + np.cumsum(spoken.lengths)
                last = [said[2 * word.phonemes + _LEADING - 1] for word in words if word.sentence == number]
                ends.extend(float(sample) / self._config.sample_rate for sample in last)
            for samples in spoken.pieces:
                begun += len(samples)
                yield samples * np.float32(self._gain)

    def _inputs(self, ids: Sequence[int], speaker: int) -> Inputs:
        own = (self._config.noise_scale, self._config.length_scale, self._config.noise_w_scale)
        chosen = (self._options.noise, self._options.length, self._options.noise_width)
        scales = [theirs if ours is None else ours for theirs, ours in zip(own, chosen, strict=True)]
        inputs: Inputs = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if self._config.num_speakers > 1:
            inputs[SPEAKER] = np.array([speaker], dtype=np.int64)
        return inputs


class Piper:
    """Some voices in one thread of its own. Sentences of several calls take turns, a stretch each."""

    def __init__(self, name: str, models: Sequence[Path], options: Options, threads: int) -> None:
        """models: .onnx files; a voice is called like its file, a speaker of it `file/speaker`."""
        self.name = name
        self._rate = options.rate
        self.voices: dict[str, tuple[Voice, int]] = {}
        for model in models:
            voice = Voice(model, options, threads)
            self.voices[model.stem] = (voice, 0)
            self.voices |= {f"{model.stem}/{speaker}": (voice, number) for speaker, number in voice.speakers.items()}
        self.voices[""] = self._chosen(options.voice or models[0].stem)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="piper")

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        """The speech of *sentence* in pieces, the first as soon as it is decoded, each while the one before is used.

        Closing it stops the work after the piece that is being decoded. Raises ValueError for an unknown *voice*.
        """
        speech, speaker = self._chosen(voice)
        pieces = speech.speak(sentence, speaker)
        ahead = self._next(pieces)
        try:
            while (frame := await ahead) is not None:
                ahead = self._next(pieces)
                yield frame
        finally:
            ahead.cancel()

    async def warm(self) -> None:
        """Nothing: opening a voice has it speak, to measure its level."""

    async def close(self) -> None:
        """End the thread, after the piece it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _next(self, pieces: Iterator[AudioFrame]) -> Future[AudioFrame | None]:
        return asyncio.get_running_loop().run_in_executor(self._thread, next, pieces, None)

    def _chosen(self, voice: str) -> tuple[Voice, int]:
        try:
            return self.voices[voice]
        except KeyError:
            known = ", ".join(name for name in self.voices if name)
            raise ValueError(f"{self.name} has no voice {voice!r}; there are: {known}") from None


def _frame(pcm: Pcm, rate: int, position: int, ends: deque[float], skipped: int) -> AudioFrame:
    """*pcm*, which begins with sample *position* of the speech, with the *ends* of words that lie in it taken out.

    ends: seconds from the first sample of the voice's, *skipped* samples before the speech.
    """
    at, duration = position / rate, len(pcm) / rate
    inside = []
    while ends and ends[0] - skipped / rate <= at + duration:
        inside.append(max(0.0, ends.popleft() - skipped / rate - at))
    return AudioFrame(pcm, rate, at, tuple(inside))


def gain(samples: Samples, level: float) -> float:
    """The factor that brings the speech in *samples* to *level* dBFS (RMS), short of clipping it."""
    loud = np.abs(samples) > 0.01
    rms = float(np.sqrt(np.mean(np.square(samples[loud])))) if loud.any() else 1.0
    factor: float = 10.0 ** (level / 20.0) / rms
    return min(factor, 0.9 / max(float(np.abs(samples).max()), 1e-6))


def as_pcm(samples: NDArray[np.float32]) -> Pcm:
    """*samples* in [-1, 1] as int16; what lies outside is clipped."""
    pcm: Pcm = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm


def configuration(model: Path) -> Path:
    """The JSON file that belongs to the voice file *model*."""
    return model.with_name(f"{model.name}.json")


def load(manifest: Manifest, files: Path, threads: int) -> Piper:
    """The voices of *manifest*, the first being the default. Raises ConfigError when there is none, or one is bad."""
    models = [files / name for name in manifest.files if name.endswith(".onnx")] or sorted(files.glob("*.onnx"))
    if not models:
        raise ConfigError(f"model {manifest.name!r}: files: a Piper voice needs an .onnx file and its .onnx.json")
    try:
        return Piper(manifest.name, models, manifest.options_as(Options), threads)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"model {manifest.name!r}: {type(error).__name__}: {error}") from error
