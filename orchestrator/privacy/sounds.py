"""When something personal was said, by the times of the words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orchestrator.core.ports import Transcript
from orchestrator.privacy.spans import Span

MARGIN: Final = 0.4
"""Seconds on either side: recognisers are late or early by up to 0.3, and the first figure of a number is not one to
them ("for 1 1 1 1")."""


def moments(heard: Transcript, spans: Iterable[Span]) -> list[tuple[float, float]]:
    """From when to when each of *spans* of its text was said, with a margin; on the clock of *heard*'s words."""
    placed: list[tuple[int, int, float, float]] = []
    at = 0
    for word in heard.words:
        begin = heard.text.index(word.text, at)
        at = begin + len(word.text)
        placed.append((begin, at, word.start, word.end))
    found: list[tuple[float, float]] = []
    for span in spans:
        said = [(start, end) for begin, stop, start, end in placed if begin < span.end and span.start < stop]
        if said:
            found.append((min(start for start, _ in said) - MARGIN, max(end for _, end in said) + MARGIN))
    return found
