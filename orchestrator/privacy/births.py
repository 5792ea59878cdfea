"""Dates of birth: a date behind a word for being born, or a date of the past that is all that somebody says."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from orchestrator.privacy.digit_runs import SPOKEN
from orchestrator.privacy.spans import Kind, Span

_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "janvier",
    "février",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "decembre",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
]
_ORDINALS: Final = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "thirtieth",
    "premier",
]
_FIGURES: Final = frozenset(part for words in SPOKEN for part in words.split()) - {"et"}
_NUMERAL: Final = frozenset([*_FIGURES, *_ORDINALS, "hundred", "thousand", "cent", "mille", "mil"])
_MONTH: Final = frozenset(_MONTHS)
_JOINING: Final = frozenset({"the", "of", "and", "le", "de", "en", "et", "st", "nd", "rd", "th", "er"})
_CUE: Final = re.compile(r"\b(?:born|birth ?day|birth|dob|née?s?|naissance|anniversaire)\b", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\d+|[^\W\d_]+")
_GAP: Final = re.compile(r"[\s,./'’-]*")
_LEAD: Final = 5  # words between the cue and the date: "was born in Leeds on the"
_PAST: Final = re.compile(
    r"\b(?:19\d\d|20[01]\d)\b|\bnineteen\b|\bmille neuf cent|\btwo thousand\b|\bdeux mille\b", re.IGNORECASE
)


def find_births(text: str) -> Iterator[Span]:
    """Every date of birth in *text*."""
    tokens = list(_TOKEN.finditer(text))
    for cue in _CUE.finditer(text):
        behind = bisect_left(tokens, cue.end(), key=re.Match.start)
        for first in range(behind, min(behind + _LEAD + 1, len(tokens))):
            date = _date(text, tokens, first)
            if date is not None:
                yield date
                break
    if _PAST.search(text) and (date := _date(text, tokens, 0)) is not None and not _TOKEN.search(text, date.end):
        yield date


def _date(text: str, tokens: list[re.Match[str]], first: int) -> Span | None:
    """The date whose first word is the one at *first*; None when none begins there."""
    last, month, numbers = first, False, 0
    for index in range(first, len(tokens)):
        word = tokens[index][0].lower()
        if index > first and not _GAP.fullmatch(text, tokens[index - 1].end(), tokens[index].start()):
            break
        if word in _MONTH:
            month = True
        elif word.isdecimal() or word in _NUMERAL:
            numbers += 1
        elif word not in _JOINING:
            break
        else:
            continue
        last = index
    if not (month and numbers) and numbers < 3:
        return None
    return Span(tokens[first].start(), tokens[last].end(), Kind.BIRTH)
