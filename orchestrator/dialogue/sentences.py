"""Cuts a stream of text into pieces that can be spoken."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from orchestrator.core.ports import TextDelta, ToolCall
from orchestrator.core.streams import closing

# A terminator ends a sentence when space follows, unless it closes one of these.
_ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|pr|st|ave|blvd|apt|ext|vs|etc|approx|e\.g|i\.e|a\.m|p\.m|"
    r"mme|mlle|tél|av|bd|p\. ?ex|[a-z])\.$",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?…]+[\"')\]]*(?=\s)|\n+")
_TERMINATED = re.compile(r"[.!?…][\"')\]]*$")
_CLAUSE_END = re.compile(r"[,;:—](?=\s)")
# Emphasis stands at the edge of a word: "j_doe@example.com" and "#4521" hold no markup.
_MARKDOWN = re.compile(r"\*+|`+|(?<!\w)_+|_+(?!\w)|^\s*(?:#+\s+|>\s*|[-•]\s+)", re.MULTILINE)

# Shorter first clauses save no time to speak of, and the voice loses its melody.
FIRST_CLAUSE_CHARACTERS = 24
# A first sentence that goes on for so long without a comma is cut where a speaker would breathe: before one of these
# words. Its voice takes four seconds, in which the rest is written.
FIRST_BREATH_CHARACTERS = 64
_BREATH = re.compile(
    r"\s(?=(?:and|but|or|so|because|which|that|who|when|where|if|while|with|for|to|from|about|in|on|at|as|by|"
    r"et|mais|ou|donc|car|parce|qui|que|quand|où|si|avec|pour|de|dans|sur|à)\s)",
    re.IGNORECASE,
)


def speakable(text: str) -> str:
    """*text* without markup and with single spaces: what a voice can read."""
    return " ".join(_MARKDOWN.sub(" ", text).split())


def ends_sentence(piece: str) -> bool:
    """Whether *piece* is a sentence's end, and not a first clause."""
    return _TERMINATED.search(piece) is not None


class SentenceCutter:
    """Collects text; gives each piece as soon as it is complete.

    The first piece may end at a clause, so that the voice starts sooner; later ones end at sentences.
    """

    def __init__(self, *, first_clause: int = FIRST_CLAUSE_CHARACTERS) -> None:
        self._buffer = ""
        self._first_clause: int | None = first_clause

    def feed(self, text: str) -> list[str]:
        """The pieces that *text* completes, in order."""
        self._buffer += text
        pieces: list[str] = []
        while (cut := self._cut()) is not None:
            piece = speakable(self._buffer[:cut])
            self._buffer = self._buffer[cut:]
            if piece:
                pieces.append(piece)
                self._first_clause = None
        return pieces

    def flush(self) -> list[str]:
        """What is left, as the last piece."""
        piece, self._buffer = speakable(self._buffer), ""
        return [piece] if piece else []

    def _cut(self) -> int | None:
        for match in _SENTENCE_END.finditer(self._buffer):
            if not _ABBREVIATION.search(self._buffer[: match.end()]):
                return match.end()
        if self._first_clause is not None:
            for match in _CLAUSE_END.finditer(self._buffer):
                if match.end() >= self._first_clause:
                    return match.end()
            if len(self._buffer) >= FIRST_BREATH_CHARACTERS:
                return self._breath(self._first_clause)
        return None

    def _breath(self, earliest: int) -> int | None:
        """The last place for a breath in the buffer, *earliest* characters in or later."""
        places = [match.start() for match in _BREATH.finditer(self._buffer) if match.start() >= earliest]
        return places[-1] if places else None


async def sentences(deltas: AsyncIterator[TextDelta | ToolCall]) -> AsyncIterator[str]:
    """The text of *deltas* in speakable pieces; closing it closes *deltas*."""
    cutter = SentenceCutter()
    async with closing(deltas) as stream:
        async for delta in stream:
            if isinstance(delta, TextDelta):
                for piece in cutter.feed(delta.text):
                    yield piece
    for piece in cutter.flush():
        yield piece
