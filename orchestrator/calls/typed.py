"""Engines for a call that is typed: they read instead of listening, and speak without a sound.

All else of such a call is that of any other: the same session, agent, language model and records.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from orchestrator.calls.setup import CallSetup
from orchestrator.core.audio import AudioFrame, Pcm, silence
from orchestrator.core.ports import Reading, Transcript
from orchestrator.core.typed_lines import TypedLines

RATE = 16000
# Of silence for a sentence: something must be played for the caller to have heard it.
_SOUNDLESS = 0.02
# Seconds in which nobody writes anything, after which the agent asks whether the caller is there.
_THINKING = 300.0


class _Reader:
    """VoiceActivity, Recognizer and TurnDetector over typed lines."""

    rate = RATE
    window = 512

    def __init__(self, lines: TypedLines) -> None:
        self._lines = lines

    def speech_probability(self, window: Pcm) -> float:
        """See VoiceActivity."""
        return 1.0 if window.any() else 0.0

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        """See Recognizer."""
        words = self._lines.read(window)
        return Transcript(" ".join(word.text for word in words), words=words)

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        """See Recognizer: what is typed is read in one way only."""
        return (Reading((await self.recognize(sound)).text, 1.0),)

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        """See Recognizer."""
        return await self.recognize(window)

    async def finished(self, utterance: AudioFrame, text: str = "") -> float:
        """See TurnDetector: who has sent a line is done."""
        return 1.0


class _Soundless:
    """A voice that nobody hears, for callers who read."""

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncIterator[AudioFrame]:
        """See TextToSpeech."""
        yield silence(_SOUNDLESS, RATE)


def typed(setup: CallSetup, lines: TypedLines) -> CallSetup:
    """*setup* for a caller who types *lines* and reads, with time to think."""
    reader = _Reader(lines)
    engines = replace(setup.engines, vad=reader, recognizer=reader, turns=reader, tts=_Soundless())
    return replace(setup, engines=engines, settings=replace(setup.settings, silence_after=_THINKING))
