"""Numbers in words, by the spell-out rules of Unicode CLDR."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

# A longer string of digits names something, and counts nothing.
LONGEST_NUMBER: Final = 15


@lru_cache(maxsize=8)
def _engine(language: str) -> RbnfEngine:
    from unicode_rbnf import RbnfEngine  # noqa: PLC0415 - heavy

    return RbnfEngine.for_language(language)


@lru_cache(maxsize=4096)
def _spelled(language: str, ruleset: str, number: int) -> str:
    text = _engine(language).format_number(number, ruleset_names=[ruleset]).text
    # CLDR's French ordinals say quatre-vingt-et-unième; some rule sets hold soft hyphens, which no voice needs.
    return text.replace("quatre-vingt-et-un", "quatre-vingt-un").replace("\u00ad", "").replace(",", "")


class Numerals:
    """The number words of one language.

    cardinals, ordinals, years: names of CLDR rule sets, the masculine one first where a language has two.
    """

    def __init__(
        self, language: str, cardinals: tuple[str, str], ordinals: tuple[str, str], years: str, grouping: int = 3
    ) -> None:
        self._language = language
        self._cardinals = cardinals
        self._ordinals = ordinals
        self._years = years
        self._grouping = grouping

    def cardinal(self, number: int, *, feminine: bool = False) -> str:
        """ "twenty-one"; "vingt-et-une"."""
        return _spelled(self._language, self._cardinals[feminine], number)

    def ordinal(self, number: int, *, feminine: bool = False) -> str:
        """ "twenty-first"; "première"."""
        return _spelled(self._language, self._ordinals[feminine], number)

    def year(self, number: int) -> str:
        """ "twenty twenty-six"; "deux mille vingt-six"."""
        return _spelled(self._language, self._years, number).replace("oh-", "oh ")

    def digits(self, text: str) -> str:
        """The digits of *text* one by one, with a pause after three or four in a long row."""
        figures = [character for character in text if character in "0123456789"]
        size = 4 if len(figures) in {4, 8, 12, 16} else 3
        starts = list(range(0, len(figures), size))
        if len(starts) > 1 and len(figures) - starts[-1] == 1:  # no last digit on its own: 3, 3, 4
            starts.pop()
        if len(figures) <= 5:
            starts = starts[:1]
        ends = [*starts[1:], len(figures)]
        return ", ".join(
            " ".join(self.cardinal(int(figure)) for figure in figures[start:end])
            for start, end in zip(starts, ends, strict=True)
        )

    def pair(self, text: str) -> str:
        """Three or four digits as houses and rooms are called: "twelve oh four", "three ten", "two hundred"."""
        head, tail = int(text[:-2]), text[-2:]
        if tail == "00":
            return self.cardinal(int(text)) if head % 10 == 0 else f"{self.cardinal(head)} {self._hundred()}"
        last = f"oh {self.cardinal(int(tail))}" if tail[0] == "0" else self.cardinal(int(tail))
        return f"{self.cardinal(head)} {last}"

    def _hundred(self) -> str:
        return self.cardinal(100).split()[-1]
