"""The agent's own words in what was recognised on the caller's line: those that it was saying a moment before.

Pure: words and media seconds in, a likeness out. Letters are compared, not words, for a recogniser that hears a faint
or cut echo writes "voice mail" for "voicemail" and "mourning" for "morning".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

# Seconds from a word to its echo, at most: 0.4 s each way (ITU-T G.114 allows no more), and two jitter buffers.
LATEST = 1.2
# A detector's onset lies this long before or behind the first word that is recognised.
SLACK = 0.35
# Letters that a wrong one outweighs. With phrases of callers behind 3 to 10 words of an announcement (1400 draws), 2 %
# of the phrases go with the echo, and of echoes with 30 % of their letters misread 5 % leave more than a word.
_PENALTY = 1.8
# Seconds between two words behind which the agent begins to speak anew.
_BREATH = 0.4
# Places that are told apart by time.
_TIES = 8
# So many letters in a row are no chance: they tell where what agrees begins.
_RUN = 3
# Letters that are compared at most, half a minute of speech: the time grows with their square, and the loop is that of
# all calls.
_MOST = 400
REACH = LATEST + SLACK + _BREATH
"""Seconds before a sound from which on the played words tell whether it is their echo."""


@dataclass(frozen=True, slots=True)
class PlayedWord:
    """A word that went out, as the voice reads it. start, end: media seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """The first *words* of what was heard, which are like what was played.

    letters: how many they have; wrong: how many of those disagree; delay: seconds from the beginning of what was played
    to that of the sound; lag: the same between their ends; opening: whether the agent had been silent before.
    """

    words: int
    letters: int
    wrong: int
    delay: float
    lag: float
    opening: bool

    @property
    def agreeing(self) -> int:
        """Letters that agree."""
        return self.letters - self.wrong

    @property
    def error(self) -> float:
        """The share of letters that disagree."""
        return self.wrong / self.letters


def likeness(
    heard: Sequence[str], started: float, ended: float, played: Sequence[PlayedWord], delay: float = 0.0
) -> Likeness | None:
    """How much of the beginning of *heard* is what was *played* from LATEST before *started* on; None for nothing.

    heard: words; started, ended: media seconds of their sound; played: from REACH before it on, in order; delay: the
    likeliest, for what was said twice. A hundred letters take a millisecond; of more than _MOST their beginning is
    compared.
    """
    spoken = _first([letters(word) for word in heard], _MOST)
    ends = list(accumulate(map(len, spoken)))
    said = [word for word in played if word.end > started - LATEST - SLACK and word.start < ended]
    # A recogniser may leave out half of what was said.
    words = _first([letters(word.text) for word in said], 2 * _MOST)
    place = [number for number, word in enumerate(words) for _ in word]
    if not place or not ends or not ends[-1]:
        return None
    theirs, ours = "".join(spoken), "".join(words)
    distances = _distances(theirs, ours)
    fewest = distances.min(axis=1)
    count = max(range(len(spoken)), key=lambda word: (ends[word] - _PENALTY * fewest[ends[word]], word))
    wrong = int(fewest[ends[count]])
    if ends[count] <= _PENALTY * wrong:
        return None
    stretches = _stretches(distances, theirs[: ends[count]], ours)
    begun, over = min(
        ((said[place[first]], said[place[last]]) for first, last in stretches),
        key=lambda words: abs(started - words[0].start - delay),
    )
    before = [word for word in played if word.end <= begun.start + 1e-6]
    return Likeness(
        count + 1,
        ends[count],
        wrong,
        delay=started - begun.start,
        lag=ended - over.end,
        opening=not before or begun.start - before[-1].end > _BREATH,
    )


def letters(word: str) -> str:
    """*word* as it is compared: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "", word.lower())


def _first(words: list[str], most: int) -> list[str]:
    """The first of *words*, of no more than *most* letters."""
    return words[: bisect_right(list(accumulate(map(len, words))), most)]


def _distances(heard: str, said: str) -> NDArray[np.int64]:
    """Edit distances, shape (len(heard) + 1, len(said) + 1), of each beginning of *heard* to what ends there in *said*.

    It may begin anywhere in *said* (Sellers 1980).
    """
    theirs, ours = (np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32) for text in (heard, said))
    steps = np.arange(len(ours) + 1)
    table = np.zeros((len(theirs) + 1, len(ours) + 1), dtype=np.int64)
    for row, letter in enumerate(theirs, 1):
        above = table[row - 1]
        table[row, 0] = row
        table[row, 1:] = np.minimum(above[1:] + 1, above[:-1] + (ours != letter))
        table[row] = np.minimum.accumulate(table[row] - steps) + steps
    return table


def _stretches(distances: NDArray[np.int64], heard: str, said: str) -> Iterator[tuple[int, int]]:
    """The first and last letter of what *heard* is likest to in *said*: a stretch for each end that is as like."""
    ends = np.flatnonzero(distances[len(heard)] == distances[len(heard)].min())
    for column in map(int, ends[:_TIES]):
        agreed = _agreed(distances, heard, said, column)
        runs = (one for one, other in zip(agreed, agreed[_RUN - 1 :], strict=False) if other == one + _RUN - 1)
        if agreed:
            yield next(runs, agreed[0]), agreed[-1]


def _agreed(distances: NDArray[np.int64], heard: str, said: str, column: int) -> list[int]:
    """The letters of *said* that agree with those of *heard*, where that is likest to what ends at *column*."""
    row = len(heard)
    agreed: list[int] = []
    while row and column:
        here = distances[row, column]
        same = heard[row - 1] == said[column - 1]
        if here == distances[row - 1, column - 1] + (not same):
            row, column = row - 1, column - 1
            if same:
                agreed.append(column)
        elif here == distances[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return agreed[::-1]
