"""What every source of model files offers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from inference.sources.location import Member


class FetchError(Exception):
    """A source could not give a file. The message says why, for a person."""


class Report(Protocol):
    """Told how a transfer goes on."""

    def __call__(self, done: int, total: int | None) -> None:
        """*done* of *total* bytes are here; total is None while unknown."""
        ...


class Fetcher(Protocol):
    """Brings single files from one kind of source. Blocks."""

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        """Write *member* to *into*; the sha256 that the source vouches for, if it does.

        A file already at *into* is the beginning of an earlier try: it is continued where the source allows, else
        overwritten. Raises FetchError.
        """
        ...
