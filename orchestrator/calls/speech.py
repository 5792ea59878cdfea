"""Speaks a reply into a leg, and knows afterwards what of it was heard."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate

from orchestrator.calls.answering import Uttered
from orchestrator.calls.own_words import PlayedWord
from orchestrator.core.audio import AudioFrame
from orchestrator.core.bursts import speech_began
from orchestrator.core.errors import EngineError, Hangup, LegError
from orchestrator.core.ports import CallLeg
from orchestrator.core.streams import closing
from orchestrator.core.turn import Mark, Turn
from orchestrator.dialogue.reading import words_said


@dataclass(slots=True)
class Piece:
    """A text and where its audio lies, in seconds ever queued on the leg. end grows while it is synthesised.

    spoken: the text as the voice reads it; word_ends: where the words of that end, as far as the voice has told.
    """

    text: str
    spoken: str
    start: float
    end: float
    word_ends: list[float] = field(default_factory=list)
    complete: bool = False


class Speech:
    """One reply being spoken. Cancelling say() stops it; silence() then empties the leg and settles what was heard.

    group: the call's own; it awaits the stamp of the first sample. begun: called at each of its sentences.
    """

    def __init__(self, group: asyncio.TaskGroup, leg: CallLeg, turn: Turn) -> None:
        self._group = group
        self._leg = leg
        self._turn = turn
        self.begun: Callable[[], None] = lambda: None
        self._pieces: list[Piece] = []
        self._reply_from: float | None = None
        self._stamp: asyncio.Task[None] | None = None
        self._silenced_at: float | None = None

    @property
    def sounding(self) -> bool:
        """Whether anything has gone out, if only a filler."""
        return bool(self._pieces) and self._leg.played > self._pieces[0].start

    @property
    def audible(self) -> bool:
        """Whether any of the reply itself has gone out."""
        return self._reply_from is not None and self._leg.played > self._reply_from

    @property
    def asks(self) -> bool:
        """Whether what goes out now is a question, or follows one."""
        return replace(self._turn, heard_text=self.heard()).asks

    async def say(self, reply: AsyncIterator[Uttered]) -> None:
        """Speak *reply* and return when the last sample has been played.

        Closes it when cancelled. Raises Hangup, and the EngineError of whatever makes it, once what had been made
        before has been played.
        """
        try:
            async with closing(reply) as pieces:
                async for uttered in pieces:
                    await self._play(uttered)
        except EngineError:
            await self._leg.drain()
            raise
        await self._leg.drain()
        if self._reply_from is not None:
            self._turn.mark(Mark.REPLY_ENDED, self._leg.now())

    async def _play(self, uttered: Uttered) -> None:
        begun = bool(self._pieces) and not self._pieces[-1].complete
        if uttered.audio is None:
            if begun:
                self._pieces[-1].complete = True
            return
        if not begun:
            self._begin(uttered)
            if not uttered.filler:
                self._begin_reply(uttered.audio)
        piece = self._pieces[-1]
        piece.word_ends += [piece.end + end for end in uttered.audio.word_ends]
        piece.end += uttered.audio.duration
        await self._leg.play(uttered.audio)

    def _begin(self, uttered: Uttered) -> None:
        start = self._leg.queued
        self._pieces.append(Piece(uttered.text, uttered.spoken, start, start))
        self._turn.reply_text = " ".join(part.text for part in self._pieces)
        self.begun()

    def _begin_reply(self, audio: AudioFrame) -> None:
        if self._reply_from is None:
            self._turn.mark(Mark.QUEUED, self._leg.now())
            self._reply_from = self._pieces[-1].start
            self._stamp = self._group.create_task(self._stamp_start(self._reply_from, audio), name="reply-started")

    async def _stamp_start(self, start: float, audio: AudioFrame) -> None:
        """Mark when the first sound of the reply went out; what lies before it in the audio is silence."""
        with suppress(Hangup):
            playing = await self._leg.playing_since(start)
            self._turn.mark(Mark.REPLY_STARTED, playing + speech_began(audio.pcm, audio.rate))

    async def silence(self) -> None:
        """Drop what has not been played; what was heard is known from then on. A lost leg counts as silent."""
        try:
            played = await self._leg.clear()
        except LegError:
            played = self._leg.played
        self._silenced_at = played
        if self._stamp is not None and not self.audible:
            self._stamp.cancel()
        self._turn.mark(Mark.SILENCED, self._leg.now())

    def heard(self) -> str:
        """The words that were really played: whole pieces, and of the one that was cut those that were over."""
        return " ".join(words for piece in self._pieces if (words := _played_words(piece, self._played)))

    async def words_since(self, since: float) -> list[PlayedWord]:
        """The words, as the voice reads them, that went out after media second *since*, up to the one being said."""
        played = self._played
        earliest = self._leg.played - (self._leg.now() - since)
        said: list[PlayedWord] = []
        for piece in self._pieces:
            begun = piece.start
            for word, ends in zip(piece.spoken.split(), _word_ends(piece), strict=False):
                start, begun = begun, ends
                if ends > earliest and start < played - _TICK:
                    at = await self._leg.playing_since(start)
                    said.append(PlayedWord(word, at, at + min(ends, played) - start))
        return [word for word in said if word.end > since]

    @property
    def _played(self) -> float:
        """Seconds ever queued on the leg up to which it was played."""
        return self._leg.played if self._silenced_at is None else self._silenced_at


# Seconds at the end of a word that nobody misses: a voice counts its decay and the pause behind it as the word's.
_DECAY = 0.1
# A synthesised sentence speaks about this many characters a second: the length of a piece cut in the making.
_CHARACTERS_PER_SECOND = 15.0
# Seconds that a leg plays at a time.
_TICK = 0.02


def _played_words(piece: Piece, played: float) -> str:
    """The words of *piece* that were over at *played*."""
    if piece.complete and played >= piece.end - _TICK:
        return piece.text
    words = piece.text.split()
    if not piece.word_ends:
        return " ".join(words[: bisect_right(_evenly_spread(piece, piece.text), played)])
    return " ".join(words[: words_said(piece.text, piece.spoken, bisect_right(piece.word_ends, played + _DECAY))])


def _word_ends(piece: Piece) -> Sequence[float]:
    """Where the words end that the voice reads, in seconds ever queued."""
    return piece.word_ends or _evenly_spread(piece, piece.spoken)


def _evenly_spread(piece: Piece, text: str) -> list[float]:
    """Where the words of *text* end, with its letters evenly spread over the audio: the voice did not tell."""
    length = piece.end - piece.start
    if not piece.complete:
        length = max(length, len(piece.text) / _CHARACTERS_PER_SECOND)
    ends = accumulate(text.split(), lambda before, word: before + 1 + len(word), initial=-1)
    return [piece.start + length * end / len(text) for end in list(ends)[1:]]
