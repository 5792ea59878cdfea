"""The ports of a call: what an engine or a driver must offer to take part in one.

Every engine call is unary→unary or unary→stream, so any of them can live in another process or behind a Ray Serve
handle. Closing a stream aborts the work behind it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.audio import AudioFrame, Pcm

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Vectors: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word. start, end: seconds on the clock of the window that it was recognised in."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was recognised. final: no later transcript of the same speech will change it; words may be empty."""

    text: str
    final: bool = True
    language: str | None = None
    confidence: float | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a short sound. probability: among all of its readings; an empty text: nobody spoke."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the conversation that the language model sees."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. parameters: a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants *name* called with *arguments*."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Mood:
    """How a sentence sounds. Probabilities that sum to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def score(self) -> float:
        """From -1 (negative) to 1 (positive)."""
        return self.positive - self.negative


@dataclass(frozen=True, slots=True)
class Interjection:
    """What a sound over a speaking agent was, by its sound alone. Probabilities that sum to 1."""

    interruption: float
    back_channel: float
    noise: float


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key pressed by the caller. digit: one of 0-9, *, #, A-D; at: seconds on the media clock."""

    digit: str
    at: float


class Recognizer(Protocol):
    """One window of speech in, one transcript out."""

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        """The words in *window* (any rate; engines resample). Silence and noise give an empty text."""
        ...

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        """How *sound*, a few seconds at most, may be read, the likeliest words first; the probabilities sum to 1."""
        ...

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        """What recognize() does, and of each of the words when it was said: for who can wait several times as long."""
        ...


class SentenceJudge(Protocol):
    """Tells a whole sentence from the beginning of one."""

    async def end_of_utterance(self, text: str) -> float:
        """Probability in [0, 1] that somebody who has said *text* has said the whole sentence."""
        ...


class LanguageModel(SentenceJudge, Protocol):
    """A chat model."""

    def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncIterator[TextDelta | ToolCall]:
        """The reply to *messages* as it is generated. Closing the iterator aborts the generation.

        conversation: any stable id; the engine may keep that conversation's prompt cached between calls.
        """
        ...

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        """Warm the cache for *messages*, so that a later complete() that begins with them starts sooner."""
        ...


class TextToSpeech(Protocol):
    """A voice."""

    def synthesize(self, sentence: str, *, voice: str = "") -> AsyncIterator[AudioFrame]:
        """The speech of *sentence*, in pieces, the first as soon as it can be played. `at` counts from 0.

        A voice that knows gives the `word_ends` of what lies between the sentence's spaces: by them the call knows how
        many words of a reply that was cut short were heard. Otherwise it takes letters as evenly spread.
        """
        ...


class Sentiment(Protocol):
    """A classifier of moods."""

    async def score(self, text: str) -> Mood:
        """The mood of *text*."""
        ...


class Embedder(Protocol):
    """A sentence encoder."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of unit norm."""
        ...


class VoiceActivity(Protocol):
    """A voice activity detector for one call; it keeps state from window to window."""

    rate: int
    window: int

    def speech_probability(self, window: Pcm) -> float:
        """Probability in [0, 1] that *window* (int16, shape (self.window,), self.rate Hz) holds speech."""
        ...


class TurnDetector(Protocol):
    """Tells a finished utterance from a pause in the middle of one."""

    async def finished(self, utterance: AudioFrame, text: str = "") -> float:
        """Probability in [0, 1] that the caller, having said *utterance*, is done."""
        ...


class Interjections(Protocol):
    """Tells a caller who wants the turn from one who only listens along, and both from noise, over a speaking agent."""

    async def classify(self, sound: AudioFrame) -> Interjection:
        """How *sound* sounded: the caller's audio from about 0.3 s before speech was found to now, in any rate."""
        ...


class CallLeg(Protocol):
    """The caller's side of a call, whatever carries it: SIP, Twilio, Vonage or a browser."""

    rate: int

    @property
    def lost(self) -> bool:
        """Whether the leg has broken, so that nobody hung up."""
        ...

    def incoming(self) -> AsyncIterator[AudioFrame | Dtmf]:
        """What the caller says and keys, in order, on the media clock. Ends at hang-up."""
        ...

    async def play(self, frame: AudioFrame) -> None:
        """Queue *frame* (of self.rate) behind what is queued; waits while enough is queued. Raises Hangup."""
        ...

    async def drain(self) -> None:
        """Return when everything queued has been played. Raises Hangup."""
        ...

    async def clear(self) -> float:
        """Drop what is queued; the seconds really played of all audio ever queued. Raises Hangup."""
        ...

    @property
    def queued(self) -> float:
        """Seconds of audio played so far and still to play; clear() brings it back to `played`."""
        ...

    @property
    def played(self) -> float:
        """Seconds of them that have gone out on the wire, as last reported."""
        ...

    def now(self) -> float:
        """Seconds on the media clock at this moment, as well as the leg can tell."""
        ...

    async def playing_since(self, queued: float) -> float:
        """Media-clock time at which the sample that was *queued* seconds in went out. Waits for it. Raises Hangup."""
        ...

    async def record(self, account: UUID, key: bytes) -> float:
        """Record both sides from now on, for *account* under *key*; media-clock seconds of the first sample.

        Raises Hangup, and LegError when it cannot be.
        """
        ...

    async def transfer(self, target: str) -> None:
        """Hand the caller to *target* (a SIP URI or number). Raises LegError when the carrier refuses."""
        ...

    async def hangup(self) -> None:
        """End the call; a second time does nothing."""
        ...


class CallRecording(Protocol):
    """The recording of one call, which somebody may begin."""

    async def begin(self) -> float | None:
        """Record from now on; media-clock seconds of the first sample. None when that cannot be, or is so already."""
        ...
