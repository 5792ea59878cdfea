"""LocalAgreement-2: which words of a growing utterance will not change any more.

Each hypothesis covers the utterance from its beginning. Words on which two hypotheses in a row agree become stable.
Source: Macháček, Dabre, Bojar, "Turning Whisper into Real-Time Transcription System", 2023.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from orchestrator.core.ports import Transcript


class Agreed(NamedTuple):
    """The words of an utterance so far. Later values of stable begin with this one's."""

    stable: str
    unstable: str


class Agreement:
    """The agreement of the hypotheses of one utterance. Pure: no clock, no scheduling."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._unstable: list[str] = []

    def insert(self, hypothesis: Transcript) -> Agreed:
        """What is stable and what is not, now that the utterance so far was heard as *hypothesis*.

        A hypothesis that contradicts what is already stable counts only from where the stable words end in it.
        """
        words = hypothesis.text.split()
        tail = words[_matched(self._stable, words) :]
        agreed = sum(1 for _ in takewhile(_same, zip(self._unstable, tail, strict=False)))
        self._stable += tail[:agreed]
        self._unstable = tail[agreed:]
        return Agreed(" ".join(self._stable), " ".join(self._unstable))


def _matched(stable: Sequence[str], words: Sequence[str]) -> int:
    """How many of the first *words* say what *stable* says: the prefix at the smallest edit distance from it.

    Of equals, the one nearest in length.
    """
    distances = list(range(len(words) + 1))
    for row, spoken in enumerate(stable, start=1):
        diagonal, distances[0] = distances[0], row
        for column, word in enumerate(words, start=1):
            substituted = diagonal + (folded(spoken) != folded(word))
            diagonal = distances[column]
            distances[column] = min(substituted, diagonal + 1, distances[column - 1] + 1)
    return min(range(len(distances)), key=lambda cut: (distances[cut], abs(cut - len(stable))))


def _same(pair: tuple[str, str]) -> bool:
    return folded(pair[0]) == folded(pair[1])


def folded(word: str) -> str:
    """*word* without case and punctuation, which a recogniser changes its mind about while the words stand."""
    return "".join(c for c in unicodedata.normalize("NFKC", word).casefold() if c.isalnum())
