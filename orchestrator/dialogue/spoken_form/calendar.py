"""What dates and times have in common in every language."""

from __future__ import annotations

from collections.abc import Callable
from re import Match

from orchestrator.dialogue.spoken_form.rules import END, START, Rule, rule


def day_month(first: str, second: str, *, day_first: bool) -> tuple[int, int] | None:
    """The day and the month of "12/05"; the other way round where only that is a date, None where neither is."""
    day, month = (int(first), int(second)) if day_first else (int(second), int(first))
    if month > 12 >= day:
        day, month = month, day
    return (day, month) if 1 <= day <= 31 and 1 <= month <= 12 else None


def full_year(written: str) -> int:
    """Two digits mean this century up to 68, as in POSIX's strptime."""
    year = int(written)
    if len(written) == 4:
        return year
    return 2000 + year if year < 69 else 1900 + year


def clock(hour: int, minute: int, *, twelve: bool) -> bool:
    """Whether there is such a time of day. twelve: on a dial of twelve hours."""
    return (1 <= hour <= 12 if twelve else hour <= 23) and minute <= 59


def numeric_dates(
    date: Callable[[int, int, int | None], str], before_day: str, at: str, *, day_first: bool, ignore_case: bool = False
) -> tuple[Rule, ...]:
    """Dates in figures alone: "2026-05-12", "12/05/2026" and, behind *before_day*, "12/05".

    date: the words of a month, a day and a year; at: what stands between a date and its time.
    """

    def iso(match: Match[str]) -> str | None:
        year, month, day = map(int, match.group(1, 2, 3))
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return None
        return date(month, day, year) + (f" {at} " if match[4] else "")

    def slashed(match: Match[str]) -> str | None:
        found = day_month(match["first"], match["second"], day_first=day_first)
        return date(found[1], found[0], full_year(match["year"])) if found else None

    def yearless(match: Match[str]) -> str | None:
        found = day_month(match["first"], match["second"], day_first=day_first)
        return match["cue"] + date(found[1], found[0], None) if found else None

    return (
        rule(rf"{START}([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})(?:(T)(?=[0-9])|{END})", iso),
        rule(
            rf"{START}(?P<first>[0-9]{{1,2}})(?P<mark>[/.-])(?P<second>[0-9]{{1,2}})(?P=mark)"
            rf"(?P<year>(?:1[89]|20)?[0-9]{{2}})(?![^\W_]|[/-]|[.,][0-9])",
            slashed,
        ),
        rule(
            rf"(?<![^\W_])(?P<cue>{before_day})(?P<first>[0-9]{{1,2}})/(?P<second>[0-9]{{1,2}})(?![^\W_]|/|[.,][0-9])",
            yearless,
            ignore_case=ignore_case,
        ),
    )
