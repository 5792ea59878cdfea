"""One recorded turn heard by the real endpointing, in media time: frame by frame, as the ear of a call hears it.

The engines' answers arrive when they would: as long after they were asked as they took, one at a time for each engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.conversation import RATE
from benchmarks.turn_ends_engines import Engines
from benchmarks.turn_ends_set import Spoken
from orchestrator.calls.endpointing import Endpointer, Signal
from orchestrator.core.audio import Pcm

FRAME = 0.02
_WINDOW = 512
# Windows of Preroll in the ear: what a recogniser hears from before the onset.
_BEFORE = 10


@dataclass(slots=True)
class Engine:
    """When an engine is free again, and what it has been asked last. at: media seconds."""

    free: float = 0.0
    answer: float | str | None = None
    ready: float | None = None

    def ask(self, answer: float | str, seconds: float, now: float) -> None:
        """Its *answer* comes *seconds* after it is free."""
        self.free = max(now, self.free) + seconds
        self.answer, self.ready = answer, self.free

    def forget(self, now: float) -> None:
        """Nobody waits any more. What has not begun never will."""
        self.answer = self.ready = None
        self.free = min(self.free, now) if self.free <= now else self.free


@dataclass(slots=True)
class Pause:
    """A pause that was found, or the end. at: when; began: last voiced window (media seconds)."""

    at: float
    began: float
    verdicts: list[float] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one turn was heard. ends: media seconds at which a turn was ended; decided: the same, words or not."""

    spoken: Spoken
    ends: tuple[float, ...]
    pauses: tuple[Pause, ...]

    @property
    def cut_off(self) -> bool:
        """Whether a turn was ended before the caller was done."""
        return bool(self.ends) and self.ends[0] < self.spoken.ended

    @property
    def wait(self) -> float | None:
        """Seconds from the end of the speech to the end of the turn; None when it was cut off or never ended."""
        return None if self.cut_off or not self.ends else self.ends[0] - self.spoken.ended

    def audible(self, reply: float) -> bool:
        """Whether a reply that sounds *reply* seconds after the turn's end was heard before the caller went on."""
        return any(
            any(end < start for start, _ in self.spoken.stretches)
            and end + reply < min(start for start, _ in self.spoken.stretches if start > end)
            for end in self.ends
        )


def listen(spoken: Spoken, engines: Engines, endpointer: Callable[[], Endpointer]) -> Outcome:
    """What *endpointer* makes of *spoken*."""
    return _Listening(spoken.pcm, engines, endpointer()).outcome(spoken)


class _Listening:
    def __init__(self, pcm: Pcm, engines: Engines, endpointer: Endpointer) -> None:
        self._pcm = pcm
        self._engines = engines
        self._endpointer = endpointer
        self._verdict = Engine()
        self._words = Engine()
        self._begun = 0
        self._pauses: list[Pause] = []
        self._ends: list[float] = []
        self._read = False

    def outcome(self, spoken: Spoken) -> Outcome:
        """The outcome, once everything was heard."""
        probabilities = self._engines.speech_probabilities(self._pcm)
        heard = 0
        for number in range(round(len(self._pcm) / RATE / FRAME)):
            now = (number + 1) * FRAME
            while heard < len(probabilities) and (heard + 1) * _WINDOW <= now * RATE + 1e-6:
                self._hear(probabilities[heard], heard)
                heard += 1
            self._attend(now)
        return Outcome(spoken, tuple(self._ends), tuple(self._pauses))

    def _hear(self, probability: float, window: int) -> None:
        at, end = window * _WINDOW / RATE, (window + 1) * _WINDOW / RATE
        signal = self._endpointer.hear(probability, at, end)
        if signal is Signal.ONSET:
            self._begun = max(0, window + 1 - _BEFORE) * _WINDOW
        if signal is Signal.PAUSE:
            self._pauses.append(Pause(end, self._endpointer.ended))
            self._recognize(end)
            self._ask(end)
        elif signal is Signal.LINGER:
            self._ask(end)
        elif signal is Signal.RESUME:
            self._forget(end)

    def _attend(self, now: float) -> None:
        if self._verdict.ready is not None and self._verdict.ready <= now:
            self._endpointer.judge(float(self._verdict.answer or 0.0))
            self._pauses[-1].verdicts.append(float(self._verdict.answer or 0.0))
            self._verdict.ready = None
        if self._words.ready is None or self._words.ready > now:
            return
        if not self._read:
            self._read = True
            self._pauses[-1].text = str(self._words.answer)
            self._endpointer.read(self._pauses[-1].text)
        if self._endpointer.over(now):
            self._ends.append(now)
            self._endpointer.reset()
            self._forget(now)

    def _recognize(self, now: float) -> None:
        answer = self._engines.words(self._speech(now))
        self._words.ask(answer.value, answer.seconds, now)
        self._read = False

    def _ask(self, now: float) -> None:
        answer = self._engines.finished(self._speech(now))
        self._verdict.ask(answer.value, answer.seconds, now)

    def _speech(self, now: float) -> Pcm:
        return self._pcm[self._begun : round(now * RATE)]

    def _forget(self, now: float) -> None:
        self._verdict.forget(now)
        self._words.forget(now)
