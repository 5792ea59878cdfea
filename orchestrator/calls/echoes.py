"""The agent's own voice on the caller's line, as the conversation hears of it: words that it has said a moment before.

It is told by words and time alone, behind whatever a gateway or a telephone takes away by sound.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.heard import SpeechStarted, TurnEnded
from orchestrator.calls.own_words import LATEST, REACH, SLACK, Likeness, PlayedWord, likeness
from orchestrator.dialogue.backchannels import Words, words_in
from orchestrator.dialogue.reading import words_said

Played: TypeAlias = Callable[[float], Awaitable[Sequence[PlayedWord]]]
"""The words that have gone out since a media second."""

# Likeness that chance does not bring: of 6000 phrases laid over an announcement at random 0.3 % were as like it, nearly
# all of them with the very words that the agent was saying.
_SURE_WORDS, _SURE_LETTERS, _SURE_ERROR = 2, 7, 0.4
# A word or a part of one, which needs a reason besides.
_LEAST_LETTERS, _LEAST_ERROR = 3, 0.34
# Seconds by which the delay of a line varies: jitter buffers move it, and an onset is not found to the word.
_VARIES = 0.35
# An echo that begins in mid-speech, as no echo was known before, is believed up to this delay: whoever confirms what
# they hear speaks later.
_UNEXPECTED = 0.8
# Seconds for which an echo may be heard behind its end: a detector lets go 0.13 s late, and a room goes on.
_LINGERS = 0.25
# Words beside an echo that are likelier misread than said, unless they call for the turn or may be an answer.
_FEW = 2
_ANSWERS = frozenset({Words.ASSENT, Words.OTHER})
# Echoes are remembered for so many seconds.
_REMEMBERED = 60.0
# Sounds that were echoes, behind which more of them are expected: a single one may be a caller who says "Good morning"
# with the agent.
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Own:
    """What of some words is the caller's own. echoed: how many of the words were the agent's; delay: their seconds."""

    text: str
    echoed: int = 0
    delay: float = 0.0


class Echoes:
    """Those of one call. played: what the agent said; reading: how a voice reads what is written.

    asks: whether the latest that the agent said is a question, or follows one.
    since: media second from which on the latest sound may be the caller's.
    """

    def __init__(
        self, played: Played, reading: Callable[[str], str], asks: Callable[[], bool], chronicle: Chronicle
    ) -> None:
        self.since = 0.0
        self._onset = 0.0
        self._over = False
        self._played = played
        self._reading = reading
        self._asks = asks
        self._chronicle = chronicle
        self._delay: float | None = None
        self._sounds = 0
        self._latest = -inf

    def begin(self, onset: SpeechStarted, *, over: bool) -> None:
        """Something sounds on the line from now on, *over* the agent or while it is silent."""
        self.since = self._onset = onset.at
        self._over = over
        if onset.at - self._latest >= _REMEMBERED:
            self._sounds, self._delay = 0, None

    @property
    def expected(self) -> bool:
        """Whether what sounds now should be judged by its words before the agent falls silent for it."""
        return self._sounds >= _ENOUGH

    async def own(self, text: str, ended: float) -> Own:
        """What of *text*, heard from the latest onset to media second *ended*, the caller has said."""
        return await self._own(text, ended) if text else Own("")

    async def _own(self, text: str, ended: float) -> Own:
        played = await self._played(self._onset - REACH)
        if not played:
            return Own(text)
        spoken = self._reading(text)
        heard = spoken.split()
        alike = likeness(heard, self._onset, ended, played, self._delay or 0.0)
        if alike is None or not self._believes(alike, whole=alike.words == len(heard)):
            return Own(text)
        echoed = words_said(text, spoken, alike.words)
        rest = text.split()[echoed:]
        all_of_it = _covered(ended, played, alike.delay)
        if not self.expected:
            # Of a word that was cut another is made, or the words are read twice.
            nothing = not rest or (all_of_it and alike.opening)
            return Own("", echoed, alike.delay) if nothing else Own(text)
        rest = rest[: len(rest) - self._behind(rest, ended, played)]
        if not rest:
            self.since = ended
        if all_of_it and len(rest) <= _FEW and not self._called_for(" ".join(rest)):
            rest = []
        return Own(" ".join(rest), echoed, alike.delay)

    def _called_for(self, text: str) -> bool:
        """Whether a few words beside an echo call for the turn, or may answer what the agent asks."""
        words = words_in(text)
        return words is Words.COMMAND or (words in _ANSWERS and self._asks())

    def _behind(self, rest: Sequence[str], ended: float, played: Sequence[PlayedWord]) -> int:
        """How many of the last words of *rest* are the agent's as well: it spoke on, or partial words repeat."""
        backwards = [PlayedWord(word.text[::-1], -word.end, -word.start) for word in reversed(played)]
        alike = likeness([word[::-1] for word in reversed(rest)], -ended, -self._onset, backwards)
        return alike.words if alike is not None and _is_sure(alike) and alike.error <= _SURE_ERROR else 0

    async def taken_out(self, ended: TurnEnded) -> TurnEnded:
        """*ended* with the caller's own words alone; with none, when it was nothing but an echo.

        What was not recognised and lies within an expected echo counts as one; that it failed is told all the same.
        """
        if (failure := ended.failure) is not None and await self._hides(ended.voice_ended):
            self._chronicle.happened("engine_failed", {"engine": failure.engine, "error": type(failure).__name__})
            return replace(ended, failure=None)
        own = await self.own(ended.text, ended.voice_ended)
        if not own.echoed:
            return ended
        self._chronicle.happened("echo", {"words": own.echoed, "delay": round(own.delay, 2)})
        self._sounds += 1
        self._latest = ended.ended
        if own.delay > 0.0:
            self._delay = own.delay
        return replace(ended, text=own.text)

    async def _hides(self, ended: float) -> bool:
        """Whether the latest sound, over at *ended*, is likely to be an echo whatever its words are."""
        if not self._over or not self.expected:
            return False
        played = await self._played(self._onset - REACH)
        return bool(played) and _covered(ended, played, self._delay or 0.0)

    def _believes(self, alike: Likeness, *, whole: bool) -> bool:
        """Whether what is *alike*, a *whole* text or its beginning, was heard when an echo would be, and is enough."""
        # A recogniser may leave out the first words of a sound, which makes the delay of the others come out too short.
        if alike.delay > LATEST + SLACK or (alike.delay < -SLACK and not (whole and alike.lag > -SLACK)):
            return False
        familiar = self._delay is not None and abs(alike.delay - self._delay) <= _VARIES
        if not self._over:
            # The agent had finished: who repeats what it said is the caller, unless its voice comes back like this.
            return familiar and alike.opening and alike.error <= _SURE_ERROR
        if _is_sure(alike):
            return familiar or (alike.error <= _SURE_ERROR and (alike.opening or alike.delay <= _UNEXPECTED))
        return (familiar or alike.opening) and alike.agreeing >= _LEAST_LETTERS and alike.error <= _LEAST_ERROR


def _covered(ended: float, played: Sequence[PlayedWord], delay: float) -> bool:
    """Whether a sound that ended at *ended* is over with the echo, after *delay*, of what was *played*."""
    return ended < played[-1].end + max(delay, 0.0) + _LINGERS


def _is_sure(alike: Likeness) -> bool:
    return alike.words >= _SURE_WORDS and alike.agreeing >= _SURE_LETTERS
