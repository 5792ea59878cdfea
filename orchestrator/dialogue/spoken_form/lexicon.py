"""What a language has to bring: its words for symbols, money and units, and how it writes figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from re import Match, Pattern
from typing import Final

from orchestrator.dialogue.spoken_form.numerals import LONGEST_NUMBER, Numerals


@dataclass(frozen=True, slots=True)
class Noun:
    """What is counted. many: its plural, *one* where they are alike."""

    one: str
    many: str = ""
    feminine: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """A currency. minor: its hundredth part; None where nobody counts in it."""

    major: Noun
    minor: Noun | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How a language writes numbers, and says what is written.

    number: a regular expression of a number without its sign; separators: what groups its thousands; points: what
    comes before its decimals; decimals_as_number: whether "3,14" is three comma fourteen; two_is_many: the smallest
    amount with a plural is two (French) and not everything but one (English).
    """

    numerals: Numerals
    number: str
    separators: str
    points: str
    point: str
    minus: str
    decimals_as_number: bool
    two_is_many: bool
    of: Pattern[str] | None = None

    def parts(self, number: str) -> tuple[str, str]:
        """The digits before and after the decimal point of *number*."""
        for point in self.points:
            head, found, tail = number.rpartition(point)
            if found and not (point in self.separators and re.fullmatch(self._grouped(), number)):
                return self._bare(head), self._bare(tail)
        return self._bare(number), ""

    def words(self, number: str, *, feminine: bool = False) -> str:
        """*number*, as matched by `number`, in words. Leading zeros are said; very long numbers go digit by digit."""
        whole, decimals = self.parts(number)
        if not decimals:
            return self.whole(whole, feminine=feminine)
        zeros = len(decimals) - len(decimals.lstrip("0"))
        if self.decimals_as_number and len(decimals) <= 3 and zeros < len(decimals):
            fraction = " ".join([*[self.numerals.cardinal(0)] * zeros, self.numerals.cardinal(int(decimals))])
        else:
            fraction = " ".join(self.numerals.cardinal(int(digit)) for digit in decimals)
        return f"{self.whole(whole)} {self.point} {fraction}"

    def whole(self, digits: str, *, feminine: bool = False) -> str:
        """A whole number, given by its digits alone."""
        if len(digits) > LONGEST_NUMBER or (digits[0] == "0" and len(digits) > 1):
            return self.numerals.digits(digits)
        return self.numerals.cardinal(int(digits), feminine=feminine)

    def counted(self, number: str, noun: Noun) -> str:
        """*number* of *noun*: "one hour", "vingt-et-une heures", "deux millions d'euros"."""
        words = self.words(number, feminine=noun.feminine)
        return self.joined(words, self.form(number, noun))

    def joined(self, words: str, noun: str) -> str:
        """A number in words and what it counts, with the "de" that French puts after a million."""
        if self.of is not None and self.of.search(words):
            return f"{words} d'{noun}" if noun[0] in "aeiouyéèêh" else f"{words} de {noun}"
        return f"{words} {noun}"

    def form(self, number: str, noun: Noun) -> str:
        """*noun* in the number that *number* of it needs."""
        whole, decimals = self.parts(number)
        whole = whole.lstrip("0") or "0"
        single = whole in "01" if self.two_is_many else whole == "1" and not decimals
        return noun.one if single else noun.many or noun.one

    def _bare(self, text: str) -> str:
        return "".join(character for character in text if character.isdigit()) or "0"

    def _grouped(self) -> str:
        return rf"[0-9]{{1,3}}(?:[{re.escape(self.separators)}][0-9]{{3}})+"


_BETWEEN: Final = re.compile(r"\b(?:between|entre)\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one language.

    symbols: a character on its own → how it is said; in_addresses: the same inside e-mail addresses and URLs.
    units: written form → noun, matched by case; money: sign or ISO 4217 code → currency; scales: written form → word,
    behind a number. code_cues: a regular expression of the words that announce digits to be read one by one.
    """

    figures: Figures
    to: str
    per: str
    and_: str
    plus: str
    number: str
    slash: str
    out_of: str
    times: str
    extension: str
    symbols: Mapping[str, str]
    in_addresses: Mapping[str, str]
    units: Mapping[str, Noun]
    money: Mapping[str, Money]
    scales: Mapping[str, str]
    per_units: Mapping[str, str]
    fractions: Mapping[str, str]
    code_cues: str
    dial_cues: str
    phone_shape: Pattern[str]
    phones_by_number: frozenset[str] = frozenset()
    letter_a: str = "A"

    def through(self, match: Match[str]) -> str:
        """The word for the dash of the range *match*: "between five *and* ten", otherwise "five *to* ten"."""
        return self.and_ if _BETWEEN.search(match.string[max(match.start() - 10, 0) : match.start()]) else self.to


ENGLISH_NUMBER: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
FRENCH_NUMBER: Final = r"(?:[0-9]{1,3}(?:[ \u00a0\u202f.][0-9]{3})+(?![0-9])|[0-9]+)(?:[.,][0-9]+(?![0-9]*[.,][0-9]))?"
