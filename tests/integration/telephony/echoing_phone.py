"""A phone in hands-free use, in a process of its own: `python -m … URI SECONDS SPEECH AT`.

It sends back what it hears, later and softer, as a loudspeaker in a room does. At second AT after the agent's first
sound somebody says the WAV file SPEECH over it, and once more half a second later; `-` for nobody. It hangs up after
SECONDS.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.sound_files import read_wav
from orchestrator.core.audio import Pcm
from telephony.sip.caller import RATE, Dialling, Phone

FRAME = RATE // 50
RTP_PORTS = (17900, 17999)
DELAY = 0.12
LEVEL = 0.3  # -10 dB
T60 = 0.15
_AUDIBLE = 300


class HandsFree:
    """Whoever holds no phone in the hand."""

    def __init__(self, seconds: float, speech: Pcm, at: float) -> None:
        self.finished = False
        times = np.arange(round(T60 * RATE)) / RATE
        tail = 0.1 * np.random.default_rng(1).normal(size=len(times)) * np.exp(-6.91 * times / T60)
        tail[0] = 1.0
        self._response = np.concatenate([np.zeros(round(DELAY * RATE)), LEVEL * tail])
        self._pending = np.zeros(len(self._response) + FRAME)
        self._left = round(seconds * 50)
        self._speech = speech.astype(np.float64)
        self._wait = round(at * RATE)
        self._heard = False

    def exchange(self, heard: Pcm) -> Pcm:
        self._left -= 1
        self.finished = self._left <= 0
        self._heard = self._heard or bool((np.abs(heard.astype(np.int32)) > _AUDIBLE).any())
        self._pending[: len(self._response) + FRAME - 1] += np.convolve(heard, self._response)
        out = self._pending[:FRAME] + self._said()
        self._pending = np.concatenate([self._pending[FRAME:], np.zeros(FRAME)])
        return np.clip(np.round(out), -32768, 32767).astype(np.int16)

    def keys(self) -> str:
        return ""

    def _said(self) -> Pcm:
        if not self._heard:
            return np.zeros(FRAME, dtype=np.int16)
        if self._wait > 0:
            self._wait -= FRAME
            return np.zeros(FRAME, dtype=np.int16)
        said, self._speech = self._speech[:FRAME], self._speech[FRAME:]
        return np.pad(said, (0, FRAME - len(said))).astype(np.int16)


def main() -> None:
    uri, seconds, speech, at = sys.argv[1:]
    said = np.zeros(0, dtype=np.int16)
    if speech != "-":
        said = np.tile(np.pad(read_wav(Path(speech)), (0, RATE // 2)), 2)
    with Phone(rtp_ports=RTP_PORTS) as phone:
        phone.call(Dialling(uri), HandsFree(float(seconds), said, float(at)))


if __name__ == "__main__":
    main()
