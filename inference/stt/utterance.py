"""What has been said so far in one utterance: when to recognise which stretch of it, and what the answers amount to.

No tasks and no clock: time is that of the frames.
"""

from __future__ import annotations

import numpy as np

from inference.stt.agreement import Agreed, Agreement
from orchestrator.core.audio import AudioFrame, joined
from orchestrator.core.ports import Transcript

# The hush between two words is rarely shorter.
HUSH = 0.1
# What may still be said while the window at the limit is being recognised.
SLACK = 4.0


class Utterance:
    """One utterance. At most one window is out at a time: window() or went_on(), then answered(), in turn."""

    def __init__(self, step: float = 0.8, limit: float = 25.0) -> None:
        """step: seconds of new speech between windows; limit: seconds after which a window is cut and settled."""
        self._step = step
        self._limit = limit
        self._frames: list[AudioFrame] = []
        self._unheard = 0.0  # seconds since the end of the last window
        self._unanswered = 0.0  # the same since that of the last one that was answered
        self._out: AudioFrame | None = None
        self._all: AudioFrame | None = None
        self._settles = False
        self._settled = ""
        self._agreement = Agreement()
        self._agreed = Agreed("", "")
        self._shown: list[str] = []

    @property
    def stable(self) -> str:
        """The words that will not change while the utterance lasts; every value begins with the one before."""
        return " ".join(self._shown)

    @property
    def unstable(self) -> str:
        """The words behind them, as last heard."""
        return self._agreed.unstable

    @property
    def due(self) -> bool:
        """Whether a window should go to the recogniser now: none is out and enough is new."""
        return self._out is None and self._unheard >= self._step

    @property
    def overdue(self) -> bool:
        """Whether the window that is out should not be given up: too much was said since one was answered."""
        return self._out is not None and (self._settles or self._unanswered >= SLACK)

    def hear(self, frame: AudioFrame) -> None:
        """The next *frame* of the caller's speech."""
        self._frames.append(frame)
        self._unheard += frame.duration
        self._unanswered += frame.duration

    def window(self) -> AudioFrame:
        """All that is not settled, to recognise now; past the limit, its beginning up to a quiet moment."""
        whole = joined(self._frames)
        self._settles = whole.duration >= self._limit
        end = quietest(whole, self._limit / 2) if self._settles else len(whole.pcm)
        self._out = AudioFrame(whole.pcm[:end], whole.rate, whole.at)
        self._unheard = (len(whole.pcm) - end) / whole.rate
        return self._out

    def answered(self, heard: Transcript | None) -> None:
        """The window that is out was heard as *heard*; None when the recogniser failed.

        A window past the limit is settled either way: keeping its audio would make every later window too long.
        """
        out, self._out = self._out, None
        if out is None:
            return
        self._unanswered = self._unheard
        if self._settles:
            # Earlier windows reached beyond the cut: only the words of this one belong to the audio that goes.
            self._settled = f"{self._settled} {heard.text if heard is not None else ''}".strip()
            self._agreement, self._agreed = Agreement(), Agreed("", "")
        elif heard is not None:
            self._agreed = self._agreement.insert(heard)
        agreed = f"{self._settled} {self._agreed.stable}".split()
        self._shown += agreed[len(self._shown) :]
        if self._settles:
            rest = joined(self._frames)
            self._frames = [AudioFrame(rest.pcm[len(out.pcm) :], rest.rate, out.end)]

    def abandoned(self) -> None:
        """Nobody waits for the window that is out any more."""
        self._out = None

    def whole(self) -> AudioFrame | None:
        """All that is not settled; None when nothing was said since.

        When no window was answered for long, the latest `limit` + SLACK seconds: a recogniser takes no more at once.
        """
        said = any(len(frame.pcm) for frame in self._frames)
        return joined(self._frames).latest(self._limit + SLACK) if said else None

    def last_window(self) -> AudioFrame | None:
        """The whole(), to recognise as the last. No other window is out then."""
        self._out = None
        self._all = self.whole()
        return self._all

    def went_on(self) -> bool:
        """Whether last_window() counts as a window that is out: it was not the last, for the caller goes on."""
        out, self._all = self._all, None
        if out is None or out.duration >= self._limit:
            return False
        self._out, self._settles = out, False
        self._unheard = sum(frame.duration for frame in self._frames) - out.duration
        return True

    def final(self, heard: Transcript) -> Transcript:
        """The utterance, its last_window() having been heard as *heard*."""
        text = f"{self._settled} {heard.text}".strip()
        return Transcript(text, final=True, language=heard.language, confidence=heard.confidence)


def quietest(speech: AudioFrame, earliest: float) -> int:
    """The sample in the middle of the quietest tenth of a second of *speech*, *earliest* seconds in or later."""
    hush = max(1, round(HUSH * speech.rate))
    first = round(earliest * speech.rate)
    power = np.square(speech.pcm[first:].astype(np.float64))
    if len(power) < hush:
        return len(speech.pcm)
    energy = np.concatenate([[0.0], np.cumsum(power)])
    return first + int(np.argmin(energy[hush:] - energy[:-hush])) + hush // 2
