"""When the caller begins, pauses and is done: a state machine fed with speech probabilities, free of clocks and I/O."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum, auto
from statistics import NormalDist

from orchestrator.calls.completion import Evidence, completion
from orchestrator.calls.wording import Progress, progress
from orchestrator.core.audio import Pcm
from orchestrator.core.expectation import ANYTHING, Expectation, Form


@dataclass(frozen=True, slots=True)
class Patience:
    """Every threshold of endpointing. Probabilities are Silero's, durations are seconds of its silence.

    start, stop: hysteresis of Silero's own VADIterator (stop = start - 0.15).
    price: how many callers may be cut off to save one caller a second; careful: the same once a question has said
    what it expects, and that is not there yet. The silence that is needed is the cheapest at that price, between
    quickest and longest; an expected answer that is begun gets `answer` seconds. Source of these five: the development
    split of `python -m benchmarks.turn_ends`.
    """

    start: float = 0.5
    stop: float = 0.35
    onset: float = 0.096  # three windows: shorter bursts are clicks
    pause: float = 0.03  # silence after which the words so far are judged: a window, for Silero lets go 0.13 s late
    linger: float = 0.6  # silence after which the sound is judged: sooner it would slow down the reply that is begun
    price: float = 0.35
    careful: float = 0.05
    quickest: float = 0.1
    longest: float = 1.8
    answer: float = 1.8

    @classmethod
    def named(cls, name: str | float) -> Patience:
        """quick, normal or patient; or a number: the most seconds (0.2 to 5) of silence before the turn ends.

        Half an answer that was asked for may wait longer.

        Raises ValueError that says what is accepted.
        """
        if isinstance(name, str):
            if name not in _NAMED:
                raise ValueError(f"patience is {name!r}; accepted are {', '.join(_NAMED)} or seconds from 0.2 to 5")
            return cls(**_NAMED[name])
        if not _LEAST <= name <= _MOST:
            raise ValueError(f"patience is {name:g} s; accepted are {_LEAST:g} to {_MOST:g}, or {', '.join(_NAMED)}")
        normal = cls()
        return replace(normal, quickest=min(normal.quickest, name), longest=name, answer=max(normal.answer, name))

    def needed(
        self, evidence: Evidence, expects: Expectation = ANYTHING, language: str = "en", *, waited: float = 0.0
    ) -> float:
        """Seconds of silence that end an utterance of which *evidence* is known, *waited* of which are over."""
        price = self.price
        if expects.form is not Form.ANY:
            far = Progress.OTHER if evidence.text is None else progress(evidence.text, expects, language)
            if far is Progress.BEGUN:
                return self.answer
            price = price if far is Progress.WHOLE else min(price, self.careful)
        return self._cheapest(completion(evidence, expects, language=language), price, waited)

    def _cheapest(self, done: float, price: float, waited: float) -> float:
        """The silence of *waited* or more that costs least when the caller is done with probability *done*.

        Cutting off whoever would have gone on after it costs 1, each second that who is done must wait costs *price*.
        What has been waited is paid for: a little more may be cheap where less would have been cheaper still.
        """
        _, silence = min(
            (
                ((1.0 - done) * longer + price * done * silence, silence)
                for silence, longer in _LONGER
                if waited <= silence <= self.longest
            ),
            default=(0.0, self.longest),
        )
        return min(max(silence, self.quickest), self.longest)


_NAMED: dict[str, dict[str, float]] = {
    "quick": {"price": 1.0, "careful": 0.2, "longest": 1.0, "answer": 1.4},
    "normal": {},
    "patient": {"price": 0.05, "careful": 0.05, "longest": 2.0, "answer": 2.5},
}
_LEAST, _MOST = 0.2, 5.0
# Logarithms of pauses within turns are close to normal: Demol, Verhelst, Verhoeve, Interspeech 2007. Median and spread
# are ours, and those of the evaluation set as well: one pause in nine is longer than 1 s.
_PAUSES = NormalDist(math.log(0.55), 0.5)
# Silero lets go this long after the voice.
_LAG = 0.13
_STEP = 0.02
# Seconds of its silence, and the share of pauses that are longer.
_LONGER = tuple(
    (step * _STEP, 1.0 - _PAUSES.cdf(math.log(step * _STEP + _LAG))) for step in range(round(_MOST / _STEP))
)


class Signal(Enum):
    """What a window has made certain."""

    ONSET = auto()  # speech began; see Endpointer.started
    PAUSE = auto()  # it stopped, perhaps for good; see Endpointer.ended
    RESUME = auto()  # it went on after a pause


class Endpointer:
    """Follows one caller. Feed it every window in order, and what the engines find out about each pause."""

    def __init__(self, patience: Patience = Patience(), language: str = "en") -> None:
        self.patience = patience
        self.language = language
        self._expects = ANYTHING
        self.started = 0.0
        self.ended = 0.0
        self.speaking = False
        self.paused = False
        self._voiced = 0.0
        self._run: float | None = None
        self._evidence = Evidence()
        self._needed: float | None = None
        self._heard = 0.0

    def expect(self, expects: Expectation) -> None:
        """The question that is answered next expects *expects*."""
        self._expects = expects
        self._weigh()

    def hear(self, probability: float, at: float, end: float) -> Signal | None:
        """What the window from *at* to *end* (media seconds), speech with *probability*, makes certain."""
        self._heard = end
        voiced = probability >= (self.patience.stop if self._run is not None else self.patience.start)
        if voiced:
            return self._hear_voice(at, end)
        self._run = None
        self._voiced = 0.0
        return self._hear_silence(end - self.ended) if self.speaking else None

    def judge(self, finished: float) -> None:
        """The turn detector finds what was said before this pause complete with probability *finished*."""
        if self.paused:
            self._evidence = replace(self._evidence, sound=finished)
            self._weigh()

    def read(self, text: str, sentence: float | None = None) -> None:
        """The words before this pause are *text*, a whole sentence with probability *sentence* if that is known."""
        if self.paused:
            self._evidence = replace(self._evidence, text=text, sentence=sentence)
            self._weigh()

    def compare(self, likeness: float) -> None:
        """The words before this pause are so like the question of an approved answer; 0 when they ask for none."""
        if self.paused:
            self._evidence = replace(self._evidence, likeness=likeness)
            self._weigh()

    def over(self, now: float) -> bool:
        """Whether the silence at media second *now* ends the turn. As long as nothing is known it never does."""
        return self._needed is not None and self.silence(now) >= self._needed

    def wants_sound(self, now: float) -> bool:
        """Whether the turn detector should be asked: the words leave the turn open for long."""
        return self._evidence.text is not None and self.silence(now) >= self.patience.linger

    def silence(self, now: float) -> float:
        """Seconds since the caller's last voiced window; 0 while they speak."""
        return max(0.0, now - self.ended) if self.speaking and self._run is None else 0.0

    def reset(self) -> None:
        """Forget the utterance: the next voice is a new onset."""
        self.speaking = False
        self._run = None
        self._voiced = 0.0
        self._forget_pause()

    def _hear_silence(self, silence: float) -> Signal | None:
        if not self.paused and silence >= self.patience.pause:
            self.paused = True
            return Signal.PAUSE
        return None

    def _forget_pause(self) -> None:
        self.paused = False
        self._evidence = Evidence()
        self._weigh()

    def _weigh(self) -> None:
        """Reckon the silence that is needed from what is known; None as long as that is nothing."""
        self._needed = None
        if self._evidence != Evidence():
            waited = self._heard - self.ended
            self._needed = self.patience.needed(self._evidence, self._expects, self.language, waited=waited)

    def _hear_voice(self, at: float, end: float) -> Signal | None:
        if self._run is None:
            self._run = at
        self._voiced += end - at
        if not self.speaking:
            if self._voiced + 1e-6 < self.patience.onset:
                return None
            self.speaking = True
            self.started, self.ended = self._run, end
            return Signal.ONSET
        if self.paused:
            # A click in the pause is no speech: the same run that makes an onset makes a resumption.
            if self._voiced + 1e-6 < self.patience.onset:
                return None
            self._forget_pause()
            self.ended = end
            return Signal.RESUME
        self.ended = end
        return None


class Preroll:
    """The last moments before an onset: its first consonant is quieter than the detector's threshold."""

    def __init__(self, duration: float, rate: int) -> None:
        self._limit = round(duration * rate)
        self._chunks: deque[Pcm] = deque()
        self._samples = 0

    def push(self, pcm: Pcm) -> None:
        """Keep *pcm* and forget what is older than the duration."""
        self._chunks.append(pcm)
        self._samples += len(pcm)
        while self._samples - len(self._chunks[0]) >= self._limit:
            self._samples -= len(self._chunks.popleft())

    def take(self) -> list[Pcm]:
        """What is kept, oldest first; it is forgotten here."""
        chunks = list(self._chunks)
        self._chunks.clear()
        self._samples = 0
        return chunks
