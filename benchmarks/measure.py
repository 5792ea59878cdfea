"""What a recording says about a turn: when speech ended, when the reply was heard, when the agent fell silent.

Pure functions over what was sent and heard at the caller; nothing here knows what the system under test believes about
itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.core.audio import Pcm
from orchestrator.core.bursts import STEP, Burst, levels

# Comfort noise is sent at -60 dBFS or less (RFC 3389), and G.711 idles at -72.
_AUDIBLE_DBFS = -50.0
# The closure of a stop consonant is no longer than this.
_CLOSURE = 0.06
# Shorter than any phoneme: a click of the line, of which a G.722 decoder gives one now and then in silence.
_CLICK = 0.03


@dataclass(frozen=True, slots=True)
class TurnSound:
    """One turn as the caller heard it, in seconds on the recording's clock.

    onset, speech_ended: the caller's own speech as it was sent. reply_started, reply_ended: the agent's answer as it
    was heard, None when there was none. cut_in: the agent spoke over the end of the question: no latency is defined.
    """

    onset: float
    speech_ended: float
    reply_started: float | None
    reply_ended: float | None
    cut_in: bool

    @property
    def voice_to_voice(self) -> float | None:
        """End of speech energy sent to first reply energy heard."""
        return None if self.reply_started is None else self.reply_started - self.speech_ended


def turn_sound(said: list[Burst], heard: list[Burst], until: float) -> TurnSound | None:
    """The turn whose question was *said*, answered before *until*; None if it holds no speech."""
    if not said:
        return None
    onset, speech_ended = said[0].start, said[-1].end
    cut_in = any(burst.start < speech_ended < burst.end for burst in heard)
    reply = [burst for burst in heard if speech_ended <= burst.start < until]
    return TurnSound(
        onset=onset,
        speech_ended=speech_ended,
        reply_started=reply[0].start if reply and not cut_in else None,
        reply_ended=reply[-1].end if reply else None,
        cut_in=cut_in,
    )


def audible(pcm: Pcm, rate: int) -> list[Burst]:
    """The stretches of *pcm* in which anything is to be heard, however softly.

    Speech is found by its vowels, and a reply that is cut short may end in what is softer: it is over only here.
    """
    loud = np.flatnonzero(levels(pcm, rate) > _AUDIBLE_DBFS)
    stretches = np.split(loud, np.flatnonzero(np.diff(loud) > round(_CLOSURE / STEP)) + 1) if len(loud) else []
    return [Burst(stretch[0] * STEP, (stretch[-1] + 1) * STEP) for stretch in stretches]


def silenced_after(heard: list[Burst], onset: float, speech_ended: float) -> float | None:
    """Seconds from *onset*, when the caller began to talk over the agent, until the agent was heard no more.

    heard: the audible stretches, of which clicks are none of the agent's. Its last word is the end of the last that
    began before the caller had finished (*speech_ended*): what begins later is the next reply. None when the agent was
    not speaking at the onset.
    """
    voiced = [burst for burst in heard if burst.end - burst.start >= _CLICK]
    spoken_over = [burst for burst in voiced if burst.start < speech_ended and burst.end > onset]
    return spoken_over[-1].end - onset if spoken_over and spoken_over[0].start < onset + 0.3 else None
