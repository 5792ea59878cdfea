"""One fake engine for each port. Delays are asyncio.sleep, so that they cost nothing on the virtual clock.

Each keeps what it was asked in `requests`, and raises `failure` instead of answering when one is set.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm, level_dbfs
from orchestrator.core.errors import EngineError
from orchestrator.core.ports import (
    Interjection,
    Message,
    Mood,
    Reading,
    TextDelta,
    Tool,
    ToolCall,
    Transcript,
    Vectors,
    Word,
)
from tests.fakes.speech import RATE, Lexicon


@dataclass(slots=True)
class FakeVoiceActivity:
    """Hears speech wherever a window is louder than *threshold* dBFS."""

    threshold: float = -40.0
    rate: int = RATE
    window: int = 512

    def speech_probability(self, window: Pcm) -> float:
        if window.shape != (self.window,):
            raise ValueError(f"window must have shape ({self.window},), not {window.shape}")
        return 0.98 if level_dbfs(window) > self.threshold else 0.02


@dataclass(slots=True)
class FakeVoiceActivityFactory:
    """Opens one detector per call."""

    def open(self) -> FakeVoiceActivity:
        return FakeVoiceActivity()


@dataclass(slots=True)
class FakeTurnDetector:
    """Says that the caller is done with probability *judge(text)*; certain by default."""

    judge: Callable[[str], float] = lambda text: 1.0
    delay: float = 0.0
    failure: EngineError | None = None
    requests: list[str] = field(default_factory=list)

    async def finished(self, utterance: AudioFrame, text: str = "") -> float:
        self.requests.append(text)
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        return self.judge(text)


@dataclass(slots=True)
class FakeInterjections:
    """Says of a sound that its caller wants the turn with probability *judge(sound)*; certain by default."""

    judge: Callable[[AudioFrame], float] = lambda sound: 1.0
    delay: float = 0.0
    failure: EngineError | None = None
    requests: list[AudioFrame] = field(default_factory=list)

    async def classify(self, sound: AudioFrame) -> Interjection:
        self.requests.append(sound)
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        wanted = self.judge(sound)
        return Interjection(wanted, 1.0 - wanted, 0.0)


@dataclass(slots=True)
class FakeRecognizer:
    """Recognises what *hear* finds in a window: a Lexicon's hear(), or any function of the audio."""

    hear: Callable[[AudioFrame], str]
    delay: float = 0.1
    failure: EngineError | None = None
    requests: list[AudioFrame] = field(default_factory=list)
    time: Callable[[AudioFrame], Sequence[Word]] = lambda window: ()

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        self.requests.append(window)
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        return Transcript(self.hear(window), language=language or "en")

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        return (Reading((await self.recognize(sound, language=language)).text, 1.0),)

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        heard = await self.recognize(window, language=language)
        return replace(heard, words=tuple(self.time(window)))


@dataclass(slots=True)
class FakeLanguageModel:
    """Streams *answer(messages)* word by word. completed and closed count the generations that ended either way.

    fails_after: words that are given before `failure` is raised.
    """

    answer: Callable[[Sequence[Message]], str] = lambda messages: f"You said {messages[-1].content}"
    first_token: float = 0.1
    per_token: float = 0.02
    failure: EngineError | None = None
    fails_after: int = 0
    tool_calls: Sequence[ToolCall] = ()
    requests: list[tuple[Message, ...]] = field(default_factory=list)
    prefilled: list[tuple[Message, ...]] = field(default_factory=list)
    ends: Callable[[str], float] = lambda text: 0.5
    judging: float = 0.02
    completed: int = 0
    closed: int = 0

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        self.requests.append(tuple(messages))
        done = False
        try:
            await asyncio.sleep(self.first_token)
            for index, word in enumerate(re.findall(r"\s*\S+", self.answer(messages))[:max_tokens]):
                if self.failure and index >= self.fails_after:
                    raise self.failure
                yield TextDelta(word)
                await asyncio.sleep(self.per_token)
            for call in self.tool_calls:
                yield call
            done = True
        finally:
            self.completed += done
            self.closed += not done

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        self.prefilled.append(tuple(messages))
        await asyncio.sleep(self.first_token)

    async def end_of_utterance(self, text: str) -> float:
        await asyncio.sleep(self.judging)
        return self.ends(text)


@dataclass(slots=True)
class FakeTextToSpeech:
    """Speaks with a Lexicon, so that a test can read back what was played.

    piece: seconds of audio in a frame; tells: whether it tells where words end.
    """

    lexicon: Lexicon = field(default_factory=Lexicon)
    tells: bool = False
    first_audio: float = 0.1
    piece: float = 0.2
    per_piece: float = 0.02
    failure: EngineError | None = None
    requests: list[str] = field(default_factory=list)
    completed: int = 0
    closed: int = 0

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        self.requests.append(sentence)
        done = False
        try:
            await asyncio.sleep(self.first_audio)
            if self.failure:
                raise self.failure
            speech = self.lexicon.speak(sentence)
            step = round(self.piece * speech.rate)
            for first in range(0, len(speech.pcm), step):
                pcm, at = speech.pcm[first : first + step], first / speech.rate
                ends = self.lexicon.word_ends(sentence) if self.tells else ()
                inside = tuple(end - at for end in ends if at < end <= at + len(pcm) / speech.rate)
                yield AudioFrame(pcm, speech.rate, at, inside)
                await asyncio.sleep(self.per_piece)
            done = True
        finally:
            self.completed += done
            self.closed += not done


@dataclass(slots=True)
class FakeEmbedder:
    """Bags of words, hashed into *dim* places: texts that share words lie close together."""

    dim: int = 256
    delay: float = 0.02
    failure: EngineError | None = None
    requests: list[tuple[str, ...]] = field(default_factory=list)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.requests.append(tuple(texts))
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or [""]:
                vectors[row, crc32(word.encode()) % self.dim] += 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@dataclass(slots=True)
class FakeSentiment:
    """Negative or positive when a text holds one of the words, neutral otherwise."""

    negative: frozenset[str] = frozenset({"angry", "bad", "terrible", "useless", "worst"})
    positive: frozenset[str] = frozenset({"excellent", "good", "great", "perfect", "thanks"})
    delay: float = 0.02
    failure: EngineError | None = None
    requests: list[str] = field(default_factory=list)

    async def score(self, text: str) -> Mood:
        self.requests.append(text)
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        words = set(re.findall(r"\w+", text.lower()))
        if words & self.negative:
            return Mood(0.9, 0.08, 0.02)
        return Mood(0.02, 0.08, 0.9) if words & self.positive else Mood(0.05, 0.9, 0.05)
