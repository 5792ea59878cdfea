"""Listens to one caller: frames in; onsets, partial words, likely and certain ends of turns out.

Everything is driven by the frames: a recognition that is ready is noticed at the next frame, so the order of events is
that of the media clock and a test needs no other time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import numpy as np
import structlog

from inference.stt.utterance import Utterance
from orchestrator.calls.endpointing import Endpointer, Patience, Preroll, Signal
from orchestrator.calls.heard import EarEvent, Partial, SpeechStarted, TurnEnded, TurnLikely
from orchestrator.core.agent import Agent
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.errors import EngineError, EngineTimeout
from orchestrator.core.expectation import Expectation
from orchestrator.core.ports import Dtmf, Recognizer, SentenceJudge, Transcript, TurnDetector, VoiceActivity
from orchestrator.core.streams import closing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EarSettings:
    """patience: endpointing; partial_every: seconds of new speech between partial passes.

    sure_pause: seconds of silence after which a pass is given up that has been waited for too long to lose it for less.
    verdict_within: seconds that the turn detector has; beyond them silence alone decides. sentence_within: the same for
    the language model's word on the sentence; beyond them the turn is ended without it. words_within: seconds that
    the recogniser has for the last pass, while the caller waits. last_words_within: the same when they have hung up.
    likely_before: seconds before the end of a turn, if the silence lasts, at which it is told to be likely: what it
    takes to prepare a reply. Sooner would be wasted on the pauses within a turn, which are mostly shorter.
    """

    patience: Patience = field(default_factory=Patience)
    partial_every: float = 0.8
    sure_pause: float = 0.096
    preroll: float = 0.32  # Silero's onset lags a soft consonant by up to ten windows
    window_limit: float = 25.0  # Whisper's window holds 30 s
    verdict_within: float = 1.0
    sentence_within: float = 0.3
    words_within: float = 6.0
    likely_before: float = 0.45
    last_words_within: float = 2.0
    language: str | None = None

    def of(self, agent: Agent) -> EarSettings:
        """These settings, with the language of *agent* and its patience if it says any."""
        patience = self.patience if agent.patience is None else Patience.named(agent.patience)
        return replace(self, language=agent.language.split("-")[0], patience=patience)


async def _no_question(_: str) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class EarEngines:
    """What an ear hears with. vad: the call's own; likeness: of words to the question of an approved answer, 0 to 1."""

    vad: VoiceActivity
    recognizer: Recognizer
    turns: TurnDetector
    sentences: SentenceJudge
    likeness: Callable[[str], Awaitable[float]] = _no_question


@dataclass(frozen=True, slots=True)
class _Words:
    """What was heard of a stretch of speech. until: its end; ready_at: when it was known (media seconds)."""

    heard: Transcript | EngineError
    until: float
    ready_at: float

    @property
    def text(self) -> str:
        """Empty when nothing was said, or nothing could be heard."""
        return self.heard.text if isinstance(self.heard, Transcript) else ""


class Ear:
    """The hearing of one call. group: the call's own; it awaits the recognitions that run beside the frames."""

    def __init__(self, group: asyncio.TaskGroup, engines: EarEngines, settings: EarSettings = EarSettings()) -> None:
        self._group = group
        self._vad = vad = engines.vad
        self._engines = engines
        self._settings = settings
        self._endpointer = Endpointer(settings.patience, settings.language or "en")
        self._preroll = Preroll(settings.preroll, vad.rate)
        self._pending: Pcm = np.zeros(0, dtype=np.int16)
        self._utterance = self._fresh()
        self._partial: asyncio.Task[_Words] | None = None
        self._words: asyncio.Task[_Words] | None = None
        self._verdict: asyncio.Task[float] | None = None
        self._sentence: asyncio.Task[None] | None = None
        self._question: asyncio.Task[None] | None = None
        self._told_likely = False
        self._pause_found = 0.0
        self._now = 0.0

    def expect(self, expects: Expectation) -> None:
        """The question that the caller answers next expects *expects*."""
        self._endpointer.expect(expects)

    async def listen(self, incoming: AsyncIterator[AudioFrame | Dtmf]) -> AsyncIterator[EarEvent]:
        """What happens on *incoming* (frames at the detector's rate), until it ends."""
        try:
            async with closing(incoming) as items:
                async for item in items:
                    if isinstance(item, Dtmf):
                        yield item
                        continue
                    self._now = item.end
                    for event in self._hear(item):
                        yield event
                    if (end := self._turn_end()) is not None:
                        yield end
            if (ended := await self._last_words()) is not None:
                yield ended
        finally:
            self._stop_partial()
            self._forget_pause()

    def _hear(self, frame: AudioFrame) -> list[EarEvent]:
        events: list[EarEvent] = []
        window = self._vad.window
        self._pending = np.concatenate([self._pending, frame.pcm])
        end = frame.end - len(self._pending) / frame.rate
        while len(self._pending) >= window:
            chunk, self._pending = self._pending[:window], self._pending[window:]
            at, end = end, end + window / frame.rate
            if (started := self._hear_window(AudioFrame(chunk, frame.rate, at))) is not None:
                events.append(started)
        if (partial := self._partial_ready()) is not None:
            events.append(partial)
        return events

    def _hear_window(self, chunk: AudioFrame) -> SpeechStarted | None:
        signal = self._endpointer.hear(self._vad.speech_probability(chunk.pcm), chunk.at, chunk.end)
        if not self._endpointer.speaking:
            self._preroll.push(chunk.pcm)
            return None
        if signal is Signal.ONSET:
            before = np.concatenate([*self._preroll.take(), chunk.pcm])
            self._utterance.hear(AudioFrame(before, chunk.rate, chunk.end - len(before) / chunk.rate))
            return SpeechStarted(self._endpointer.started, chunk.end)
        self._utterance.hear(chunk)
        if signal is Signal.PAUSE:
            self._pause_found = chunk.end
        elif signal is Signal.RESUME:
            self._go_on()
        if self._endpointer.paused:
            self._hear_pause(chunk.end)
        elif self._utterance.due:
            self._partial = self._group.create_task(self._heard(self._utterance.window()), name="partial")
        return None

    def _hear_pause(self, now: float) -> None:
        """Have the words before the pause recognised, once; a pass under way would only keep that waiting."""
        if self._words is not None:
            return
        if self._utterance.overdue and self._endpointer.silence(now) < self._settings.sure_pause:
            return
        self._stop_partial()
        self._recognize_all(self._settings.words_within)

    def _go_on(self) -> None:
        """The pause was none: what is being heard before it are partial words."""
        if self._words is not None and self._utterance.went_on():
            self._partial, self._words = self._words, None
        self._forget_pause()

    def _recognize_all(self, within: float) -> None:
        """Recognise the whole utterance so far, which may be complete."""
        speech = self._or_nothing(self._utterance.last_window())
        self._words = self._group.create_task(self._heard(speech, within), name="words")

    async def _heard(self, speech: AudioFrame, within: float | None = None) -> _Words:
        return _Words(await self._recognize_within(speech, within), speech.end, self._now)

    def _speech(self) -> AudioFrame:
        """The utterance so far, as much of it as an engine takes; while the caller speaks it is never empty."""
        return self._or_nothing(self._utterance.whole())

    def _or_nothing(self, speech: AudioFrame | None) -> AudioFrame:
        return AudioFrame(self._pending[:0], self._vad.rate, self._now) if speech is None else speech

    async def _recognize_within(self, speech: AudioFrame, seconds: float | None) -> Transcript | EngineError:
        try:
            async with asyncio.timeout(seconds):
                return await self._recognize(speech)
        except TimeoutError:
            return EngineTimeout("stt", "no words in time")

    async def _recognize(self, speech: AudioFrame) -> Transcript | EngineError:
        try:
            return await self._engines.recognizer.recognize(speech, language=self._settings.language)
        except EngineError as error:
            return error
        except ValueError as error:  # the engine refuses the request itself; the call goes on
            return EngineError("stt", str(error))

    async def _finished(self, speech: AudioFrame) -> float:
        try:
            async with asyncio.timeout(self._settings.verdict_within):
                return await self._engines.turns.finished(speech)
        except (EngineError, ValueError, TimeoutError) as error:
            log.warning("turn_detection_failed", error=str(error) or "no verdict in time")
            return 1.0

    def _read(self, words: _Words) -> None:
        """Tell the endpointer what the words say of their end, and have them judged as a sentence and as a question."""
        if isinstance(words.heard, EngineError):
            self._endpointer.judge(1.0)  # there is nothing to wait for: the caller hears an apology
        else:
            self._endpointer.read(words.text)
        self._sentence = self._group.create_task(self._judge(words.text), name="sentence")
        self._question = self._group.create_task(self._compare(words.text), name="question")

    async def _compare(self, text: str) -> None:
        if not text:
            return
        try:
            self._endpointer.compare(await self._engines.likeness(text))
        except EngineError as error:  # the reply will tell
            log.warning("question_not_compared", error=error.message)

    async def _judge(self, text: str) -> None:
        if not text:
            return
        try:
            async with asyncio.timeout(self._settings.sentence_within):
                sentence = await self._engines.sentences.end_of_utterance(text)
        except (EngineError, ValueError, TimeoutError) as error:
            log.warning("sentence_not_judged", error=str(error) or "no word in time")
            return
        self._endpointer.read(text, sentence)

    def _turn_end(self) -> TurnLikely | TurnEnded | None:
        if self._verdict is not None and self._verdict.done():
            self._endpointer.judge(self._verdict.result())
        if self._words is None or not self._words.done():
            return None
        words = self._final(self._words.result())
        if self._sentence is None:
            self._read(words)
        if self._sentence is not None and self._sentence.done():
            if self._endpointer.over(self._now):
                return self._ended(words)
            if self._verdict is None and self._endpointer.wants_sound(self._now):
                self._verdict = self._group.create_task(self._finished(self._speech()), name="verdict")
        if self._told_likely or not self._endpointer.over(self._now + self._settings.likely_before):
            return None
        if not words.text:
            return None
        self._told_likely = True
        return TurnLikely(words.text)

    def _final(self, words: _Words) -> _Words:
        """*words* of all that is not settled, behind what is."""
        heard = words.heard
        return replace(words, heard=self._utterance.final(heard)) if isinstance(heard, Transcript) else words

    async def _last_words(self) -> TurnEnded | None:
        """What the caller was saying when they hung up."""
        if not self._endpointer.speaking:
            return None
        self._stop_partial()
        if self._words is None:
            self._pause_found = self._now
            self._recognize_all(self._settings.last_words_within)
        assert self._words is not None
        await asyncio.wait([self._words])
        return self._ended(self._final(self._words.result()), hung_up=True)

    def _ended(self, words: _Words, *, hung_up: bool = False) -> TurnEnded:
        heard = words.heard
        ended = TurnEnded(
            text=words.text,
            speech=self._speech(),
            started=self._endpointer.started,
            voice_ended=self._endpointer.ended,
            pause_found=self._pause_found,
            transcribed=words.ready_at,
            ended=self._now,
            failure=heard if isinstance(heard, EngineError) else None,
            hung_up=hung_up,
        )
        self._endpointer.reset()
        self._utterance = self._fresh()
        self._forget_pause()
        return ended

    def _forget_pause(self) -> None:
        """What was being found out about a pause is of no use any more."""
        for task in (self._words, self._verdict, self._sentence, self._question):
            if task is not None:
                task.cancel()
        self._words = self._verdict = self._sentence = self._question = None
        self._told_likely = False

    def _fresh(self) -> Utterance:
        return Utterance(self._settings.partial_every, self._settings.window_limit)

    def _partial_ready(self) -> Partial | None:
        if self._partial is None or not self._partial.done():
            return None
        words, self._partial = self._partial.result(), None
        heard = words.heard
        self._utterance.answered(heard if isinstance(heard, Transcript) else None)
        if isinstance(heard, EngineError):
            log.warning("recognition_failed", engine=heard.engine, error=heard.message)
            return None
        return Partial(self._utterance.stable, self._utterance.unstable, words.until)

    def _stop_partial(self) -> None:
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
            self._utterance.abandoned()
