"""Where in the phonemes of a text its words end, so that a sample of its speech tells how many have been said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

# Both the text and eSpeak's phonemes have these where the voice makes a pause.
_STOPS = frozenset(",.;:?!")
_CLOSING = "\"')]}\u201d\u2019\u00bb"


@dataclass(frozen=True, slots=True)
class WordEnd:
    """The end of a word: in sentence number *sentence*, behind its first *phonemes* phonemes."""

    sentence: int
    phonemes: int


def word_ends(text: str, sentences: Sequence[Sequence[str]]) -> list[WordEnd]:
    """For each word of *text* (what lies between spaces), where in the phonemes of its *sentences* it ends.

    Exact where a clause has as many words in both; where eSpeak runs words together ("in the" is one), letters are
    taken as evenly spread over the clause's phonemes. Empty when there is nothing to be said.
    """
    written, spoken = _written(text), _spoken(sentences)
    if len(written) != len(spoken):
        written, spoken = [[*chain(*written)]], [[*chain(*spoken)]]
    ends: list[WordEnd] = []
    for words, groups in zip(written, spoken, strict=True):
        if not groups:
            return []
        ends += _clause_ends(words, groups)
    return ends


def _clause_ends(words: list[str], groups: list[list[WordEnd]]) -> list[WordEnd]:
    letters = [sum(map(str.isalnum, word)) for word in words]
    if sum(map(bool, letters)) == len(groups):
        # A dash between two words is said with the word before it.
        reached = accumulate(map(bool, letters))
        return [groups[max(0, number - 1)][-1] for number in reached]
    phonemes = [*chain(*groups)]
    share = len(phonemes) / max(1, sum(letters))
    return [phonemes[max(0, round(said * share) - 1)] for said in accumulate(letters)]


def _written(text: str) -> list[list[str]]:
    """The words of each clause that has any letter; what has none belongs to the one before."""
    clauses: list[list[str]] = [[]]
    for word in text.split():
        clauses[-1].append(word)
        if word.rstrip(_CLOSING)[-1:] in _STOPS and any(map(_speakable, clauses[-1])):
            clauses.append([])
    if len(clauses) > 1 and not any(map(_speakable, clauses[-1])):
        rest = clauses.pop()
        clauses[-1] += rest
    return clauses


def _spoken(sentences: Sequence[Sequence[str]]) -> list[list[list[WordEnd]]]:
    """The groups of phonemes of each clause that has any."""
    clauses: list[list[list[WordEnd]]] = [[]]
    for number, phonemes in enumerate(sentences):
        group: list[WordEnd] = []
        # The end of a sentence ends its last word and clause too.
        for position, phoneme in enumerate([*phonemes, "."], 1):
            if phoneme == " " or phoneme in _STOPS:
                if group:
                    clauses[-1].append(group)
                    group = []
                if phoneme in _STOPS and clauses[-1]:
                    clauses.append([])
            else:
                group.append(WordEnd(number, position))
    return [clause for clause in clauses if clause]


def _speakable(word: str) -> bool:
    return any(map(str.isalnum, word))
