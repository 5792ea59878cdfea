"""Runs of digits, written or spoken: "4111 1111", "four one one one", "zéro six, trente-neuf"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_UNITS: Final = ("zero oh o nought naught", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS: Final = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_UNITES: Final = ("zéro zero", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf")
_DIX: Final = ("dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix sept", "dix huit", "dix neuf")
_DIZAINES: Final = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "quatre vingt": 80}
_SUISSES: Final = {"septante": 70, "huitante": 80, "octante": 80, "nonante": 90}


def _spoken() -> dict[str, str]:
    """Digits of every number below a hundred, by its words without hyphens."""
    words: dict[str, str] = {}
    for digit, names in enumerate(_UNITS):
        words |= {name: str(digit) for name in names.split()}
    words |= {name: str(10 + index) for index, name in enumerate(_TEENS)}
    for index, ten in enumerate(_TENS):
        words[ten] = str(20 + 10 * index)
        words |= {
            f"{ten} {unit.split()[0]}": str(20 + 10 * index + digit) for digit, unit in enumerate(_UNITS) if digit
        }
    for digit, names in enumerate(_UNITES):
        words |= {name: str(digit) for name in names.split()}
    words |= {name: str(10 + index) for index, name in enumerate(_DIX)}
    for ten, value in (_DIZAINES | _SUISSES).items():
        words[ten] = str(value)
        words |= {f"{ten} {unit}": str(value + digit) for digit, unit in enumerate(_UNITES) if digit}
        words |= {f"{ten} et un": str(value + 1), f"{ten} et une": str(value + 1)}
        if value in {60, 80}:
            words |= {f"{ten} {name}": str(value + 10 + index) for index, name in enumerate(_DIX)}
    return words | {"soixante et onze": "71", "quatre vingts": "80"}


SPOKEN: Final = _spoken()
_LONGEST: Final = max(len(words.split()) for words in SPOKEN)
_FIRST: Final = frozenset(words.split()[0] for words in SPOKEN)
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
# Said between two digits, and no word of anything else then.
_BETWEEN: Final = frozenset(
    {"uh", "um", "er", "euh", "heu", "then", "puis", "dash", "hyphen", "tiret", "space", "espace"}
)
_TOKEN: Final = re.compile(r"\d+|[^\W\d_]+")
_GAP: Final = re.compile(r"[\s.,()/·–—-]*")
# A date is no number of anybody's, unless it is a birthday.
_DATE: Final = re.compile(r"(?<![/.-])\b(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})\b(?![/.-]?\d)")


@dataclass(frozen=True, slots=True)
class Run:
    """Digits one after another. parts: as they were grouped; start, end: in the text; written: none was spoken."""

    start: int
    end: int
    parts: tuple[str, ...]
    written: bool

    @property
    def digits(self) -> str:
        """All of them."""
        return "".join(self.parts)


def digit_runs(text: str) -> Iterator[Run]:
    """Every run in *text*, of any length, dates left out."""
    dates = [match.span() for match in _DATE.finditer(text)]
    tokens = [match for match in _TOKEN.finditer(text) if not any(start <= match.start() < end for start, end in dates)]
    words = [token[0].lower() for token in tokens]
    index = 0
    while index < len(tokens):
        after, digits = _digits_at(words, index)
        if not digits:
            index += 1
            continue
        first, parts, written = index, [digits], words[index].isdigit()
        last, index = after, after
        while index < len(tokens) and _GAP.fullmatch(text, tokens[index - 1].end(), tokens[index].start()):
            after, digits = _digits_at(words, index)
            if digits:
                parts.append(digits)
                written = written and words[index].isdigit()
                last = index = after
            elif words[index] in _BETWEEN:
                index += 1
            else:
                break
        index = last
        yield Run(tokens[first].start(), tokens[last - 1].end(), tuple(parts), written)


def _digits_at(words: list[str], index: int) -> tuple[int, str]:
    """The digits that begin at *index*, and the index behind them; none when none do."""
    word = words[index]
    if word.isdecimal():
        return index + 1, word
    if (times := _TIMES.get(word)) is not None and index + 1 < len(words):
        after, digits = _digits_at(words, index + 1)
        return (after, digits * times) if digits and len(digits) == 1 else (index, "")
    if word in _FIRST:
        for length in range(min(_LONGEST, len(words) - index), 0, -1):
            digits = SPOKEN.get(" ".join(words[index : index + length]), "")
            if digits:
                return index + length, digits
    return index, ""
