"""Listens to one caller: frames in; onsets, partial words and finished turns out.

Everything is driven by the frames: a recognition that is ready is noticed at the next frame, so the order of events is
that of the media clock and a test needs no other time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import structlog

from inference.stt.utterance import Utterance
from orchestrator.calls.endpointing import Endpointer, Patience, Preroll, Signal
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.bursts import bursts
from orchestrator.core.errors import EngineError, EngineTimeout
from orchestrator.core.ports import Dtmf, Recognizer, Transcript, TurnDetector, VoiceActivity
from orchestrator.core.streams import closing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak. at: onset; noticed: when that was certain (media seconds)."""

    at: float
    noticed: float


@dataclass(frozen=True, slots=True)
class Partial:
    """Words so far. stable will not change."""

    stable: str
    unstable: str
    at: float


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller is done. Times are media seconds.

    text: empty when nothing was said; failure: why the recogniser gave no answer; hung_up: the caller left in mid-turn,
    and nobody waits for a reply.
    """

    text: str
    started: float
    speech_ended: float
    pause_found: float
    transcribed: float
    ended: float
    failure: EngineError | None = None
    hung_up: bool = False


EarEvent: TypeAlias = SpeechStarted | Partial | TurnEnded | Dtmf


@dataclass(frozen=True, slots=True)
class EarSettings:
    """patience: endpointing; partial_every: seconds of new speech between partial passes.

    verdict_within: seconds that the turn detector has; beyond them silence alone decides. words_within: seconds that
    the recogniser has for the last pass, while the caller waits. last_words_within: the same when they have hung up.
    """

    patience: Patience = field(default_factory=Patience)
    partial_every: float = 0.8
    preroll: float = 0.32  # Silero's onset lags a soft consonant by up to ten windows
    window_limit: float = 25.0  # Whisper's window holds 30 s
    verdict_within: float = 1.0
    words_within: float = 6.0
    last_words_within: float = 2.0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a pause sounded like."""

    transcript: Transcript | EngineError
    finished: float
    ready_at: float


class Ear:
    """The hearing of one call. group: the call's own; it awaits the recognitions that run beside the frames."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        vad: VoiceActivity,
        recognizer: Recognizer,
        turns: TurnDetector,
        settings: EarSettings = EarSettings(),
    ) -> None:
        self._group = group
        self._vad = vad
        self._recognizer = recognizer
        self._turns = turns
        self._settings = settings
        self._endpointer = Endpointer(settings.patience)
        self._preroll = Preroll(settings.preroll, vad.rate)
        self._pending: Pcm = np.zeros(0, dtype=np.int16)
        self._utterance = self._fresh()
        self._partial: asyncio.Task[Transcript | EngineError] | None = None
        self._verdict: asyncio.Task[_Verdict] | None = None
        self._pause_found = 0.0
        self._now = 0.0

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
                    if (ended := self._turn_ended()) is not None:
                        yield ended
            if (ended := await self._last_words()) is not None:
                yield ended
        finally:
            self._stop_partial()
            if self._verdict is not None:
                self._verdict.cancel()

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
            self._stop_partial()  # it would only keep the last pass waiting
            self._verdict = self._group.create_task(self._judge(self._settings.words_within), name="judge")
        elif signal is Signal.RESUME and self._verdict is not None:
            self._verdict.cancel()
            self._verdict = None
        elif not self._endpointer.paused and self._utterance.due:
            self._partial = self._group.create_task(self._recognize(self._utterance.window()), name="partial")
        return None

    async def _judge(self, within: float) -> _Verdict:
        """The last words of the utterance so far and how finished it sounds, side by side."""
        speech = self._utterance.whole()
        assert speech is not None
        async with asyncio.TaskGroup() as group:
            words = group.create_task(self._recognize_within(speech, within))
            finished = group.create_task(self._finished(speech))
        heard = words.result()
        return _Verdict(
            transcript=self._utterance.final(heard) if isinstance(heard, Transcript) else heard,
            finished=finished.result(),
            ready_at=self._now,
        )

    async def _recognize_within(self, speech: AudioFrame, seconds: float) -> Transcript | EngineError:
        try:
            async with asyncio.timeout(seconds):
                return await self._recognize(speech)
        except TimeoutError:
            return EngineTimeout("stt", f"no words within {seconds:g} s")

    async def _recognize(self, speech: AudioFrame) -> Transcript | EngineError:
        try:
            return await self._recognizer.recognize(speech, language=self._settings.language)
        except EngineError as error:
            return error
        except ValueError as error:  # the engine refuses the request itself; the call goes on
            return EngineError("stt", str(error))

    async def _finished(self, speech: AudioFrame) -> float:
        try:
            async with asyncio.timeout(self._settings.verdict_within):
                return await self._turns.finished(speech)
        except (EngineError, TimeoutError) as error:
            log.warning("turn_detection_failed", error=str(error) or "no verdict in time")
            return 1.0

    def _turn_ended(self) -> TurnEnded | None:
        if self._verdict is None or not self._verdict.done():
            return None
        verdict = self._verdict.result()
        if self._endpointer.silence(self._now) < self._settings.patience.needed(verdict.finished):
            return None
        return self._ended(verdict)

    async def _last_words(self) -> TurnEnded | None:
        """What the caller was saying when they hung up."""
        if not self._endpointer.speaking:
            return None
        self._stop_partial()
        if self._verdict is None:
            self._pause_found = self._now
            self._verdict = self._group.create_task(self._judge(self._settings.last_words_within), name="last words")
        await asyncio.wait([self._verdict])
        return self._ended(self._verdict.result(), hung_up=True)

    def _ended(self, verdict: _Verdict, *, hung_up: bool = False) -> TurnEnded:
        heard = verdict.transcript
        ended = TurnEnded(
            text=heard.text if isinstance(heard, Transcript) else "",
            started=self._endpointer.started,
            speech_ended=self._speech_ended(),
            pause_found=self._pause_found,
            transcribed=verdict.ready_at,
            ended=self._now,
            failure=heard if isinstance(heard, EngineError) else None,
            hung_up=hung_up,
        )
        self._endpointer.reset()
        self._utterance = self._fresh()
        self._verdict = None
        return ended

    def _speech_ended(self) -> float:
        """Media seconds of the last speech energy, told from the noise in the silence after it.

        The detector's own word comes later by its window and hangover, and latency is counted from here.
        """
        speech = self._utterance.whole()
        loud = bursts(speech.pcm, speech.rate) if speech is not None else []
        return speech.at + loud[-1].end if speech is not None and loud else self._pause_found

    def _fresh(self) -> Utterance:
        return Utterance(self._settings.partial_every, self._settings.window_limit)

    def _partial_ready(self) -> Partial | None:
        if self._partial is None or not self._partial.done():
            return None
        heard, self._partial = self._partial.result(), None
        self._utterance.answered(heard if isinstance(heard, Transcript) else None)
        if isinstance(heard, EngineError):
            log.warning("recognition_failed", engine=heard.engine, error=heard.message)
            return None
        return Partial(self._utterance.stable, self._utterance.unstable, self._now)

    def _stop_partial(self) -> None:
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
            self._utterance.abandoned()
