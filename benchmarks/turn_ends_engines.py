"""What the engines say of a stretch of speech, asked once and kept, with the time that they took."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from benchmarks.conversation import RATE
from benchmarks.scenario import agent_file
from inference.embed.onnx import OnnxEmbedder
from inference.llm.llama_cpp import LlamaCpp
from inference.manifest import Kind
from inference.registry import Registry, build_engine
from inference.stt.faster_whisper import FasterWhisper
from inference.turns.smart_turn import SmartTurn
from inference.vad.silero import Silero
from orchestrator.agents import read_agent
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.dialogue.answers import AnswerBook

Answer: TypeAlias = tuple[float | str, float]
_ANSWERING = "helpdesk"


@dataclass(frozen=True, slots=True)
class Heard:
    """An engine's answer, and the seconds that it took."""

    value: float | str
    seconds: float


class Engines:
    """The profile's engines that tell the end of a turn, on one thread each. file: answers of earlier runs."""

    def __init__(self, registry: Registry, profile: str, file: Path) -> None:
        self._file = file
        self._known: dict[str, Answer] = json.loads(file.read_text()) if file.is_file() else {}
        self._probabilities: dict[str, list[float]] = {}
        self._asked = 0
        self._registry = registry
        self._profile = profile
        self._vad = cast("Silero", self._open("vad"))
        self._recognizer = cast("FasterWhisper", self._open("stt"))
        self._turns = cast("SmartTurn", self._open("turns"))
        self._sentences = cast("LlamaCpp", self._open("llm"))
        self._runner = asyncio.Runner()
        embedder = cast("OnnxEmbedder", self._open("embed"))
        answers = read_agent(agent_file(_ANSWERING)).answers
        self._book = self._runner.run(AnswerBook.open(embedder, answers))
        self._answers = repr(answers).encode()
        self._runner.run(self._warm())

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        """Silero's probability for each whole window of *pcm*, from a fresh state."""
        key = _digest(pcm.tobytes())
        if key not in self._probabilities:
            stream = self._vad.open()
            starts = range(0, len(pcm) - stream.window + 1, stream.window)
            self._probabilities[key] = [stream.speech_probability(pcm[at : at + stream.window]) for at in starts]
        return self._probabilities[key]

    def finished(self, speech: Pcm) -> Heard:
        """The turn detector's probability that *speech* (16 kHz) is complete."""
        return self._asked_once("turns", speech.tobytes(), lambda: self._turns.finished(AudioFrame(speech, RATE)))

    def words(self, speech: Pcm) -> Heard:
        """The recogniser's text for *speech* (16 kHz)."""

        async def recognized() -> str:
            return (await self._recognizer.recognize(AudioFrame(speech, RATE), language="en")).text

        return self._asked_once("stt", speech.tobytes(), recognized)

    def sentence(self, text: str) -> Heard:
        """The language model's probability that *text* is a whole sentence."""
        return self._asked_once("llm", text.encode(), lambda: self._sentences.end_of_utterance(text))

    def likeness(self, text: str) -> Heard:
        """How like *text* is to the question of an approved answer that it asks the agent for; 0 when to none."""

        async def compared() -> float:
            return max((match.similarity for match in await self._book.find(text)), default=0.0)

        return self._asked_once("embed", text.encode() + self._answers, compared)

    def save(self) -> None:
        """Keep the answers for the next run."""
        if self._asked:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps(self._known))
            draft.replace(self._file)

    def _asked_once(self, kind: Kind, question: bytes, ask: Callable[[], Awaitable[float | str]]) -> Heard:
        key = f"{self._registry.profile(self._profile).engines[kind].model}:{_digest(question)}"
        if key not in self._known:
            began = time.perf_counter()
            value = self._runner.run(_awaited(ask))
            self._known[key] = (value, round(time.perf_counter() - began, 4))
            self._asked += 1
        return Heard(*self._known[key])

    def _open(self, kind: Kind) -> object:
        manifest = self._registry.manifest(self._registry.profile(self._profile).engines[kind].model)
        return build_engine(manifest, self._registry.files(manifest), threads=1)

    async def _warm(self) -> None:
        await self._recognizer.warm()
        await self._turns.warm()
        await self._sentences.warm()


async def _awaited(ask: Callable[[], Awaitable[float | str]]) -> float | str:
    return await ask()


def _digest(question: bytes) -> str:
    return hashlib.sha256(question).hexdigest()[:24]
