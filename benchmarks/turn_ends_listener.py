"""One recorded turn heard by the real endpointing, in media time: frame by frame, as the ear of a call hears it.

The engines' answers arrive when they would: as long after they were asked as they took, one at a time for each engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.conversation import RATE
from benchmarks.turn_ends_engines import Engines
from benchmarks.turn_ends_set import Spoken
from orchestrator.calls.ear import EarSettings
from orchestrator.calls.endpointing import Endpointer, Patience, Signal
from orchestrator.core.audio import Pcm

FRAME = 0.02
_WINDOW = 512
# Windows of Preroll in the ear: what a recogniser hears from before the onset.
_BEFORE = 10
_EAR = EarSettings()


@dataclass(slots=True)
class Engine:
    """When an engine is free again, and what it has been asked last. at: media seconds."""

    free: float = 0.0
    answer: float | str | None = None
    ready: float | None = None

    def ask(self, answer: float | str | None, seconds: float, now: float) -> None:
        """Its *answer* comes *seconds* after it is free."""
        self.free = max(now, self.free) + seconds
        self.answer, self.ready = answer, self.free

    def forget(self) -> None:
        """Nobody waits for it any more; it is busy until it is done."""
        self.answer = self.ready = None


@dataclass(slots=True)
class Pause:
    """A pause that was found, or the end.

    at: media seconds; verdicts: the turn detector's; text: the words before it; sentence: the language model's word;
    known: media seconds at which words and sentence had come, None when they never did.
    """

    at: float
    verdicts: list[float] = field(default_factory=list)
    text: str = ""
    sentence: float | None = None
    likeness: float | None = None
    known: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one turn was heard. turn_ended: media seconds at which it was ended, None when it never was."""

    spoken: Spoken
    turn_ended: float | None
    pauses: tuple[Pause, ...]

    @property
    def cut_off(self) -> bool:
        """Whether the turn was ended before the caller was done."""
        return self.turn_ended is not None and self.turn_ended < self.spoken.ended

    @property
    def wait(self) -> float | None:
        """Seconds from the end of the speech to the end of the turn; None when it was cut off or never ended."""
        return None if self.cut_off or self.turn_ended is None else self.turn_ended - self.spoken.ended

    @property
    def patience(self) -> float | None:
        """What of the wait was patience: seconds from when everything was known to the end of the turn."""
        known = self.pauses[-1].known if self.pauses else None
        return None if self.wait is None or self.turn_ended is None or known is None else self.turn_ended - known

    def audible(self, reply: float) -> bool:
        """Whether a reply that sounds *reply* seconds after the turn's end was heard before the caller went on."""
        if self.turn_ended is None or not self.cut_off:
            return False
        goes_on = (start for start, _ in self.spoken.stretches if start > self.turn_ended)
        return self.turn_ended + reply < next(goes_on, 0.0)


def listen(spoken: Spoken, engines: Engines, patience: Patience, *, knows_question: bool = True) -> Outcome:
    """What an endpointer with *patience* makes of *spoken*. knows_question: whether it is told what is expected."""
    endpointer = Endpointer(patience, "en")
    if knows_question:
        endpointer.expect(spoken.expects)
    return _Listening(spoken.pcm, engines, endpointer).outcome(spoken)


class _Listening:
    def __init__(self, pcm: Pcm, engines: Engines, endpointer: Endpointer) -> None:
        self._pcm = pcm
        self._engines = engines
        self._endpointer = endpointer
        self._verdict = Engine()
        self._words = Engine()
        self._sentence = Engine()
        self._likeness = Engine()
        self._begun = 0
        self._pauses: list[Pause] = []
        self._turn_ended: float | None = None
        self._read = self._asked = False

    def outcome(self, spoken: Spoken) -> Outcome:
        """The outcome, once the turn was ended or everything was heard."""
        probabilities = self._engines.speech_probabilities(self._pcm)
        heard = 0
        for number in range(round(len(self._pcm) / RATE / FRAME)):
            now = (number + 1) * FRAME
            while heard < len(probabilities) and (heard + 1) * _WINDOW <= now * RATE + 1e-6:
                self._hear(probabilities[heard], heard)
                heard += 1
            self._attend(now)
            if self._turn_ended is not None:
                break
        return Outcome(spoken, self._turn_ended, tuple(self._pauses))

    def _hear(self, probability: float, window: int) -> None:
        at, end = window * _WINDOW / RATE, (window + 1) * _WINDOW / RATE
        signal = self._endpointer.hear(probability, at, end)
        if signal is Signal.ONSET:
            self._begun = max(0, window + 1 - _BEFORE) * _WINDOW
        if signal is Signal.PAUSE:
            self._pauses.append(Pause(end))
            self._recognize(end)
        elif signal is Signal.RESUME:
            self._forget()

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
            self._judge(self._pauses[-1].text, now)
        if self._likeness.ready is not None and self._likeness.ready <= now:
            self._pauses[-1].likeness = float(self._likeness.answer or 0.0)
            self._endpointer.compare(self._pauses[-1].likeness)
            self._likeness.forget()
        if self._sentence.ready is not None:
            if self._sentence.ready > now:
                return
            told = self._sentence.answer
            self._pauses[-1].sentence = None if told is None else float(told)
            self._endpointer.read(self._pauses[-1].text, self._pauses[-1].sentence)
            self._sentence.forget()
        pause = self._pauses[-1]
        if pause.known is None:
            pause.known = now
        if self._endpointer.over(now):
            self._turn_ended = now
        elif not self._asked and self._endpointer.wants_sound(now):
            self._asked = True
            self._ask(now)

    def _judge(self, text: str, now: float) -> None:
        if text:
            answer = self._engines.sentence(text)
            in_time = answer.seconds <= _EAR.sentence_within
            self._sentence.ask(answer.value if in_time else None, min(answer.seconds, _EAR.sentence_within), now)
            likeness = self._engines.likeness(text)
            self._likeness.ask(likeness.value, likeness.seconds, now)

    def _recognize(self, now: float) -> None:
        answer = self._engines.words(self._speech(now))
        self._words.ask(answer.value, answer.seconds, now)
        self._read = self._asked = False

    def _ask(self, now: float) -> None:
        answer = self._engines.finished(self._speech(now))
        self._verdict.ask(answer.value, answer.seconds, now)

    def _speech(self, now: float) -> Pcm:
        return self._pcm[self._begun : round(now * RATE)]

    def _forget(self) -> None:
        self._verdict.forget()
        self._words.forget()
        self._sentence.forget()
        self._likeness.forget()
