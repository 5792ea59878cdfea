"""How a chat model tells whether a caller's words could be all of them: by the token that it expects next.

A sentence that may stop here is followed by a full stop or by the end of the message, one that may not by a word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

CANDIDATES: Final = 100
"""Tokens whose probability is asked for."""

SAMPLE: Final = "Hello"
"""A message whose place in a chat template is where a caller's words go."""

# Recognisers put a mark behind whatever they are given.
_MARKS: Final = ".?!,;:-\N{HORIZONTAL ELLIPSIS}\N{EN DASH}\N{EM DASH} \n"
_FINAL: Final = frozenset(".?!\N{IDEOGRAPHIC FULL STOP}")


def before_the_end(template: str, text: str) -> str:
    """The prompt of a message that begins with *text* and has not ended. template: that of SAMPLE."""
    opening, _, _ = template.rpartition(SAMPLE)
    return opening + text.rstrip(_MARKS)


def end_probability(candidates: Iterable[tuple[str, float]]) -> float:
    """Probability in [0, 1] that nothing follows.

    candidates: tokens that may be next with their log probabilities; "" is the end of the message.
    """
    ends = sum(math.exp(chance) for token, chance in candidates if _is_end(token))
    return min(1.0, ends)


def _is_end(token: str) -> bool:
    mark = token.strip()
    return (bool(mark) and _FINAL.issuperset(mark)) or not token or "\n" in token
