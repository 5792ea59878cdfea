"""A PJSIP phone in a process of its own: `python -m … URI CODEC TRANSPORT KEYS RECORDING`.

It sends a tone of 440 Hz from 0.5 to 1.0 s, keys KEYS after that, hangs up at 2.5 s, and saves what it sent and
heard as stereo WAV.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np

from orchestrator.core.audio import Pcm
from telephony.sip.caller import RATE, Codec, Dialling, Phone, Transport
from tests.integration.telephony.sounds import tone

FRAME = RATE // 50
RTP_PORTS = (17700, 17899)


class Beeper:
    """Plays its tone, then presses *keys*."""

    def __init__(self, keys: str) -> None:
        self.finished = False
        self._track = np.zeros(round(2.5 * RATE), dtype=np.int16)
        self._track[RATE // 2 : RATE] = tone(440, 0.5).pcm
        self._position = 0
        self._keys = keys

    def exchange(self, heard: Pcm) -> Pcm:
        frame = self._track[self._position : self._position + FRAME]
        self._position += FRAME
        self.finished = self._position >= len(self._track)
        return np.pad(frame, (0, FRAME - len(frame)))

    def keys(self) -> str:
        if self._position < RATE:
            return ""
        keys, self._keys = self._keys, ""
        return keys


def main() -> None:
    uri, codec, transport, keys, recording = sys.argv[1:]
    with Phone(rtp_ports=RTP_PORTS) as phone:
        dialling = Dialling(uri, codec=cast(Codec, codec), transport=cast(Transport, transport))
        phone.call(dialling, Beeper(keys)).save(Path(recording))


if __name__ == "__main__":
    main()
