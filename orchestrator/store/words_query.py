"""What people type into a search field, as PostgreSQL's to_tsquery reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

# More of them narrow nothing down, and each costs a look into the index.
MOST_TERMS = 16
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True)
class WordsQuery:
    """Both are arguments of to_tsquery. whole: a call that is looked for; parts: a line of it that is worth showing."""

    whole: str
    parts: str

    @classmethod
    def of(cls, typed: str) -> Self:
        """All of the words of *typed*, in any order. "two words": side by side; refund*: that begin so; -word: not it.

        Nothing in it can be anything but words: each is quoted. Both are empty when there is no word.
        """
        terms = [(without, _wanted(phrase, word)) for without, phrase, word in _TERM.findall(typed)]
        terms = [term for term in terms if term[1]][:MOST_TERMS]
        return cls(
            whole=" & ".join(f"!{wanted}" if without else wanted for without, wanted in terms),
            parts=" | ".join(wanted for without, wanted in terms if not without),
        )


def _wanted(phrase: str, word: str) -> str:
    if word:
        begun = ":*" if word.endswith("*") else ""
        return _quoted(word.rstrip("*")) + begun if _has_letters(word) else ""
    words = [_quoted(part) for part in phrase.split() if _has_letters(part)]
    return f"({' <-> '.join(words)})" if words else ""


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _has_letters(word: str) -> bool:
    return any(letter.isalnum() for letter in word)
