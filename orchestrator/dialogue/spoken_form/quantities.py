"""Amounts of something: money, units, percentages; one of them or a range."""

from __future__ import annotations

import re
from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon, Money
from orchestrator.dialogue.spoken_form.rules import DASH, SIGN, START, Rule, any_of, rule

_ARTICLE: Final = re.compile(r"(?:^|\s)an?\s+$", re.IGNORECASE)
_NOUN: Final = re.compile(r"[ -][a-z]{2}")
# After these, "a $5" is no "five dollar something".
_NO_NOUN: Final = re.compile(
    r" (?:and|or|for|per|to|if|is|in|on|at|by|off|each|every|a|an|the|when|but|plus|of|more|less)\b"
)


def money_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """ "$1,234.56", "20 €", "12€50", "$5-10", "$1.5 million", "$20/month"."""
    number, signs = lexicon.figures.number, any_of(lexicon.money)
    scale = rf"(?:\s?(?P<scale>{any_of(lexicon.scales)})(?![^\W_]))?"
    per = r"(?:\s?/\s?(?P<per>[^\W\d_]+²?))?"

    def amount(match: Match[str]) -> str:
        low, high, scale = match["low"], match["high"], match["scale"]
        money = lexicon.money[match["money"]]
        words = _money(lexicon, money, high or low, scale, attributive=_attributive(match))
        if high:
            words = f"{lexicon.figures.words(low, feminine=money.major.feminine)} {lexicon.through(match)} {words}"
        return _finish(lexicon, match, words)

    def split(match: Match[str]) -> str:
        return _money(lexicon, lexicon.money[match[2]], f"{match[1]}.{match[3]}", None)

    return (
        rule(rf"{START}([0-9]+)\s?({signs})([0-9]{{2}})(?![0-9.,]*[0-9])", split),
        rule(
            rf"(?<![^\W_])(?P<sign>{SIGN})?(?P<money>{signs})\s?(?P<low>{number})"
            rf"(?:{DASH}(?:{signs}\s?)?(?P<high>{number}))?{scale}{per}",
            amount,
        ),
        rule(
            rf"{START}(?P<sign>{SIGN})?(?P<low>{number})(?:\s?(?:{signs})?{DASH}(?P<high>{number}))?{scale}"
            rf"\s?(?P<money>{signs})(?![^\W_]){per}",
            amount,
        ),
    )


def unit_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """ "5 km", "80 km/h", "-5 °C", "10-15 min", "20%", "3 m²", "20k"."""
    figures, number = lexicon.figures, lexicon.figures.number

    def amount(match: Match[str]) -> str:
        low, high = match["low"], match["high"]
        noun = lexicon.units[match["unit"]]
        words = figures.words(high or low, feminine=noun.feminine)
        form = noun.one if _attributive(match) else figures.form(high or low, noun)
        words = figures.joined(words, form) if not noun.one.startswith("%") else words
        if high:
            words = f"{figures.words(low, feminine=noun.feminine)} {lexicon.through(match)} {words}"
        return _finish(lexicon, match, words)

    def halved(match: Match[str]) -> str:
        noun, half = lexicon.units[match[2]], lexicon.fractions["+1/2"]
        if figures.two_is_many:  # French: "deux kilos et demi"
            return f"{figures.counted(match[1], noun)} {lexicon.and_} {half}{'e' * noun.feminine}"
        return f"{figures.words(match[1])} {lexicon.and_} {half} {noun.many or noun.one}"

    def scaled(match: Match[str]) -> str:
        return f"{figures.words(match[1])} {lexicon.scales[match[2]]}"

    units = any_of(lexicon.units)
    return (
        rule(rf"{START}([0-9]+)\s?½\s?({units})(?![^\W_]|[²³'’/])", halved),
        rule(
            rf"{START}(?P<sign>{SIGN})?(?P<low>{number})(?:\s?(?:{units})?{DASH}(?P<high>{number}))?"
            rf"[ \u00a0\u202f-]?(?P<unit>{units})(?![^\W_]|[²³'’]|/[a-z0-9])(?:\s?/\s?(?P<per>[^\W\d_]+))?",
            amount,
        ),
        rule(rf"{START}({number})([kK])(?![^\W_])", scaled),
    )


def _money(lexicon: Lexicon, money: Money, number: str, scale: str | None, *, attributive: bool = False) -> str:
    figures = lexicon.figures
    whole, decimals = figures.parts(number)
    if scale:
        said = f"{figures.words(number, feminine=money.major.feminine)} {lexicon.scales[scale]}"
        return figures.joined(_plural_scale(figures.form(number, money.major) == money.major.one, said), _many(money))
    if money.minor is None or len(decimals) > 2:
        return figures.counted(number, money.major)
    cents = str(int(decimals.ljust(2, "0") or 0))
    minor = figures.counted(cents, money.minor) if cents != "0" else ""
    if minor and not whole.strip("0"):
        return minor
    if attributive and not minor:
        return f"{figures.words(whole, feminine=money.major.feminine)} {money.major.one}"
    major = figures.counted(whole, money.major)
    return f"{major} {lexicon.and_} {minor}" if minor else major


def _many(money: Money) -> str:
    return money.major.many or money.major.one


def _plural_scale(single: bool, said: str) -> str:
    """French counts millions: "deux millions"."""
    return said[:-1] if single and said.endswith(("millions", "milliards")) else said


def _attributive(match: Match[str]) -> bool:
    """Whether the amount describes a noun: "a $50 fee", "a 30 min wait". English only; French has no such form."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    return bool(_ARTICLE.search(before[-4:]) and _NOUN.match(after) and not _NO_NOUN.match(after))


def _finish(lexicon: Lexicon, match: Match[str], words: str) -> str:
    if match["sign"]:
        words = f"{lexicon.figures.minus} {words}"
    if per := match["per"]:
        words = f"{words} {lexicon.per} {lexicon.per_units.get(per, per)}"
    return words
