"""What is found in a text: where, and what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.core.privacy import Masking


class Kind(StrEnum):
    """What something personal is, as its mask says. Of two that overlap the earlier one here gives its name to both."""

    EMAIL = "e-mail"
    IBAN = "iban"
    CARD = "card"
    NATIONAL_ID = "national id"
    BIRTH = "date of birth"
    ADDRESS = "address"
    PHONE = "phone"
    NUMBER = "number"
    NAME = "name"


NUMBERS: Final = frozenset({Kind.IBAN, Kind.CARD, Kind.NATIONAL_ID, Kind.PHONE, Kind.NUMBER})
MASKED: Final = {Masking.NONE: frozenset[Kind](), Masking.NUMBERS: NUMBERS, Masking.ALL: frozenset(Kind)}
_RANK: Final = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """text[start:end] is a *kind*."""

    start: int
    end: int
    kind: Kind


def united(spans: Iterable[Span]) -> list[Span]:
    """*spans* in order, those that overlap made one, so that nothing of either shows."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start < found[-1].end:
            last = found[-1]
            kind = min(last.kind, span.kind, key=_RANK.__getitem__)
            found[-1] = Span(last.start, max(last.end, span.end), kind)
        else:
            found.append(span)
    return found
