"""A caller whose part is a recording."""

from __future__ import annotations

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm

# Seconds after the recording: the agent may go on for so long, and is taken to have finished after so much silence.
LONGEST_REST = 60.0
SILENCE = 4.0
# Below, 20 ms of the agent count as silence: a sixteenth of a quiet voice.
_AUDIBLE = 64


class Playback:
    """Says *recording* from its beginning, hears out the agent, and hangs up (telephony.virtual.gateway.Caller)."""

    def __init__(self, recording: AudioFrame) -> None:
        self._recording = recording
        self._said = 0
        self._rest = 0
        self._silent = 0

    def says(self, samples: int) -> Pcm | str | None:
        """See Caller."""
        piece = self._recording.pcm[self._said : self._said + samples]
        self._said += samples
        if not len(piece):
            self._rest += samples
            if self._rest >= LONGEST_REST * self._recording.rate or self._silent >= SILENCE * self._recording.rate:
                return None
        return np.concatenate([piece, np.zeros(samples - len(piece), dtype=np.int16)])

    def hears(self, pcm: bytes) -> None:
        """See Caller."""
        heard = np.frombuffer(pcm, dtype="<i2")
        saying = self._said < len(self._recording.pcm)
        audible = bool(len(heard)) and int(np.abs(heard.astype(np.int32)).max()) > _AUDIBLE
        self._silent = 0 if saying or audible else self._silent + len(heard)
