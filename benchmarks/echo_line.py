"""What a caller's side sends back of what it hears: a line or a room as a filter, its delay, its level and its faults.

The responses are made, not recorded: decaying noise behind a direct path (Polack's model of a room: Gaussian noise
under an exponential, T60 after which it is 60 dB down), short for a handset and shorter for a hybrid. Levels follow
ITU-T G.131 (a talker hears an echo of 30 dB under his voice from 50 ms on) and what
a telephone in hands-free use loses.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversation import FRAME, RATE
from benchmarks.wer import telephone
from orchestrator.core.audio import Pcm
from orchestrator.core.bursts import levels, voice_dbfs

Place: TypeAlias = Literal["hybrid", "handset", "room", "leak", "slip"]
PLACES: tuple[Place, ...] = ("hybrid", "handset", "room", "leak", "slip")
"""hybrid: two to four wires in the network; handset: ear to mouth; room: a loudspeaker in one, which distorts.
leak: the same behind a telephone's own suppressor, which opens and closes; slip: a handset, with jitter buffers that
now and then drop or repeat a packet."""

_QUIET_NOISE, _LOUD_NOISE = -68.0, -52.0


@dataclass(frozen=True, slots=True)
class EchoLine:
    """One call's way back. delay: seconds; level: dB of the echo against what was played; seed: draws the rest."""

    place: Place
    delay: float
    level: float
    seed: int

    def near(self, far: Pcm, speech: Pcm) -> Pcm:
        """What comes in over a G.711 line while *far* goes out over one and somebody says *speech* (one length).

        All int16, 16 kHz; no sample of the echo is earlier than the delay.
        """
        chance = random.Random(self.seed)
        draw = np.random.default_rng(self.seed)
        noise = draw.normal(size=len(far)) * _full(chance.uniform(_QUIET_NOISE, _LOUD_NOISE))
        whole = self._echo(telephone(far), chance, draw) + speech + noise
        return telephone(np.clip(np.round(whole), -32768, 32767).astype(np.int16))

    def _echo(self, far: Pcm, chance: random.Random, draw: np.random.Generator) -> NDArray[np.float64]:
        played = far.astype(np.float64)
        if self.place in {"room", "leak"}:
            loudest = float(np.max(np.abs(played))) or 1.0
            played = np.tanh(1.5 * played / loudest) * loudest
        way = impulse_response(self.place, chance, draw)
        size = len(played) + len(way)
        echo = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(way, size), size)[: len(far)]
        echo = echo * 10 ** ((voice_dbfs(levels(far, RATE)) + self.level - _voice(echo)) / 20)
        if self.place == "leak":
            echo = echo * suppressor_gain(len(echo), chance)
        lag = round(self.delay * RATE)
        echo = np.concatenate([np.zeros(lag), echo])[: len(far)]
        return _slipped(echo, chance) if self.place == "slip" else echo


def impulse_response(place: Place, chance: random.Random, draw: np.random.Generator) -> NDArray[np.float64]:
    """An impulse response at 16 kHz: a direct path of 1 and decaying noise behind it."""
    t60, tail = {
        "hybrid": (chance.uniform(0.004, 0.012), 0.8),
        "handset": (chance.uniform(0.02, 0.06), 0.3),
        "slip": (chance.uniform(0.02, 0.06), 0.3),
    }.get(place, (chance.uniform(0.15, 0.5), chance.uniform(0.05, 0.25)))
    times = np.arange(round(max(t60, 0.01) * RATE)) / RATE
    response = tail * draw.normal(size=len(times)) * np.exp(-6.91 * times / t60)
    response[0] = 1.0
    return response


def suppressor_gain(length: int, chance: random.Random) -> NDArray[np.float64]:
    """The gain, shape (length,), of a suppressor that opens for 0.1 to 0.6 s at a time, with ramps of 10 ms."""
    gain: list[float] = []
    while len(gain) * RATE // 100 < length:
        gain += [0.03] * chance.randrange(20, 150) + [1.0] * chance.randrange(10, 60)
    return np.interp(np.arange(length), np.arange(len(gain)) * RATE / 100, gain)


def _slipped(echo: NDArray[np.float64], chance: random.Random) -> NDArray[np.float64]:
    """*echo* with a frame dropped or repeated every 4 to 10 s."""
    pieces, at = [], 0
    while at < len(echo):
        end = at + round(chance.uniform(4.0, 10.0) * RATE)
        pieces.append(echo[at:end])
        at = end + chance.choice((FRAME, -FRAME))
    joined = np.concatenate(pieces)[: len(echo)]
    return np.pad(joined, (0, len(echo) - len(joined)))


def _voice(signal: NDArray[np.float64]) -> float:
    return voice_dbfs(levels(signal, RATE))


def _full(dbfs: float) -> float:
    return float(32768 * 10 ** (dbfs / 20))
