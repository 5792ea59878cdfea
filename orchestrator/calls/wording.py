"""What the words so far tell about whether the caller is done: how they end, and whether an expected answer is whole.

Word lists are by language, in words/; a language without one gives no hints from its words, and nothing else changes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
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


def _read(path: Path) -> Lexicon:
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    sets = {
        name: frozenset(words[name].split())
        for name in ("open", "closing", "digits", "teens", "tens", "months", "days")
    }
    return Lexicon(**sets, repeats=words["repeats"], at=words["at"], dot=words["dot"])


_LEXICONS = {path.stem: _read(path) for path in (Path(__file__).parent / "words").glob("*.toml")}
# Figures, letters and addresses are found in every language.
_WORDLESS = frozenset[str]()
_NONE = Lexicon(
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
    if last in lexicon.open:
        return Ending.OPEN
    if last in lexicon.closing:
        return Ending.CLOSING
    if last[-1:].isdigit() or last in lexicon.digits | lexicon.teens | lexicon.tens:
        return Ending.NUMBER
    if text.rstrip().endswith(_HESITATION) or not text.rstrip().endswith(_FINAL):
        return Ending.TRAILING
    return Ending.CLOSED


def progress(text: str, expects: Expectation, language: str) -> Progress:
    """How far the answer that *expects* describes has come in *text*."""
    lexicon = _lexicon(language)
    words = _words(text)
    if expects.form is Form.ANY or not words:
        return Progress.OTHER
    if expects.form is Form.DATE:
        return _date(text, words, lexicon, with_year=expects.count == 3)
    if expects.form is Form.EMAIL:
        return _email(text, words, lexicon)
    found = digits(text, language) if expects.form is Form.DIGITS else _letters(text)
    if not found:
        return Progress.OTHER
    return Progress.WHOLE if expects.count is not None and found >= expects.count else Progress.BEGUN


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
        tens = word in lexicon.tens
        times = lexicon.repeats.get(word, 1)
    return count


def _letters(text: str) -> int:
    """How many letters are spelled in *text*, as "J-O-N", "J O N" or "JON" in capitals."""
    return sum(len(word) for word in re.findall(r"\b[A-ZÀ-Þ](?:[A-ZÀ-Þ]*\b)", text.replace("I'm", "")))


def _date(text: str, words: Sequence[str], lexicon: Lexicon, *, with_year: bool) -> Progress:
    if re.search(r"\d{1,2}\s?[/.-]\s?\d{1,2}" + (r"\s?[/.-]\s?\d{2,4}" if with_year else ""), text):
        return Progress.WHOLE
    month = any(word in lexicon.months for word in words)
    named = lexicon.days | lexicon.digits | lexicon.teens | lexicon.tens
    day = any(re.fullmatch(r"\d{1,2}(st|nd|rd|th|er|e)?", word) or word in named for word in words)
    year = not with_year or re.search(r"\b\d{4}\b", text) is not None
    if month and day and year:
        return Progress.WHOLE
    return Progress.BEGUN if month or day else Progress.OTHER


def _email(text: str, words: Sequence[str], lexicon: Lexicon) -> Progress:
    spoken = re.sub(
        rf"\s+{re.escape(lexicon.dot)}\s+", ".", re.sub(rf"\s+{re.escape(lexicon.at)}\s+", "@", text.lower())
    )
    if re.search(r"[\w.+-]+\s?@\s?[\w -]+\.\s?[a-z]{2,}", spoken):
        return Progress.WHOLE
    # A refusal is a sentence; an address so far is a few words.
    begun = len(words) < 3 or "mail" in spoken or re.search(r"[@_]|underscore|\w\.\w", spoken) is not None
    return Progress.BEGUN if begun else Progress.OTHER


def _lexicon(language: str) -> Lexicon:
    return _LEXICONS.get(language.partition("-")[0], _NONE)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w@']+(?:-[\w']+)*", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
