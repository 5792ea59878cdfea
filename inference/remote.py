"""Engines that run elsewhere: the ports again, over a channel that leads to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from inference.breaking import ENGINE, guarded
from inference.manifest import Kind
from inference.operations import Operation
from orchestrator.core.audio import AudioFrame
from orchestrator.core.breaker import Breaker, BreakerState
from orchestrator.core.clock import Clock
from orchestrator.core.errors import EngineTimeout
from orchestrator.core.ports import Interjection, Message, Mood, Reading, TextDelta, Tool, ToolCall, Transcript, Vectors

_WORST_FIRST = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)


class Channel(Protocol):
    """The way to one engine. What the engine raises comes out of it as failures.outward() has it.

    Raises EngineUnavailable when the engine's process or replica is gone.
    """

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        """The answer of *operation*. Cancelling abandons it."""
        ...

    def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        """The pieces of *operation*'s answer. Closing it closes the engine's own generator."""
        ...


@dataclass(slots=True)
class Gauge:
    """What goes on at one engine. in_flight: requests under way; misses: deadlines missed since the last answer.

    on_miss is told the number of misses, each time there is one more.
    """

    in_flight: int = 0
    misses: int = 0
    on_miss: Callable[[int], None] = lambda misses: None

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request while it lasts."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def answered(self) -> None:
        """The engine gave something, so it is not stuck."""
        self.misses = 0

    def missed(self) -> None:
        """The engine gave nothing until the deadline."""
        self.misses += 1
        self.on_miss(self.misses)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What tells a remote engine how its place is. life: changes with each start of its process, None while it has
    none; clock: of its breakers.
    """

    life: Callable[[], int | None] = lambda: 0
    clock: Clock = time.monotonic


class RemoteEngine:
    """What all remote engines share: deadlines, counting, and a breaker for each operation. name: the manifest's."""

    def __init__(
        self,
        name: str,
        channel: Channel,
        operations: Mapping[str, Operation],
        gauge: Gauge,
        pulse: Pulse = Pulse(),
    ) -> None:
        self.name = name
        self._channel = channel
        self._operations = operations
        self._gauge = gauge
        self._pulse = pulse
        self._life = pulse.life()
        self._breakers = {operation: Breaker(ENGINE, pulse.clock) for operation in operations}

    def wait(self, operation: str) -> float:
        """Seconds for which *operation* is refused at once, 0 while it is not."""
        return self._breaker(operation).wait

    @property
    def state(self) -> BreakerState:
        """That of the operation that is worst off."""
        states = {self._breaker(operation).state for operation in self._breakers}
        return next(state for state in _WORST_FIRST if state in states)

    def _breaker(self, operation: str) -> Breaker:
        if (life := self._pulse.life()) != self._life:
            self._life = life
            if life is not None:  # what failed was the process before
                for breaker in self._breakers.values():
                    breaker.reset()
        return self._breakers[operation]

    async def _ask(self, operation: str, **arguments: object) -> Any:
        deadline = self._operations[operation].deadline
        with guarded(self.name, operation, self._breaker(operation)), self._gauge.request():
            try:
                async with asyncio.timeout(deadline):
                    answer = await self._channel.ask(operation, arguments)
            except TimeoutError as error:
                raise self._late(operation, deadline) from error
            self._gauge.answered()
            return answer

    async def _stream(self, operation: str, **arguments: object) -> AsyncGenerator[Any, None]:
        terms = self._operations[operation]
        wait = terms.deadline
        with guarded(self.name, operation, self._breaker(operation)) as attempt, self._gauge.request():
            async with aclosing(self._channel.stream(operation, arguments)) as items:
                while True:
                    try:
                        async with asyncio.timeout(wait):
                            item = await anext(items)
                    except StopAsyncIteration:
                        return
                    except TimeoutError as error:
                        raise self._late(operation, wait) from error
                    self._gauge.answered()
                    attempt.answer(self._pulse.clock())
                    yield item
                    wait = terms.pause or terms.deadline

    def _late(self, operation: str, deadline: float) -> EngineTimeout:
        self._gauge.missed()
        return EngineTimeout(self.name, f"{operation} gave nothing for {deadline:g} s")


class RemoteRecognizer(RemoteEngine):
    """A Recognizer elsewhere."""

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        """See Recognizer."""
        transcript: Transcript = await self._ask("recognize", window=window, prompt=prompt, language=language)
        return transcript

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        """See Recognizer."""
        readings: tuple[Reading, ...] = await self._ask("readings", sound=sound, language=language)
        return readings

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        """See Recognizer."""
        transcript: Transcript = await self._ask("timed", window=window, language=language)
        return transcript


class RemoteLanguageModel(RemoteEngine):
    """A LanguageModel elsewhere."""

    def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        """See LanguageModel."""
        request = {"messages": tuple(messages), "tools": tuple(tools)}
        return self._stream("complete", **request, conversation=conversation, max_tokens=max_tokens)

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        """See LanguageModel."""
        await self._ask("prefill", messages=tuple(messages), conversation=conversation)

    async def end_of_utterance(self, text: str) -> float:
        """See LanguageModel."""
        probability: float = await self._ask("end_of_utterance", text=text)
        return probability


class RemoteTextToSpeech(RemoteEngine):
    """A TextToSpeech elsewhere."""

    def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        """See TextToSpeech."""
        return self._stream("synthesize", sentence=sentence, voice=voice)


class RemoteEmbedder(RemoteEngine):
    """An Embedder elsewhere."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        vectors: Vectors = await self._ask("embed", texts=tuple(texts))
        return vectors


class RemoteSentiment(RemoteEngine):
    """A Sentiment elsewhere."""

    async def score(self, text: str) -> Mood:
        """See Sentiment."""
        mood: Mood = await self._ask("score", text=text)
        return mood


class RemoteTurnDetector(RemoteEngine):
    """A TurnDetector elsewhere."""

    async def finished(self, utterance: AudioFrame, text: str = "") -> float:
        """See TurnDetector."""
        probability: float = await self._ask("finished", utterance=utterance, text=text)
        return probability


class RemoteInterjections(RemoteEngine):
    """An Interjections elsewhere."""

    async def classify(self, sound: AudioFrame) -> Interjection:
        """See Interjections."""
        interjection: Interjection = await self._ask("classify", sound=sound)
        return interjection


REMOTE: Mapping[Kind, type[RemoteEngine]] = {
    "stt": RemoteRecognizer,
    "llm": RemoteLanguageModel,
    "tts": RemoteTextToSpeech,
    "embed": RemoteEmbedder,
    "sentiment": RemoteSentiment,
    "turns": RemoteTurnDetector,
    "interjections": RemoteInterjections,
}
"""The remote engine of each kind."""
