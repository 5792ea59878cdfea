"""Dates and times as French writes them."""

from __future__ import annotations

from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.calendar import clock, numeric_dates
from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.rules import DASH, END, START, Rule, any_of, rule

_MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_SHORT: Final = {
    "janv": 1,
    "jan": 1,
    "févr": 2,
    "fév": 2,
    "avr": 4,
    "juil": 7,
    "sept": 9,
    "oct": 10,
    "nov": 11,
    "déc": 12,
}
_MONTH_OF: Final = {**{month: number for number, month in enumerate(_MONTHS, 1)}, **_SHORT}
_WEEKDAYS: Final = {
    "lun": "lundi",
    "mar": "mardi",
    "mer": "mercredi",
    "jeu": "jeudi",
    "ven": "vendredi",
    "sam": "samedi",
    "dim": "dimanche",
}
_NAMES: Final = any_of({*_WEEKDAYS, *_WEEKDAYS.values()})
_DAY: Final = r"(?P<day>[0-9]{1,2})(?:er)?"
_LAST: Final = rf"(?:{DASH}(?P<last>[0-9]{{1,2}}))?"
_MONTH: Final = rf"(?P<month>{any_of(_MONTH_OF)})(?![^\W_])"
_YEAR: Final = r"(?:\.? (?P<year>(?:1[0-9]|20)[0-9]{2})(?![^\W_]|[.,:/-][0-9]))?"
_BEFORE_DAY: Final = rf"(?:le|du|au|dès|depuis|avant|après|jusqu['’]au|et le|{_NAMES}\.?) "


def french_calendar(lexicon: Lexicon) -> tuple[Rule, ...]:
    """ "3 mai 2026", "1er mai", "12/05/2026", "2026-05-12", "lun.-ven."."""
    numerals = lexicon.figures.numerals

    def day_words(day: int) -> str:
        return numerals.ordinal(1) if day == 1 else numerals.cardinal(day)

    def date(month: int, day: int, year: int | None) -> str:
        said = f"{day_words(day)} {_MONTHS[month - 1]}"
        return f"{said} {numerals.year(year)}" if year else said

    def written(match: Match[str]) -> str | None:
        day, last = int(match["day"]), int(match["last"] or match["day"])
        if not (1 <= day <= 31 and 1 <= last <= 31):
            return None
        month = _MONTH_OF[match["month"].lower()]
        said = date(month, last, int(match["year"]) if match["year"] else None)
        return f"{day_words(day)} {lexicon.to} {said}" if match["last"] else said

    def weekday(match: Match[str]) -> str:
        name = match[1]
        full = _WEEKDAYS[name.lower()]
        return full.capitalize() if name[0].isupper() else full

    def weekdays(match: Match[str]) -> str:
        first, last = (_WEEKDAYS.get(name.lower(), name) for name in match.group(1, 2))
        return f"{first} {lexicon.to} {last}"

    names = any_of(_WEEKDAYS)
    return (
        rule(rf"(?<![^\W_])({_NAMES})\.?\s?[-–]\s?({_NAMES})(?![^\W_])\.?", weekdays, digits=False, ignore_case=True),
        rule(
            rf"(?<![^\W_])({names})(?![^\W_])(?:\.(?= [0-9])|(?= [0-9]{{1,2}} {_MONTH}))\.?", weekday, ignore_case=True
        ),
        *numeric_dates(date, _BEFORE_DAY, "à", day_first=True, ignore_case=True),
        rule(rf"{START}{_DAY}{_LAST} {_MONTH}(?:\.(?= [0-9a-zà-ÿ]))?{_YEAR}", written, ignore_case=True),
    )


def french_times(lexicon: Lexicon) -> tuple[Rule, ...]:
    """ "14h30", "14 h 30", "14:30", "9h-12h", "2h30"."""
    figures = lexicon.figures

    def said(hour: str, minute: str | None, second: str | None = None) -> str:
        # "36h" and "2h30" are durations, read in the same way.
        words = figures.counted(str(int(hour)), lexicon.units["h"])
        if minute and int(minute):
            words += f" {figures.words(str(int(minute)), feminine=True)}"
        if second and int(second):
            words += f" et {figures.counted(str(int(second)), lexicon.units['s'])}"
        return words

    def one(match: Match[str]) -> str:
        return said(match["h1"], match["m1"])

    def between(match: Match[str]) -> str:
        return f"{said(match['h1'], match['m1'])} {lexicon.through(match)} {said(match['h2'], match['m2'])}"

    def colon(match: Match[str]) -> str | None:
        if not clock(int(match["h1"]), int(match["m1"]), twelve=False):
            return None
        return said(match["h1"], match["m1"], match["s1"])

    hours = (
        r"(?P<h{0}>[0-9]{{1,2}})\s?[hH](?:\s?(?P<m{0}>[0-5][0-9])(?:\s?(?:min|mn))?(?![^\W_]))?(?![^\W_]|\s?/\s?[0-9])"
    )
    clocks = r"(?P<h{0}>[0-9]{{1,2}}):(?P<m{0}>[0-5][0-9])"
    return (
        rule(rf"{START}{hours.format(1)}{DASH}{hours.format(2)}{END}", between),
        rule(rf"{START}(?P<h1>[0-9]{{1,2}})(?P<m1>(?!))?{DASH}{hours.format(2)}{END}", between),
        rule(rf"{START}{clocks.format(1)}{DASH}{clocks.format(2)}{END}", between),
        rule(rf"{START}{hours.format(1)}{END}", one),
        rule(rf"{START}{clocks.format(1)}(?::(?P<s1>[0-5][0-9]))?{END}", colon),
    )
