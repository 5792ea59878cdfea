"""A caller who types: each line is a stretch of sound whose samples are its number, for ears that can read them."""

from __future__ import annotations

from collections import deque

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.ports import Word

# Long enough to count as speech that wants the turn, whoever listens.
_SPOKEN = 0.5
# Between two lines, so that one after the other is not one word.
_BREATH = 0.1
MOST_LINES = 32_000
MOST_UNSAID = 20


class TypedLines:
    """The lines of one call, and the caller who types them (telephony.virtual.gateway.Caller)."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._lines: list[str] = []
        self._unsaid: deque[Pcm | str] = deque()
        self._left = False

    def type(self, text: str) -> None:
        """Say *text*. Raises ValueError after MOST_LINES, for samples have 16 bits, and while MOST_UNSAID wait."""
        if len(self._lines) == MOST_LINES:
            raise ValueError(f"a call takes {MOST_LINES} lines")
        self._make_room()
        self._lines.append(text)
        spoken = np.full(round(_SPOKEN * self.rate), len(self._lines), dtype=np.int16)
        self._unsaid.append(np.concatenate([spoken, np.zeros(round(_BREATH * self.rate), dtype=np.int16)]))

    def press(self, digit: str) -> None:
        """Press a key, after what was typed before. Raises ValueError while MOST_UNSAID wait."""
        self._make_room()
        self._unsaid.append(digit)

    def leave(self) -> None:
        """Hang up."""
        self._left = True

    def says(self, samples: int) -> Pcm | str | None:
        """The next *samples*; a key before them; None once the caller has left."""
        if self._left:
            return None
        if self._unsaid and isinstance(self._unsaid[0], str):
            return str(self._unsaid.popleft())
        said = np.zeros(samples, dtype=np.int16)
        if self._unsaid and not isinstance(line := self._unsaid.popleft(), str):
            said[: len(line)] = line[:samples]
            if len(line) > samples:
                self._unsaid.appendleft(line[samples:])
        return said

    def hears(self, pcm: bytes) -> None:
        """Who types reads the answers elsewhere."""

    def _make_room(self) -> None:
        if len(self._unsaid) >= MOST_UNSAID:
            raise ValueError(f"{MOST_UNSAID} lines and keys wait to be said; go on when they are")

    def read(self, window: AudioFrame) -> tuple[Word, ...]:
        """The words of *window*, with their times, spread over the sound of their line."""
        words: list[Word] = []
        numbers = window.pcm
        edges = np.flatnonzero(np.diff(numbers)) + 1
        for start, end in zip([0, *edges], [*edges, len(numbers)], strict=True):
            if start < end and numbers[start] > 0:
                line = self._lines[int(numbers[start]) - 1].split()
                step = (end - start) / window.rate / max(1, len(line))
                begun = window.at + start / window.rate
                words += [Word(word, begun + step * i, begun + step * (i + 1)) for i, word in enumerate(line)]
        return tuple(words)
