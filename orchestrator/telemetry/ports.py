"""What the recorder needs: a place where records end up, and a place on disk where they can wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator.core.events import Record


class RecordStore(Protocol):
    """Where records end up."""

    async def write(self, records: Sequence[Record]) -> None:
        """Keep all of *records* or none; keeping one again changes nothing.

        Raises StoreUnavailable when a later try may succeed, RecordRefused when one of them never will.
        """
        ...


class LineSpool(Protocol):
    """Where lines wait on disk. Its methods block and are called one at a time; after OSError nothing has changed."""

    @property
    def waiting(self) -> int:
        """Lines that were appended and not taken yet."""
        ...

    def open(self) -> int:
        """Prepare it; the bytes of an unfinished line that were dropped. Raises ConfigError."""
        ...

    def append(self, lines: Sequence[str]) -> None:
        """Make *lines* survive a crash of the machine."""
        ...

    def peek(self, limit: int) -> list[str]:
        """The first lines that wait, at most *limit*."""
        ...

    def take(self, lines: Sequence[str]) -> None:
        """Remove *lines*, which were peeked at."""
        ...

    def reject(self, lines: Sequence[str]) -> None:
        """Put *lines*, which nothing will ever store, aside for a person to look at."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...
