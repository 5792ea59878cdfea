"""Engines whose every answer is known, for any placement: what they are told decides what they do.

The words that make them misbehave: "overloaded" (raises EngineOverloaded), "wrong" (raises ValueError), "surprise"
(raises ZeroDivisionError), "hang" (never answers), "seize" (blocks its event loop), "odd" (answers with something that
cannot be sent).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.manifest import EngineChoice, Kind, Manifest, Profile
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import ConfigError, EngineOverloaded, EngineUnavailable
from orchestrator.core.ports import Message, Mood, Reading, TextDelta, Tool, ToolCall, Transcript, Vectors, Word
from tests.fakes.engines import FakeInterjections, FakeTurnDetector, FakeVoiceActivityFactory

KINDS: tuple[Kind, ...] = ("vad", "turns", "interjections", "stt", "llm", "tts", "embed", "sentiment")
LOADER = f"{__name__}:build"


class ReferenceModels:
    """Manifests of the reference engines; they need no files. options: by kind, such as {"llm": {"broken": True}}."""

    def __init__(self, options: dict[Kind, dict[str, Any]] | None = None) -> None:
        self._options = options or {}

    def manifest(self, name: str) -> Manifest:
        kind = next(kind for kind in KINDS if name == f"reference-{kind}")
        options = self._options.get(kind, {})
        return Manifest(name=name, kind=kind, engine="reference", licence="none", languages=("*",), options=options)

    def files(self, manifest: Manifest) -> Path:
        return Path("/nonexistent")


def reference_profile(process: str = "") -> Profile:
    """Every reference engine; all in one process when it is given a name."""
    engines = {kind: EngineChoice(model=f"reference-{kind}", process=process) for kind in KINDS}
    return Profile(name="reference", placement="local", engines=engines)


def build(manifest: Manifest, files: Path, threads: int) -> object:
    """The engine of *manifest*; the signature of inference.registry.build_engine."""
    if manifest.options.get("broken"):
        raise ConfigError(f"model {manifest.name!r}: weights are damaged")
    if manifest.options.get("crashes"):
        os._exit(7)
    return _ENGINES[manifest.kind]()


async def misbehave(text: str) -> None:
    if "overloaded" in text:
        raise EngineOverloaded("reference", "full")
    if "wrong" in text:
        raise ValueError("this cannot be asked")
    if "surprise" in text:
        _ = 1 / 0
    if "hang" in text:
        await asyncio.Event().wait()
    if "seize" in text:
        time.sleep(3600)  # noqa: ASYNC251 - that is the point


class ReferenceRecognizer:
    """Writes down what it was given."""

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        await misbehave(prompt)
        heard = f"{len(window.pcm)} samples at {window.rate} from {window.at} sum {int(window.pcm.sum())}"
        words = (Word(prompt, 0.25, 0.5),) if prompt else ()
        return Transcript(heard, language=language, confidence=0.5, words=words)

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        return Reading(f"{len(sound.pcm)} samples in {language}", 0.75), Reading("", 0.25)

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        return Transcript(f"samples in {language}", words=(Word("samples", window.at, window.at + window.duration),))


class ReferenceLanguageModel:
    """Repeats the last message word by word, up to max_tokens; "forever" does not end, "pid" is its process's id.

    "state" is answered with three numbers: generations that were closed, messages that were prefilled, process id.
    """

    def __init__(self) -> None:
        self._closed = 0
        self._prefilled = 0

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        text = messages[-1].content
        if text == "state":
            yield TextDelta(f"{self._closed} {self._prefilled} {os.getpid()}")
            return
        if text.startswith("first"):
            yield TextDelta("first")
        await misbehave(text)
        try:
            for word in text.split()[:max_tokens]:
                yield TextDelta(str(os.getpid()) if word == "pid" else word)
            while "forever" in text:
                yield TextDelta("again")
                await asyncio.sleep(0.002)
        except (GeneratorExit, asyncio.CancelledError):
            self._closed += 1
            raise
        for tool in tools:
            yield ToolCall(tool.name, {"conversation": conversation, "parameters": tool.parameters})

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        await misbehave(messages[-1].content)
        self._prefilled += len(messages)

    async def end_of_utterance(self, text: str) -> float:
        await misbehave(text)
        return len(text) / 100


class ReferenceTextToSpeech:
    """A frame of ten milliseconds a character, whose samples are its place; "flood" is 64 MB of frames."""

    def __init__(self) -> None:
        self._made = 0

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        await misbehave(sentence)
        if sentence == "made":
            yield AudioFrame(np.array([self._made], dtype=np.int16), 16_000)
            return
        if sentence == "odd":
            yield object()  # type: ignore[misc]
        if sentence == "flood":
            for self._made in range(1, 1001):
                yield AudioFrame(np.zeros(32_768, dtype=np.int16), 16_000)
        for index in range(len(sentence)):
            yield AudioFrame(np.full(160, index, dtype=np.int16), 16_000, index / 100)


class ReferenceEmbedder:
    """The length of each text as an angle."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        for text in texts:
            await misbehave(text)
        angles = np.array([len(text) for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


class ReferenceSentiment:
    """Negative when the text is angry. "ill" makes it say that it can serve no more."""

    _ill = False

    async def check(self) -> None:
        if self._ill:
            raise EngineUnavailable("reference-sentiment", "worn out")

    async def score(self, text: str) -> Mood:
        await misbehave(text)
        self._ill = "ill" in text
        return Mood(0.75, 0.25, 0.0) if "angry" in text else Mood(0.0, 0.25, 0.75)


_ENGINES: dict[Kind, Any] = {
    "vad": FakeVoiceActivityFactory,
    "turns": FakeTurnDetector,
    "interjections": FakeInterjections,
    "stt": ReferenceRecognizer,
    "llm": ReferenceLanguageModel,
    "tts": ReferenceTextToSpeech,
    "embed": ReferenceEmbedder,
    "sentiment": ReferenceSentiment,
}
