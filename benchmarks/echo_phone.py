"""A phone that sends back what it hears, beside what its caller says: EchoLine's ways, as the call goes on."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversation import FRAME, RATE
from benchmarks.echo_line import EchoLine, Place, impulse_response, suppressor_gain
from orchestrator.core.audio import FULL_SCALE, Pcm
from telephony.sip.caller import Talker

# A loudspeaker is driven into its limits here.
_LOUDEST = 0.4 * FULL_SCALE
# No call is longer.
_SECONDS = 300


class EchoingPhone:
    """*talker*'s phone. line: how what is heard comes back, None for no echo; noise_dbfs: of the place.

    said: what the talker alone said, frame by frame, beside what was sent.
    """

    def __init__(self, talker: Talker, line: EchoLine | None, noise_dbfs: float) -> None:
        self._talker = talker
        self.finished = False
        self.said: list[Pcm] = []
        chance, draw = random.Random(line.seed if line else 0), np.random.default_rng(line.seed if line else 0)
        self._noise = draw.normal(size=RATE) * FULL_SCALE * 10 ** (noise_dbfs / 20)
        self._line = line
        self._way = np.zeros(1)
        self._gain = np.ones(_SECONDS * RATE)
        if line is not None:
            way = impulse_response(line.place, chance, draw)
            way *= 10 ** (line.level / 20) / np.sqrt(np.sum(np.square(way)))
            self._way = np.concatenate([np.zeros(round(line.delay * RATE)), way])
            if line.place == "leak":
                self._gain = suppressor_gain(_SECONDS * RATE, chance)
        self._size = 1 << (len(self._way) + FRAME).bit_length()
        self._spectrum = np.fft.rfft(self._way, self._size)
        self._coming = np.zeros(self._size)
        self._ticks = 0

    def keys(self) -> str:
        """The talker's."""
        return self._talker.keys()

    def exchange(self, heard: Pcm) -> Pcm:
        """The next tick's samples to send; int16, shape (320,), 16 kHz."""
        said = self._talker.exchange(heard)
        self.said.append(said)
        self.finished = self._talker.finished
        sent = said + self._noise[self._place()]
        if self._line is not None:
            sent += self._echo(heard, self._line.place)
        self._ticks += 1
        return np.clip(np.round(sent), -32768, 32767).astype(np.int16)

    def _place(self) -> slice:
        """A piece of a second of noise, which goes round."""
        first = (self._ticks * FRAME) % (RATE - FRAME)
        return slice(first, first + FRAME)

    def _echo(self, heard: Pcm, place: Place) -> NDArray[np.float64]:
        played = heard.astype(np.float64)
        if place in {"room", "leak"}:
            played = np.tanh(played / _LOUDEST) * _LOUDEST
        self._coming += np.fft.irfft(np.fft.rfft(played, self._size) * self._spectrum, self._size)
        echo, self._coming = self._coming[:FRAME], np.concatenate([self._coming[FRAME:], np.zeros(FRAME)])
        first = self._ticks * FRAME
        return echo * self._gain[first : first + FRAME]
