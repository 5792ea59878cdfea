"""When the caller begins, pauses and is done: a state machine fed with speech probabilities, free of clocks and I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from orchestrator.core.audio import Pcm


@dataclass(frozen=True, slots=True)
class Patience:
    """Every threshold of endpointing. Probabilities are Silero's, durations are seconds.

    start, stop: hysteresis of Silero's own VADIterator (stop = start - 0.15).
    """

    start: float = 0.5
    stop: float = 0.35
    onset: float = 0.096  # three windows: shorter bursts are clicks
    pause: float = 0.096  # silence after which the words so far are judged; Silero lets go 0.16 s after the voice
    again: float = 0.224  # silence after which what sounded unfinished is judged once more
    finished: float = 0.24  # silence that ends an utterance which sounds complete
    unfinished: float = 1.0  # silence that ends one which does not
    finished_probability: float = 0.5  # smart-turn model card

    def needed(self, finished: float) -> float:
        """Seconds of silence that end an utterance judged complete with probability *finished*."""
        return self.finished if self.complete(finished) else self.unfinished

    def complete(self, finished: float) -> bool:
        """Whether an utterance judged complete with probability *finished* is taken for complete."""
        return finished >= self.finished_probability


class Signal(Enum):
    """What a window has made certain."""

    ONSET = auto()  # speech began; see Endpointer.started
    PAUSE = auto()  # it stopped, perhaps for good; see Endpointer.ended
    LINGER = auto()  # the silence goes on after what sounded unfinished: judge it again
    RESUME = auto()  # it went on after a pause


class Endpointer:
    """Follows one caller. Feed it every window in order, and the turn detector's word about each pause."""

    def __init__(self, patience: Patience = Patience()) -> None:
        self.patience = patience
        self.started = 0.0
        self.ended = 0.0
        self.speaking = False
        self.paused = False
        self._voiced = 0.0
        self._run: float | None = None
        self._finished: float | None = None
        self._lingered = False

    def hear(self, probability: float, at: float, end: float) -> Signal | None:
        """What the window from *at* to *end* (media seconds), speech with *probability*, makes certain."""
        voiced = probability >= (self.patience.stop if self._run is not None else self.patience.start)
        if voiced:
            return self._hear_voice(at, end)
        self._run = None
        self._voiced = 0.0
        return self._hear_silence(end - self.ended) if self.speaking else None

    def judge(self, finished: float) -> None:
        """The turn detector finds what was said before this pause complete with probability *finished*."""
        if self.paused:
            self._finished = finished

    def over(self, now: float) -> bool:
        """Whether the silence at media second *now* ends the turn. Without a judgement it never does."""
        return self._finished is not None and self.silence(now) >= self.patience.needed(self._finished)

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
        doubtful = self._finished is not None and not self.patience.complete(self._finished)
        if doubtful and not self._lingered and silence >= self.patience.again:
            self._lingered = True
            return Signal.LINGER
        return None

    def _forget_pause(self) -> None:
        self.paused = self._lingered = False
        self._finished = None

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
