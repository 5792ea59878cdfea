"""What dates and times have in common in every language."""

from __future__ import annotations


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
