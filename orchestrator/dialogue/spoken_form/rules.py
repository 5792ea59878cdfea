"""What turns one written form into words, and the shapes that all of them share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from re import Match, Pattern
from typing import Final, TypeAlias

Words: TypeAlias = Callable[[Match[str]], str | None]

# No letter or digit before, nor a digit with a separator: what follows begins a token.
START: Final = r"(?<![^\W_])(?<![0-9][.,:/])"
# Nor after, nor a separator with a digit.
END: Final = r"(?![^\W_]|[.,:/][0-9])"
DASH: Final = r"\s?[-–—]\s?"
SIGN: Final = r"[-−]"


@dataclass(frozen=True, slots=True)
class Rule:
    """Gives the words for each match of *pattern*. words: None where the match is something else after all.

    digits: every match holds a digit, so that a text without any need not be searched.
    """

    pattern: Pattern[str]
    words: Words
    digits: bool = True

    def apply(self, text: str) -> str:
        """*text* with every match in words, set apart from the letters and digits beside it."""
        return self.pattern.sub(self._said, text)

    def _said(self, match: Match[str]) -> str:
        words = self.words(match)
        if words is None:
            return match[0]
        start, end, text = match.start(), match.end(), match.string
        before = " " if words[:1].isalnum() and start and text[start - 1].isalnum() else ""
        after = " " if words[-1:].isalnum() and end < len(text) and text[end].isalnum() else ""
        return f"{before}{words}{after}"


def rule(pattern: str, words: Words, *, digits: bool = True, ignore_case: bool = False) -> Rule:
    """A rule for the regular expression *pattern*."""
    return Rule(re.compile(pattern, re.IGNORECASE if ignore_case else 0), words, digits)


def any_of(words: object) -> str:
    """A group that matches any of the strings in *words*, the longest first."""
    assert hasattr(words, "__iter__")
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"
