"""What is known of whoever is on the other end of a call, by their number: of the number, not of who speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Memory(StrEnum):
    """What an agent knows of a caller when a call begins: nothing; whom its account knows by that number; what came of
    their earlier calls with this agent as well.
    """

    OFF = "off"
    CONTACT = "contact"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """ago: since its beginning; summary: what it was about."""

    ago: timedelta
    summary: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """name, language (BCP 47), notes: of the contact with that number, empty without one; earlier: the latest first."""

    name: str = field(default="", repr=False)
    language: str = ""
    notes: str = field(default="", repr=False)
    earlier: tuple[EarlierCall, ...] = ()
