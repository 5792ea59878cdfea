"""What people type into a search field, as PostgreSQL's to_tsquery reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

# More of them narrow nothing down, and each costs a look into the index.
MOST_TERMS = 16
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True)
class Term:
    """Words side by side. begun: the last one is the beginning of a word; without: calls that lack them are wanted."""

    words: tuple[str, ...]
    begun: bool = False
    without: bool = False

    @property
    def query(self) -> str:
        """What to_tsquery reads, whatever *without* says."""
        words = " <-> ".join(map(_quoted, self.words)) + (":*" if self.begun else "")
        return f"({words})" if len(self.words) > 1 else words


@dataclass(frozen=True, slots=True)
class WordsQuery:
    """What is looked for, term by term. whole, parts: arguments of to_tsquery, empty when there is no such term."""

    terms: tuple[Term, ...]

    @classmethod
    def of(cls, typed: str) -> Self:
        """All of the words of *typed*, in any order. "two words": side by side; refund*: that begin so; -word: not it.

        Nothing in it can be anything but words: each is quoted. There are no terms when there is no word.
        """
        terms = (_term(*found) for found in _TERM.findall(typed))
        return cls(tuple(term for term in terms if term.words)[:MOST_TERMS])

    @property
    def whole(self) -> str:
        """A call that is looked for."""
        return " & ".join(f"!{term.query}" if term.without else term.query for term in self.terms)

    @property
    def wanted(self) -> tuple[Term, ...]:
        """What has to be in a call."""
        return tuple(term for term in self.terms if not term.without)

    @property
    def parts(self) -> str:
        """A line of it that is worth showing."""
        return " | ".join(term.query for term in self.wanted)


def _term(without: str, phrase: str, word: str) -> Term:
    words = [word.rstrip("*")] if word else phrase.split()
    return Term(tuple(filter(_has_letters, words)), word.endswith("*"), bool(without))


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _has_letters(word: str) -> bool:
    return any(letter.isalnum() for letter in word)
