"""Numbers with nothing that says what they count, and the characters that no other rule has taken."""

from __future__ import annotations

from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.rules import DASH, SIGN, START, Rule, any_of, rule


def number_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """Ranges, fractions, scores and versions."""
    figures, number = lexicon.figures, lexicon.figures.number

    def between(match: Match[str]) -> str:
        return f"{figures.words(match[1])} {lexicon.through(match)} {figures.words(match[2])}"

    def fraction(match: Match[str]) -> str:
        whole, part = match[1], f"{match[2]}/{match[3]}"
        said = lexicon.fractions.get(part)
        if said is None:
            said = f"{figures.words(match[2])} {_over(match[2], match[3], lexicon)} {figures.words(match[3])}"
        elif whole:
            said = f"{lexicon.and_} {_with_article(part, said, lexicon)}"
        return f"{figures.words(whole)} {said}" if whole else said

    def dotted(match: Match[str]) -> str:
        return f" {figures.point} ".join(figures.words(part) for part in match[0].split("."))

    def by(match: Match[str]) -> str:
        return f"{figures.words(match[1])} {lexicon.times} {figures.words(match[2])}"

    def glyph(match: Match[str]) -> str:
        said = lexicon.fractions[_GLYPHS[match[2]]]
        if not match[1]:
            return said
        return f"{figures.words(match[1])} {lexicon.and_} {_with_article(_GLYPHS[match[2]], said, lexicon)}"

    return (
        rule(rf"(?<![0-9])(?:([0-9]+)\s?)?([{''.join(_GLYPHS)}])", glyph, digits=False),
        rule(rf"{START}[0-9]+(?:\.[0-9]+){{2,}}(?![0-9])", dotted),
        rule(rf"{START}(?:([0-9]+) )?([0-9]{{1,3}})/([0-9]{{1,3}})(?![0-9/])", fraction),
        rule(rf"{START}({number})\s?[x×]\s?(?={number})({number})", by),
        rule(rf"{START}({number}){DASH}({number})(?!{DASH}[0-9])(?![0-9])", between),
        rule(rf"{START}([0-9]+):([0-9]+)(?![0-9:])", between),
    )


def leftover_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """After every other rule: no digit and no symbol that has a word is left."""
    figures, number = lexicon.figures, lexicon.figures.number

    neighbours = frozenset(lexicon.symbols)

    def plain(match: Match[str]) -> str:
        said = figures.words(match[2])
        return f"{figures.minus} {said}" if match[1] else said

    def symbol(match: Match[str]) -> str:
        return _set_apart(match, lexicon.symbols[match[0]], neighbours)

    return (
        rule(rf"((?<![^\W_)]){SIGN}(?=[0-9]))?({number})", plain),
        rule(any_of(lexicon.symbols), symbol, digits=False),
    )


_GLYPHS: Final = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}


def _over(upper: str, lower: str, lexicon: Lexicon) -> str:
    return lexicon.out_of if int(upper) <= int(lower) else lexicon.slash


def _with_article(part: str, said: str, lexicon: Lexicon) -> str:
    """ "two and a half": after a whole number the half has an article where the language wants one."""
    return lexicon.fractions.get(f"+{part}", said)


def _set_apart(match: Match[str], words: str, symbols: frozenset[str]) -> str:
    """*words*, with a space on each side that has none and is not the edge of a word's punctuation.

    One of *symbols* in front puts a space behind itself.
    """
    text, start, end = match.string, match.start(), match.end()
    before = " " if start and not text[start - 1].isspace() and text[start - 1] not in symbols | set("([\"'«-/") else ""
    after = " " if end < len(text) and not text[end].isspace() and text[end] not in ".,;:!?…)]\"'»-/" else ""
    return f"{before}{words}{after}"
