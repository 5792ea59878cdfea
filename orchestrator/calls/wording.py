"""What the words so far tell about whether the caller is done: how they end, and whether an expected answer is whole.

Word lists are by language, in words/; without one, only marks, figures, letters and addresses are read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from orchestrator.core.expectation import Expectation, Form


class Ending(Enum):
    """How a text ends."""

    NOTHING = auto()  # no words were heard
    OPEN = auto()  # with a word that something follows, or that fills a pause
    NUMBER = auto()  # with digits, of which there may be more
    TRAILING = auto()  # without a final mark, or with one of hesitation
    CLOSED = auto()  # like a sentence
    CLOSING = auto()  # with a word that answers end with


class Progress(Enum):
    """How far an expected answer has come."""

    OTHER = auto()  # something else was said
    BEGUN = auto()
    WHOLE = auto()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language's words.

    open: a caller who ends with one goes on; closing: one who ends with one is done; digits, teens, tens: numbers read
    out; repeats: words before a digit, with how often it then counts; months, days: of a date; at, dot: of an address.
    """

    language: str
    open: frozenset[str]
    closing: frozenset[str]
    digits: frozenset[str]
    teens: frozenset[str]
    tens: frozenset[str]
    months: frozenset[str]
    days: frozenset[str]
    repeats: Mapping[str, int]
    at: str
    dot: str

    @property
    def numbers(self) -> frozenset[str]:
        """All words of numbers."""
        return self.digits | self.teens | self.tens


def _read(path: Path) -> Lexicon:
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    sets = {
        name: frozenset(words[name].split())
        for name in ("open", "closing", "digits", "teens", "tens", "months", "days")
    }
    return Lexicon(language=path.stem, **sets, repeats=words["repeats"], at=words["at"], dot=words["dot"])


_LEXICONS = {path.stem: _read(path) for path in (Path(__file__).parent / "words").glob("*.toml")}
# Figures, letters and addresses are found in every language.
_WORDLESS = frozenset[str]()
_NONE = Lexicon(
    language="",
    open=_WORDLESS,
    closing=_WORDLESS,
    digits=_WORDLESS,
    teens=_WORDLESS,
    tens=_WORDLESS,
    months=_WORDLESS,
    days=_WORDLESS,
    repeats={},
    at="@",
    dot=".",
)
_HESITATION = ("...", "\N{HORIZONTAL ELLIPSIS}", ",", "-", "\N{EN DASH}", "\N{EM DASH}", ":", ";")
_FINAL = (".", "?", "!")


def ending(text: str, language: str) -> Ending:
    """How *text* ends."""
    words = _words(text)
    if not words:
        return Ending.NOTHING
    lexicon = _lexicon(language)
    # An elided word is one of its own: "parce qu'" ends in "qu".
    last = words[-1].rstrip("'")
    if last in lexicon.open and not text.rstrip().endswith("?"):
        return Ending.OPEN
    if last in lexicon.closing:
        return Ending.CLOSING
    if last[-1:].isdigit() or last in lexicon.numbers:
        return Ending.NUMBER
    if text.rstrip().endswith(_HESITATION) or not text.rstrip().endswith(_FINAL):
        return Ending.TRAILING
    return Ending.CLOSED


def progress(text: str, expects: Expectation, language: str) -> Progress:
    """How far the answer that *expects* describes has come in *text*."""
    words = _words(text)
    if not words or expects.form not in _FORMS:
        return Progress.OTHER
    return _FORMS[expects.form](_Answer(text, words, _lexicon(language), expects.count))


def count(text: str) -> int:
    """How many words *text* has."""
    return len(_words(text))


def digits(text: str, language: str) -> int:
    """How many digits are read out in *text*: "double five oh 12" has five."""
    lexicon = _lexicon(language)
    count, times, tens = 0, 1, False
    for word in _words(text):
        if figures := sum(character.isdigit() for character in word):
            count += figures * times
        elif word in lexicon.digits:
            # "twenty one" has two digits, and "twenty" has counted both.
            count += 0 if tens else times
        elif word in lexicon.teens | lexicon.tens:
            count += 2
        elif "-" in word:
            count += _hyphenated(word, lexicon)
        tens = word in lexicon.tens
        times = lexicon.repeats.get(word, 1)
    return count


def _hyphenated(word: str, lexicon: Lexicon) -> int:
    """The digits of a word such as "twenty-one", "vingt-et-un" or "five-five-two"."""
    parts = [part for part in word.split("-") if part not in lexicon.open]
    if lexicon.digits.issuperset(parts):
        return len(parts)
    return 2 if lexicon.numbers.issuperset(parts) else 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer so far. count: what the question expects of it."""

    text: str
    words: Sequence[str]
    lexicon: Lexicon
    count: int | None


def _digits_so_far(answer: _Answer) -> Progress:
    found = digits(answer.text, answer.lexicon.language)
    if answer.count is not None and found >= answer.count:
        return Progress.WHOLE
    # "I don't have one" and "oh, I see" hold a digit each, and no answer.
    told = found > 1 or any(map(str.isdigit, answer.text)) or answer.lexicon.numbers.issuperset(answer.words)
    return Progress.BEGUN if told else Progress.OTHER


def _letters_so_far(answer: _Answer) -> Progress:
    """Letters that are spelled, as "J-O-N", "J O N" or "JON" in capitals; somebody's "I" is none."""
    spelled = re.findall(
        r"\b[A-ZÀ-Þ]+\b", re.sub(r"\bI(?=[\'\N{RIGHT SINGLE QUOTATION MARK}]|\s+[a-z])", "", answer.text)
    )
    found = sum(map(len, spelled))
    if not found:
        return Progress.OTHER
    return Progress.WHOLE if answer.count is not None and found >= answer.count else Progress.BEGUN


def _date_so_far(answer: _Answer) -> Progress:
    with_year = answer.count == _DAY_MONTH_YEAR
    if re.search(r"\d{1,2}\s?[/.-]\s?\d{1,2}" + (r"\s?[/.-]\s?\d{2,4}" if with_year else ""), answer.text):
        return Progress.WHOLE
    lexicon = answer.lexicon
    words = [part for word in answer.words for part in (word, *word.split("-"))]
    month = any(word in lexicon.months for word in words)
    named = lexicon.days | lexicon.numbers
    day = any(re.fullmatch(r"\d{1,2}(st|nd|rd|th|er|e)?", word) or word in named for word in words)
    year = not with_year or re.search(r"\b\d{4}\b", answer.text) is not None
    if month and day and year:
        return Progress.WHOLE
    return Progress.BEGUN if month or day else Progress.OTHER


def _email_so_far(answer: _Answer) -> Progress:
    at, dot = re.escape(answer.lexicon.at), re.escape(answer.lexicon.dot)
    spoken = re.sub(rf"\s+{dot}\s+", ".", re.sub(rf"\s+{at}\s+", "@", answer.text.lower()))
    if re.search(r"[\w.+-]+\s?@\s?[\w -]+\.\s?[a-z]{2,}", spoken):
        return Progress.WHOLE
    if answer.words[-1] in answer.lexicon.closing or answer.text.rstrip().endswith("?"):
        return Progress.OTHER
    # A refusal is a sentence; an address so far is a few words.
    begun = len(answer.words) < _SENTENCE or "mail" in spoken or re.search(r"[@_]|underscore|\w\.\w", spoken)
    return Progress.BEGUN if begun else Progress.OTHER


_DAY_MONTH_YEAR = 3
_SENTENCE = 3
_FORMS: Mapping[Form, Callable[[_Answer], Progress]] = {
    Form.DIGITS: _digits_so_far,
    Form.SPELLING: _letters_so_far,
    Form.DATE: _date_so_far,
    Form.EMAIL: _email_so_far,
}


def _lexicon(language: str) -> Lexicon:
    return _LEXICONS.get(language.partition("-")[0], _NONE)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w@']+(?:-[\w']+)*", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
