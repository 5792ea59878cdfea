"""What every source of model files offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from inference.sources.location import Member


class FetchError(Exception):
    """A source could not give a file. The message says why, for a person."""


Report: TypeAlias = Callable[[int, int | None], None]
"""Told how a transfer goes on: bytes that are here, and bytes in all (None while unknown)."""


class Fetcher(Protocol):
    """Brings single files from one kind of source. Blocks."""

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        """Write *member* to *into*; the sha256 that the source vouches for, if it does.

        A file already at *into* is the beginning of an earlier try: it is continued where the source allows, else
        overwritten. Raises FetchError.
        """
        ...
