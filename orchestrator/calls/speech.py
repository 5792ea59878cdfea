"""Speaks a reply into a leg, and knows afterwards what of it was heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import EngineError, Hangup, LegError
from orchestrator.core.ports import CallLeg
from orchestrator.core.streams import closing
from orchestrator.core.turn import Mark, Turn


@dataclass(slots=True)
class Piece:
    """A text and where its audio lies, in seconds ever queued on the leg. end grows while it is synthesised."""

    text: str
    start: float
    end: float
    complete: bool = False


class Speech:
    """One reply being spoken. Cancelling say() stops it; silence() then empties the leg and settles what was heard.

    group: the call's own; it awaits the stamp of the first sample. begun: called once, at the first audio.
    """

    def __init__(self, group: asyncio.TaskGroup, leg: CallLeg, turn: Turn) -> None:
        self._group = group
        self._leg = leg
        self._turn = turn
        self.begun: Callable[[], None] = lambda: None
        self._pieces: list[Piece] = []
        self._stamp: asyncio.Task[None] | None = None
        self._silenced_at: float | None = None

    @property
    def audible(self) -> bool:
        """Whether any of it has gone out."""
        return bool(self._pieces) and self._leg.played > self._pieces[0].start

    async def say(self, sentences: AsyncIterator[str], voice: Callable[[str], AsyncIterator[AudioFrame]]) -> None:
        """Speak *sentences* with *voice* and return when the last sample has been played.

        Closes both when cancelled. Raises Hangup, and EngineError of whatever makes the sentences or the audio, once
        what had been made before has been played.
        """
        try:
            async with closing(sentences) as texts:
                async for text in texts:
                    self._turn.mark(Mark.FIRST_SENTENCE, self._leg.now())
                    await self._speak(text, voice(text))
        except EngineError:
            await self._leg.drain()
            raise
        await self._leg.drain()
        if self._pieces:
            self._turn.mark(Mark.REPLY_ENDED, self._leg.now())

    async def _speak(self, text: str, audio: AsyncIterator[AudioFrame]) -> None:
        piece = Piece(text, self._leg.queued, self._leg.queued)
        async with closing(audio) as frames:
            async for frame in frames:
                if piece.end == piece.start:
                    self._begin(piece)
                piece.end += frame.duration
                await self._leg.play(frame)
        piece.complete = True

    def _begin(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._turn.reply_text = " ".join(part.text for part in self._pieces)
        if self._stamp is None:
            self._turn.mark(Mark.FIRST_AUDIO, self._leg.now())
            self.begun()
            self._stamp = self._group.create_task(self._stamp_start(piece.start), name="reply-started")

    async def _stamp_start(self, start: float) -> None:
        with suppress(Hangup):
            self._turn.mark(Mark.REPLY_STARTED, await self._leg.playing_since(start))

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
        """The words that were really played: whole pieces, and of the one that was cut the share of its words."""
        played = self._leg.played if self._silenced_at is None else self._silenced_at
        return " ".join(words for piece in self._pieces if (words := _played_words(piece, played)))


# A synthesised sentence speaks about this many characters a second: the length of a piece cut in the making.
_CHARACTERS_PER_SECOND = 15.0


def _played_words(piece: Piece, played: float) -> str:
    """The words of *piece* that ended before *played*, taking letters as evenly spread over its audio."""
    if piece.complete and played >= piece.end - 0.02:
        return piece.text
    length = piece.end - piece.start
    if not piece.complete:
        length = max(length, len(piece.text) / _CHARACTERS_PER_SECOND)
    share = max(0.0, played - piece.start) / length if length else 0.0
    reach = share * len(piece.text)
    heard: list[str] = []
    position = 0
    for word in piece.text.split():
        position += len(word)
        if position > reach:
            break
        heard.append(word)
        position += 1
    return " ".join(heard)
