"""What a voice should read for what was written: "2:30 pm" is "two thirty p.m."."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from orchestrator.dialogue.spoken_form.codes import announced_rules, mixed_rules
from orchestrator.dialogue.spoken_form.contacts import contact_rules
from orchestrator.dialogue.spoken_form.english import english_lexicon
from orchestrator.dialogue.spoken_form.english_calendar import english_calendar, english_times
from orchestrator.dialogue.spoken_form.english_rules import english_abbreviations, english_numbers
from orchestrator.dialogue.spoken_form.french import french_lexicon
from orchestrator.dialogue.spoken_form.french_calendar import french_calendar, french_times
from orchestrator.dialogue.spoken_form.french_rules import french_abbreviations, french_numbers
from orchestrator.dialogue.spoken_form.phones import phone_rules
from orchestrator.dialogue.spoken_form.plain import leftover_rules, number_rules
from orchestrator.dialogue.spoken_form.quantities import money_rules, unit_rules
from orchestrator.dialogue.spoken_form.rules import Rule

_DIGIT: Final = re.compile("[0-9]")
# Words that a rule makes can stand beside what the next pass reads with them; three passes settle all that is known.
_PASSES: Final = 3
_SAMPLES: Final = (
    "Call (415) 555-2671 or +33 6 12 34 56 78, ext. 12, on 12/05/2026 at 2:30 pm for $1,234.56, 1st, 21.",
    "Appelez le 01 23 45 67 89 le 12/05/2026 à 14h30 pour 1 234,56 €, 1er, 21.",
)


def spoken(text: str, language: str) -> str:
    """*text* as a voice should read it; unchanged where nothing needs words, or *language* is not known.

    language: BCP 47 tag, of English or French; its region decides the order of dates and how phone numbers are said.
    Never raises; its own output comes back unchanged.
    """
    rules = _rules(language)
    for _ in range(_PASSES):
        said = _said(text, rules)
        if said == text:
            break
        text = said
    return text


def warm(language: str) -> None:
    """Load what `spoken` needs for *language*, so that the first sentence of a call need not wait for it."""
    for sample in _SAMPLES:
        spoken(sample, language)


def _said(text: str, rules: tuple[Rule, ...]) -> str:
    digits = _DIGIT.search(text) is not None
    for rule in rules:
        if digits or not rule.digits:
            text = rule.apply(text)
    return text


@lru_cache(maxsize=64)
def _rules(language: str) -> tuple[Rule, ...]:
    """The rules of *language*, in the order in which they are tried; none for an unknown one."""
    primary, _, region = language.replace("_", "-").partition("-")
    if primary.lower() == "en":
        return _english(region.upper() or "US")
    if primary.lower() == "fr":
        return _french(region.upper() or "FR")
    return ()


@lru_cache(maxsize=32)
def _english(region: str) -> tuple[Rule, ...]:
    lexicon = english_lexicon(region)
    return (
        *contact_rules(lexicon),
        *english_abbreviations(lexicon),
        *english_calendar(lexicon, region),
        *english_times(lexicon),
        *announced_rules(lexicon),
        *phone_rules(lexicon, region),
        *money_rules(lexicon),
        *unit_rules(lexicon),
        *english_numbers(lexicon),
        *mixed_rules(lexicon),
        *number_rules(lexicon),
        *leftover_rules(lexicon),
    )


@lru_cache(maxsize=32)
def _french(region: str) -> tuple[Rule, ...]:
    lexicon = french_lexicon()
    return (
        *contact_rules(lexicon),
        *french_abbreviations(lexicon),
        *french_calendar(lexicon),
        *french_times(lexicon),
        *announced_rules(lexicon),
        *phone_rules(lexicon, region),
        *money_rules(lexicon),
        *unit_rules(lexicon),
        *french_numbers(lexicon),
        *mixed_rules(lexicon),
        *number_rules(lexicon),
        *leftover_rules(lexicon),
    )
