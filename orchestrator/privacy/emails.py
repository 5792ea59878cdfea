"""E-mail addresses, written or spoken: "jane dot doe at example dot com", "luc point fabre arobase free point fr"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.privacy.spans import Kind, Span

_DOT: Final = r"(?:\s?\.\s?|\s(?:dot|point)\s)"
_JOINT: Final = (
    rf"(?:{_DOT}|\s?[_+-]\s?|\s(?:underscore|under score|dash|hyphen|minus|plus|tiret(?: du (?:bas|haut|six))?)\s)"
)
_AT: Final = r"(?:\s?@\s?|\s(?:at(?: sign)?|arobase?|arobaze)\s)"
# Letters that are spelled, or a word, with what joins them.
_PIECE: Final = r"(?:\w(?:[\s-]\w)+(?:\s?\d+)?(?!\w)|[\w'’]+(?:\s\d+)?)"
_LOCAL: Final = rf"{_PIECE}(?:{_JOINT}{_PIECE})*"
_TLD: Final = (
    r"(?:com|org|net|edu|gov|info|biz|io|co|me|eu|fr|be|ch|ca|uk|ie|de|es|it|pt|nl|lu|us|app|dev|ai|paris|pro|tv|email)"
)
_PROVIDER: Final = r"(?:g ?mail|hot ?mail|outlook|yahoo|i ?cloud|proton|orange|free|laposte|wanadoo|sfr|aol|gmx)"
_DOMAIN: Final = rf"(?:[\w-]+(?:(?:{_DOT}|\s(?:tiret|dash|hyphen)\s|\s?-\s?)[\w-]+)*{_DOT}{_TLD}|{_PROVIDER})\b"
_EMAIL: Final = re.compile(rf"(?<![\w.@+-])({_LOCAL})({_AT}){_DOMAIN}", re.IGNORECASE)
_WRITTEN: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
# Words before "at" and a site: "look at example dot com".
_NO_LOCAL: Final = frozenset(
    [
        "look",
        "looking",
        "it",
        "is",
        "are",
        "us",
        "me",
        "we",
        "you",
        "they",
        "them",
        "found",
        "find",
        "available",
        "here",
        "there",
        "website",
        "site",
        "page",
        "online",
        "works",
        "work",
        "shop",
        "book",
        "order",
        "buy",
        "see",
        "looked",
        "everything",
        "more",
    ]
)


def find_emails(text: str) -> Iterator[Span]:
    """Every e-mail address in *text*."""
    lowered = text.lower()
    if "@" not in text and " at " not in lowered and "aroba" not in lowered:
        return
    yield from (Span(*match.span(), Kind.EMAIL) for match in _WRITTEN.finditer(text))
    for match in _EMAIL.finditer(text):
        if match[2].strip().lower() != "at" or match[1].lower() not in _NO_LOCAL:
            yield Span(*match.span(), Kind.EMAIL)
