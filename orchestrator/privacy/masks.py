"""Words with what is personal in them masked: "my card is [card]"."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from orchestrator.core.privacy import Masking
from orchestrator.privacy.addresses import find_addresses
from orchestrator.privacy.births import find_births
from orchestrator.privacy.emails import find_emails
from orchestrator.privacy.names import find_names
from orchestrator.privacy.numbers import find_numbers
from orchestrator.privacy.spans import NUMBERS, Kind, Span, united

# Shorter names are also other words.
_SHORTEST_NAME: Final = 3
_MASK: Final = re.compile("|".join(re.escape(f"[{kind}]") for kind in Kind))
_NAME: Final = re.compile(rf"[^\W\d_]{{{_SHORTEST_NAME},}}")


def find(text: str, masking: Masking) -> list[Span]:
    """What *masking* masks in *text*, in order, without overlaps. What is masked already is not found again."""
    if masking is Masking.NONE or not text:
        return []
    spans = list(find_numbers(text))
    if masking is Masking.ALL:
        for finder in (find_emails, find_births, find_addresses, find_names):
            spans += finder(text)
    if "[" in text:
        masks = [match.span() for match in _MASK.finditer(text)]
        spans = [span for span in spans if not any(start < span.end and span.start < end for start, end in masks)]
    return united(spans)


def without(text: str, spans: list[Span]) -> str:
    """*text* with a mask for each of *spans*, which are in order."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], f"[{span.kind}]"]
        end = span.end
    return "".join([*parts, text[end:]])


def masked(text: str, masking: Masking) -> str:
    """*text* as *masking* lets it be kept."""
    return without(text, find(text, masking))


def is_masked(text: str) -> bool:
    """Whether something is masked in *text*."""
    return _MASK.search(text) is not None


def masks_as_much(heard: str, anew: str) -> bool:
    """Whether *anew*, which says what *heard* does in other words, has as many masks of each kind; numbers are one.

    What was masked for the sake of the call around it, such as a name that the agent had said, is not found in a line
    by itself.
    """
    return Counter(_kinds(anew)) >= Counter(_kinds(heard))


def _kinds(text: str) -> list[Kind]:
    kinds = (Kind(mask[1:-1]) for mask in _MASK.findall(text))
    return [Kind.NUMBER if kind in NUMBERS else kind for kind in kinds]


class CallMask:
    """Masks the words of one call: a name that was told once is masked wherever it comes again."""

    def __init__(self, masking: Masking) -> None:
        self.masking = masking
        self._names: set[str] = set()

    def __call__(self, text: str) -> str:
        """*text* as it may be kept."""
        return without(text, self.find(text))

    def find(self, text: str) -> list[Span]:
        """What is masked in *text*, in order, without overlaps."""
        found = find(text, self.masking)
        for span in found:
            if span.kind is Kind.NAME:
                self._names.update(name.title() for name in _NAME.findall(text[span.start : span.end]))
        if self._names:
            again = [Span(*m.span(), Kind.NAME) for m in _NAME.finditer(text) if m[0] in self._names]
            found = united([*found, *again])
        return found
