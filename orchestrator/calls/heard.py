"""What an ear tells of one caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.core.audio import AudioFrame
from orchestrator.core.bursts import speech_ended
from orchestrator.core.errors import EngineError
from orchestrator.core.ports import Dtmf
from orchestrator.core.turn import Mark

# Seconds that tell the level of a voice and of the noise behind it.
_LATEST_SPEECH = 5.0


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak. at: onset; noticed: when that was certain (media seconds)."""

    at: float
    noticed: float


@dataclass(frozen=True, slots=True)
class Partial:
    """Words so far. stable will not change; at: media second up to which they were listened to."""

    stable: str
    unstable: str
    at: float

    @property
    def text(self) -> str:
        """All of them."""
        return f"{self.stable} {self.unstable}".strip()


@dataclass(frozen=True, slots=True)
class TurnLikely:
    """The caller has paused after *text* and is likely to be done: TurnEnded follows unless they go on."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller is done. Times are media seconds.

    text: empty when nothing was said; speech: the latest of what was said, with the silence after it; voice_ended: the
    detector's word for its end, which comes late; failure: why the recogniser gave no answer; hung_up: the caller left
    in mid-turn, and nobody waits for a reply.
    """

    text: str
    speech: AudioFrame
    started: float
    voice_ended: float
    pause_found: float
    transcribed: float
    ended: float
    failure: EngineError | None = None
    hung_up: bool = False

    def marks(self) -> dict[Mark, float]:
        """The caller's part of a turn's timeline, with the detector's word for the end of the speech."""
        return {
            Mark.SPEECH_STARTED: self.started,
            Mark.SPEECH_ENDED: self.voice_ended,
            Mark.PAUSE_FOUND: self.pause_found,
            Mark.TRANSCRIBED: self.transcribed,
            Mark.TURN_ENDED: self.ended,
        }

    def energy_ended(self) -> float:
        """Media seconds of the last energy of the speech, which latency counts from.

        It takes milliseconds: not while a reply is waited for.
        """
        latest = self.speech.latest(_LATEST_SPEECH)
        ended = speech_ended(latest.pcm, latest.rate)
        return self.voice_ended if ended is None else latest.at + ended


EarEvent: TypeAlias = SpeechStarted | Partial | TurnLikely | TurnEnded | Dtmf
