"""Dates and times as English writes them."""

from __future__ import annotations

from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.calendar import clock, numeric_dates
from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.rules import DASH, END, START, Rule, any_of, rule

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MONTH_OF: Final = {
    **{month: number for number, month in enumerate(_MONTHS, 1)},
    **{month[:3]: number for number, month in enumerate(_MONTHS, 1)},
    "Sept": 9,
}
_WEEKDAYS: Final = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Tues": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_MONTH: Final = rf"(?P<month>{any_of(_MONTH_OF)})(?![^\W_])\.?"
_DAY: Final = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_LAST: Final = rf"(?:{DASH}(?P<last>[0-9]{{1,2}})(?:st|nd|rd|th)?)?"
_YEAR: Final = r"(?:,? (?P<year>(?:1[1-9]|20)[0-9]{2})(?![^\W_]|[.,:/-][0-9]))?"
_HALF: Final = r"[ap]\.m\.|[ap]m(?![^\W_])|[AP]\.M\.|[AP]M(?![^\W_])"
_NAMES: Final = any_of({*_WEEKDAYS, *_WEEKDAYS.values()})
_BEFORE_DAY: Final = rf"(?:on|by|until|till|since|from|before|after|for|{_NAMES}\.?,?) "


def english_calendar(lexicon: Lexicon, region: str) -> tuple[Rule, ...]:
    """region: "US" writes the month first, and says "May third"; the others "the third of May"."""
    numerals = lexicon.figures.numerals
    american = region == "US"

    def date(month: int, day: int, year: int | None, *, american: bool = american) -> str:
        name, ordinal = _MONTHS[month - 1], numerals.ordinal(day)
        said = f"{name} {ordinal}" if american else f"the {ordinal} of {name}"
        return f"{said}, {numerals.year(year)}" if year else said

    def month_first(match: Match[str]) -> str | None:
        if not 1 <= int(match["day"]) <= 31 or (match["last"] and not 1 <= int(match["last"]) <= 31):
            return None
        said = f"{_MONTHS[_MONTH_OF[match['month']] - 1]} {numerals.ordinal(int(match['day']))}"
        if match["last"]:
            said += f" to {numerals.ordinal(int(match['last']))}"
        return f"{said}, {numerals.year(int(match['year']))}" if match["year"] else said

    def day_first(match: Match[str]) -> str | None:
        if not 1 <= int(match["day"]) <= 31 or (match["last"] and not 1 <= int(match["last"]) <= 31):
            return None
        said = f"the {numerals.ordinal(int(match['day']))}"
        if match["last"]:
            said += f" to the {numerals.ordinal(int(match['last']))}"
        said += f" of {_MONTHS[_MONTH_OF[match['month']] - 1]}"
        return f"{said}, {numerals.year(int(match['year']))}" if match["year"] else said

    def month_year(match: Match[str]) -> str:
        return f"{_MONTHS[_MONTH_OF[match['month']] - 1]} {numerals.year(int(match[2]))}"

    def month_day(match: Match[str]) -> str | None:
        # "the third of May" follows "the" without saying it twice.
        said = day_first(match)
        return said.removeprefix("the ") if said and match.string[: match.start()].lower().endswith("the ") else said

    def weekday(match: Match[str]) -> str:
        return _WEEKDAYS[match[1]]

    return (
        rule(
            rf"(?<![^\W_])({any_of(_WEEKDAYS)})(?![^\W_])\.?"
            rf"(?=,? [0-9]|,? {any_of(_MONTH_OF)}(?![^\W_])|{DASH}{_NAMES}\b|:)",
            weekday,
            digits=False,
        ),
        rule(rf"(?<![^\W_])(?<=day[-–])({any_of(_WEEKDAYS)})(?![^\W_])\.?", weekday, digits=False),
        rule(rf"(?<![^\W_])(?<=day [-–] )({any_of(_WEEKDAYS)})(?![^\W_])\.?", weekday, digits=False),
        rule(
            rf"(?<![^\W_])((?:{_NAMES}))\s?[-–]\s?((?:{_NAMES}))(?![^\W_])",
            lambda match: f"{match[1]} to {match[2]}",
            digits=False,
        ),
        *numeric_dates(date, _BEFORE_DAY, "at", day_first=not american),
        rule(rf"(?<![^\W_]){_MONTH} {_DAY}{_LAST}{_YEAR}{END}", month_first),
        rule(rf"{START}{_DAY}{_LAST}(?: of)? {_MONTH}{_YEAR}", month_day),
        rule(rf"(?<![^\W_]){_MONTH},? ((?:1[1-9]|20)[0-9]{{2}}){END}", month_year),
    )


def english_times(lexicon: Lexicon) -> tuple[Rule, ...]:
    """ "2:30 pm", "14:30", "9-5pm", "9am-5pm", "2h30". Hours after twelve become p.m., as they are said."""
    figures, numerals = lexicon.figures, lexicon.figures.numerals

    def said(hour: str, minute: str | None, half: str | None, *, second: str | None = None) -> str | None:
        h, m = int(hour), int(minute or 0)
        if not clock(h, m, twelve=half is not None):
            return None
        mark = half[0].lower() if half else ""
        if not mark and not 1 <= h <= 12:
            h, mark = (h - 12, "p") if h > 12 else (12, "a")
        words = numerals.cardinal(h)
        if m:
            words += f" oh {numerals.cardinal(m)}" if m < 10 else f" {numerals.cardinal(m)}"
        if second and int(second):
            words += f" and {figures.words(str(int(second)))} seconds"
        return f"{words} {mark}.m." if mark else words

    def closed(words: str, match: Match[str]) -> str:
        # The last full stop of "p.m." ends the sentence too.
        following = match.string[match.end() : match.end() + 1]
        return words[:-1] if words.endswith(".m.") and following == "." else words

    def one(match: Match[str]) -> str | None:
        hour, minute, second, half = match.group("h1", "m1", "s1", "x1")
        words = said(hour, minute, half, second=second)
        if words is None:
            return None
        if not words.endswith(".m.") and minute and not int(minute) and not second:
            words += " o'clock"
        return closed(words, match)

    def between(match: Match[str]) -> str | None:
        low = said(match["h1"], match["m1"], match["x1"])
        high = said(match["h2"], match["m2"], match["x2"])
        return closed(f"{low} {lexicon.through(match)} {high}", match) if low and high else None

    def duration(match: Match[str]) -> str:
        hours = figures.counted(match[1], lexicon.units["h"])
        return f"{hours} {figures.counted(str(int(match[2])), lexicon.units['min'])}"

    def time(index: int, *, minutes: str = "?", half: str = "?") -> str:
        return rf"(?P<h{index}>[0-9]{{1,2}})(?::(?P<m{index}>[0-9]{{2}})){minutes}(?:\s?(?P<x{index}>{_HALF})){half}"

    certain = {1: (rf"{time(1, minutes='')}", rf"{time(1, half='')}"), 2: (rf"{time(2, minutes='')}", time(2, half=""))}
    seconds = r"(?P<h1>[0-9]{1,2}):(?P<m1>[0-9]{2})(?::(?P<s1>[0-9]{2}))?(?:\s?(?P<x1>" + _HALF + "))?"
    hour = r"(?P<h1>[0-9]{1,2})(?P<m1>(?!))?(?P<s1>(?!))?\s?(?P<x1>" + _HALF + ")"
    ranges = tuple(
        rule(rf"{START}{low}{DASH}{high}{END}", between)
        for low, high in [*((time(1), high) for high in certain[2]), *((low, time(2)) for low in certain[1])]
    )
    return (
        *ranges,
        rule(rf"{START}{seconds}{END}", one),
        rule(rf"{START}{hour}{END}", one),
        rule(rf"{START}([0-9]{{1,2}})\s?h\s?([0-5][0-9])(?:\s?min)?{END}", duration),
    )
