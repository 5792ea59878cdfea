"""What of a call's words may be kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Masking(StrEnum):
    """What is masked in the words that are kept of a call, from the least to the most.

    NUMBERS: of cards, accounts, identities and telephones, and any other run of digits; ALL: also e-mail addresses,
    dates of birth, names and postal addresses, as far as rules find them.
    """

    NONE = "none"
    NUMBERS = "numbers"
    ALL = "all"

    def with_at_least(self, other: Masking) -> Masking:
        """The stricter of the two."""
        order = list(Masking)
        return max(self, other, key=order.index)


@dataclass(frozen=True, slots=True)
class MaskingPolicy:
    """What an account's calls begin with. words: an agent may ask for more; recordings: whether what is masked in the
    words is silenced in the recording.
    """

    words: Masking = Masking.NONE
    recordings: bool = False


STRICTEST: Final = MaskingPolicy(Masking.ALL, recordings=True)


class Kept(StrEnum):
    """What is kept of calls, each for a time of its own.

    CALLS: all of a call, once it goes; TRANSCRIPTS: its words; RECORDINGS: its sound; EVENTS: what happened in it;
    JOBS: work that is over; AUDIT: who did what.
    """

    CALLS = "calls"
    TRANSCRIPTS = "transcripts"
    RECORDINGS = "recordings"
    EVENTS = "events"
    JOBS = "jobs"
    AUDIT = "audit"
