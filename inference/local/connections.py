"""Connections to a process of engines, kept for the next request: opening one takes as long as the request itself."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

# More than that are under way at once only for moments.
_KEPT = 32


@dataclass(slots=True)
class Connection:
    """One to the process. answered: whether its request has had the whole answer, so that it may carry another."""

    reader: StreamReader
    writer: StreamWriter
    answered: bool = False


class Connections:
    """Those to the process behind *socket*; at most *kept* of them are open without a request."""

    def __init__(self, socket: Path, kept: int = _KEPT) -> None:
        self._socket = socket
        self._kept = kept
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One for one request; closed at the end of the block unless that was answered. Raises OSError."""
        # After close() there is another list, and what belongs to this one is of no use any more.
        idle = self._idle
        connection = self._waiting() or Connection(*await asyncio.open_unix_connection(str(self._socket)))
        connection.answered = False
        try:
            yield connection
        finally:
            if connection.answered and idle is self._idle and len(idle) < self._kept:
                idle.append(connection)
            else:
                connection.writer.close()

    def close(self) -> None:
        """Close those without a request, and the others after theirs: the process has gone, or is to go."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.writer.close()

    def _waiting(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.writer.close()
        return None
