"""What English abbreviates, and the numbers that it reads in a way of its own."""

from __future__ import annotations

import re
from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.numerals import LONGEST_NUMBER
from orchestrator.dialogue.spoken_form.rules import START, Rule, any_of, rule

_TITLES: Final = {
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Miz",
    "Dr": "Doctor",
    "Prof": "Professor",
    "St": "Saint",
    "Rev": "Reverend",
    "Hon": "Honorable",
    "Capt": "Captain",
    "Sgt": "Sergeant",
    "Lt": "Lieutenant",
    "Mt": "Mount",
    "Ft": "Fort",
}
_STREETS: Final = {
    "St": "Street",
    "Ave": "Avenue",
    "Av": "Avenue",
    "Rd": "Road",
    "Blvd": "Boulevard",
    "Dr": "Drive",
    "Ln": "Lane",
    "Ct": "Court",
    "Pl": "Place",
    "Sq": "Square",
    "Hwy": "Highway",
    "Pkwy": "Parkway",
    "Ter": "Terrace",
}
_ALWAYS: Final = {
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Rd": "Road",
    "Hwy": "Highway",
    "Pkwy": "Parkway",
    "Apt": "Apartment",
    "Jr": "Junior",
    "Sr": "Senior",
    "Inc": "Incorporated",
    "Ltd": "Limited",
    "Corp": "Corporation",
    "Dept": "Department",
    "etc": "et cetera",
    "vs": "versus",
    "approx": "approximately",
    "appt": "appointment",
    "dept": "department",
    "tel": "telephone",
    "Tel": "Telephone",
    "ext": "extension",
    "Ext": "Extension",
    "apt": "apartment",
}
_NUMBERED: Final = {"Ste": "Suite", "No": "Number", "no": "number", "Nos": "Numbers", "p": "page", "pp": "pages"}
_HOUSE: Final = r"(?<![^\W_])(?P<house>[0-9]+(?:[A-Za-z]|st|nd|rd|th)?(?: (?:[NSEW]\.?|[A-Z0-9][\w'’]*)){1,3}) "
# In front of a name they end no sentence.
_LEADING: Final = ("Apt", "apt", "Dept", "dept", "tel", "Tel", "ext", "Ext", "vs", "approx")
_FULL_STOP: Final = re.compile(r"\s*$|\s+[A-Z\"']")


def english_abbreviations(lexicon: Lexicon) -> tuple[Rule, ...]:
    """Titles, streets, "No. 5", "e.g."; houses and rooms by pairs of digits."""
    numerals = lexicon.figures.numerals

    def street(match: Match[str]) -> str:
        return f"{match['house']} {_STREETS[match['street']]}" + _kept_stop(match)

    def house(match: Match[str]) -> str:
        return numerals.pair(match[1])

    def height(match: Match[str]) -> str:
        return f"{numerals.cardinal(int(match[1]))} foot {numerals.cardinal(int(match[2]))}"

    def room(match: Match[str]) -> str:
        return match[1] + numerals.pair(match[2])

    kinds = "Street|Avenue|Road|Boulevard|Drive|Lane|Court|Place|Square|Highway|Parkway|Terrace|Way|Circle"
    return (
        rule(rf"{_HOUSE}(?P<street>{any_of(_STREETS)})(?:\.|(?![\w.]))", street),
        rule(
            rf"(?<![^\W_])({any_of(_TITLES)})(?:\.[^\S\n]*|\s+)(?=[A-ZÀ-Þ])",
            lambda match: f"{_TITLES[match[1]]} ",
            digits=False,
        ),
        rule(
            r"(?<=[A-Za-z] )(St|Dr|Ln|Ct|Pl|Sq|Ter)\.(?![^\W_])",
            lambda match: _STREETS[match[1]] + _kept_stop(match),
            digits=False,
        ),
        rule(
            rf"(?<![^\W_])({any_of(_ALWAYS)})\.(?![^\W_])",
            lambda match: _ALWAYS[match[1]] + _kept_stop(match, leading=match[1] in _LEADING),
            digits=False,
        ),
        rule(r"(?<![^\W_])(Mr|Mrs|Ms)\.(?![^\W_])", lambda match: _TITLES[match[1]] + _kept_stop(match), digits=False),
        rule(r"(?<![^\W_])e\.g\.", lambda _: "for example", digits=False),
        rule(r"(?<![^\W_])i\.e\.", lambda _: "that is", digits=False),
        rule(r"(?<![^\W_])([eE]xt)\.? (?=[0-9])", lambda match: f"{_ALWAYS[match[1]]} "),
        rule(r"(?<![^\W_])([1-9])['’′]\s?([0-9]{1,2})(?:\"|″|”|'')", height),
        rule(r"(?<![^\W_])w/o(?![^\W_])", lambda _: "without", digits=False),
        rule(rf"(?<![^\W_])({any_of(_NUMBERED)})\.\s?(?=[0-9])", lambda match: f"{_NUMBERED[match[1]]} "),
        rule(rf"{START}([1-9][0-9]{{2,3}})(?= (?:[NSEW]\.? )?(?:[A-Z0-9][\w'’]* ){{1,3}}(?:{kinds})\b)", house),
        rule(
            r"(?<![^\W_])((?i:room|suite|apartment|unit|gate|office) (?:number )?#?)([1-9][0-9]{2,3})"
            r"(?![0-9]|[.,:/-][0-9])",
            room,
        ),
    )


def english_numbers(lexicon: Lexicon) -> tuple[Rule, ...]:
    """Ordinals, decades, years, and long rows of digits, which are read one by one."""
    figures, numerals = lexicon.figures, lexicon.figures.numerals

    def ordinal(match: Match[str]) -> str | None:
        digits = match[1].replace(",", "")
        return numerals.ordinal(int(digits)) if len(digits) <= LONGEST_NUMBER else None

    def decade(match: Match[str]) -> str:
        said = numerals.year(int(match[1])) if len(match[1]) == 4 else numerals.cardinal(int(match[1]))
        return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"

    def years(match: Match[str]) -> str:
        return f"{numerals.year(int(match[1]))} {lexicon.to} {numerals.year(int(match[2]))}"

    def row(match: Match[str]) -> str | None:
        digits = match[0]
        # A round number counts: 15000 people.
        return None if digits.endswith("00") and digits[0] != "0" else numerals.digits(digits)

    year = r"(?:1[1-9]|20)[0-9]{2}"
    whole = r"(?![^\W_]|[.,:/][0-9])"
    return (
        rule(rf"{START}([0-9][0-9,]*)(?:st|nd|rd|th)(?![^\W_])", ordinal, ignore_case=True),
        rule(rf"{START}['’]?((?:1[1-9]|20)[0-9]0|[2-9]0)['’]?s(?![^\W_])", decade),
        rule(
            rf"{START}[0-9]{{3,4}}(?:[ -][0-9]{{3,4}}){{2,}}{whole}",
            lambda match: ", ".join(map(numerals.digits, re.findall("[0-9]+", match[0]))),
        ),
        rule(rf"{START}({year})\s?[-–—]\s?({year}){whole}", years),
        rule(rf"(?<![-−]){START}{year}{whole}", lambda match: numerals.year(int(match[0]))),
        rule(rf"{START}[0-9]{{5,}}{whole}", row),
        rule(rf"{START}({figures.number})\+(?= [a-z])", lambda match: f"{figures.words(match[1])} plus"),
    )


def _kept_stop(match: Match[str], *, leading: bool = False) -> str:
    """The full stop that an abbreviation shares with the end of its sentence. leading: a capital may follow inside."""
    if not match[0].endswith("."):
        return ""
    rest = match.string[match.end() :]
    return "." if not rest.strip() or (not leading and _FULL_STOP.match(rest)) else ""
