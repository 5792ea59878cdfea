"""The caller's end of an engine in another process of this machine."""

from __future__ import annotations

import asyncio
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from inference.failures import rebuilt
from inference.local.wire import receive, send
from orchestrator.core.errors import EngineUnavailable

PING = "ping"
"""The operation that the process answers itself: with True, or with the error of an engine that can serve no more."""


class SocketChannel:
    """A Channel to the engine called *name* behind *socket*. Each request has a connection of its own.

    Closing the connection abandons the request, a process that dies closes them all, and a reader that is slow holds
    up only its own sender: what a protocol with request ids would have to be taught, the kernel does.
    """

    def __init__(self, name: str, socket: Path) -> None:
        self._name = name
        self._socket = socket

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        """See Channel."""
        async with self._request(operation, arguments) as reader:
            kind, value = await receive(reader)
            if kind == "error":
                raise rebuilt(value)
            return value

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        """See Channel."""
        async with self._request(operation, arguments) as reader:
            while True:
                kind, value = await receive(reader)
                if kind == "error":
                    raise rebuilt(value)
                if kind == "end":
                    return
                yield value

    @asynccontextmanager
    async def _request(self, operation: str, arguments: Mapping[str, object]) -> AsyncIterator[StreamReader]:
        try:
            async with _connected(self._socket) as (reader, writer):
                await send(writer, (self._name, operation, dict(arguments)))
                yield reader
        except (OSError, IncompleteReadError) as error:
            raise EngineUnavailable(self._name, "its process is gone; it is being restarted") from error


@asynccontextmanager
async def _connected(socket: Path) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        yield reader, writer
    finally:
        writer.close()
