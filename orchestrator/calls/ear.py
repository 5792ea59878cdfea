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

from inference.stt.agreement import Agreement
from orchestrator.calls.endpointing import Endpointer, Patience, Preroll, Signal, energy_end
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.errors import EngineError
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
    """The caller is done. text is empty when nothing was said; failed: the recogniser gave no answer. Media seconds."""

    text: str
    started: float
    speech_ended: float
    pause_found: float
    transcribed: float
    ended: float
    failed: bool = False


EarEvent: TypeAlias = SpeechStarted | Partial | TurnEnded | Dtmf


@dataclass(frozen=True, slots=True)
class EarSettings:
    """patience: endpointing; partial_every: seconds of new speech between partial passes.

    verdict_within: seconds that the turn detector has; beyond them silence alone decides.
    """

    patience: Patience = field(default_factory=Patience)
    partial_every: float = 0.8
    preroll: float = 0.32  # Silero's onset lags a soft consonant by up to ten windows
    window_limit: float = 25.0  # Whisper's window holds 30 s
    verdict_within: float = 1.0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a pause sounded like."""

    transcript: Transcript | None
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
        self._utterance: list[Pcm] = []
        self._utterance_at = 0.0
        self._samples = 0
        self._settled = ""
        self._agreement = Agreement()
        self._partial: asyncio.Task[Transcript | None] | None = None
        self._partial_samples = 0
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
        finally:
            for task in (self._partial, self._verdict):
                if task is not None:
                    task.cancel()

    def _hear(self, frame: AudioFrame) -> list[EarEvent]:
        events: list[EarEvent] = []
        window = self._vad.window
        self._pending = np.concatenate([self._pending, frame.pcm])
        end = frame.end - len(self._pending) / frame.rate
        while len(self._pending) >= window:
            chunk, self._pending = self._pending[:window], self._pending[window:]
            at, end = end, end + window / frame.rate
            events += self._hear_window(chunk, at, end)
        if (partial := self._partial_ready()) is not None:
            events.append(partial)
        return events

    def _hear_window(self, chunk: Pcm, at: float, end: float) -> list[EarEvent]:
        signal = self._endpointer.hear(self._vad.speech_probability(chunk), at, end)
        if not self._endpointer.speaking:
            self._preroll.push(chunk)
            return []
        self._utterance.append(chunk)
        self._samples += len(chunk)
        if signal is Signal.ONSET:
            before = self._preroll.take()
            self._utterance = [*before, chunk]
            self._samples = sum(map(len, self._utterance))
            self._utterance_at = end - self._samples / self._vad.rate
            return [SpeechStarted(self._endpointer.started, end)]
        if signal is Signal.PAUSE:
            self._pause_found = end
            self._verdict = self._group.create_task(self._judge(self._speech()), name="judge")
        elif signal is Signal.RESUME and self._verdict is not None:
            self._verdict.cancel()
            self._verdict = None
        elif not self._endpointer.paused:
            self._start_partial()
        return []

    def _speech(self) -> AudioFrame:
        return AudioFrame(np.concatenate(self._utterance), self._vad.rate, self._utterance_at)

    async def _judge(self, speech: AudioFrame) -> _Verdict:
        """The final words of *speech* and how finished it sounds, side by side."""
        transcript, finished = await asyncio.gather(self._recognize(speech), self._finished(speech))
        return _Verdict(transcript, finished, self._now)

    async def _recognize(self, speech: AudioFrame) -> Transcript | None:
        try:
            return await self._recognizer.recognize(speech, language=self._settings.language)
        except EngineError as error:
            log.warning("recognition_failed", engine=error.engine, error=error.message)
            return None

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
        silence = self._endpointer.silence(self._now)
        if silence < self._settings.patience.needed(verdict.finished):
            return None
        words = verdict.transcript.text if verdict.transcript is not None else ""
        ended = TurnEnded(
            text=f"{self._settled} {words}".strip(),
            started=self._endpointer.started,
            speech_ended=min(self._utterance_at + energy_end(self._speech().pcm, self._vad.rate), self._pause_found),
            pause_found=self._pause_found,
            transcribed=verdict.ready_at,
            ended=self._now,
            failed=verdict.transcript is None,
        )
        self._forget()
        return ended

    def _forget(self) -> None:
        self._endpointer.reset()
        self._utterance, self._samples, self._settled = [], 0, ""
        self._verdict = None
        self._agreement = Agreement()
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
        self._partial_samples = 0

    def _start_partial(self) -> None:
        """Recognise the words so far, one pass at a time."""
        fresh = self._samples - self._partial_samples
        if self._partial is None and fresh >= self._settings.partial_every * self._vad.rate:
            self._partial_samples = self._samples
            self._partial = self._group.create_task(self._recognize(self._speech()), name="partial")

    def _partial_ready(self) -> Partial | None:
        if self._partial is None or not self._partial.done():
            return None
        transcript, self._partial = self._partial.result(), None
        if transcript is None:
            return None
        if self._samples >= self._settings.window_limit * self._vad.rate:
            self._settle(transcript)
            return Partial(self._settled, "", self._now)
        stable, unstable = self._agreement.insert(transcript)
        return Partial(f"{self._settled} {stable}".strip(), unstable, self._now)

    def _settle(self, transcript: Transcript) -> None:
        """A long utterance: keep the words of the audio that was recognised and go on with the rest."""
        self._settled = f"{self._settled} {transcript.text}".strip()
        speech = self._speech()
        rest = speech.pcm[self._partial_samples :]
        self._utterance = [rest]
        self._utterance_at += self._partial_samples / self._vad.rate
        self._samples = len(rest)
        self._partial_samples = 0
        self._agreement = Agreement()
