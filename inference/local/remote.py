"""The caller's end of an engine in another process of this machine."""

from __future__ import annotations

from asyncio import IncompleteReadError
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from inference.failures import rebuilt
from inference.local.connections import Connection, Connections
from inference.local.wire import receive, send
from orchestrator.core.errors import EngineUnavailable

PING = "ping"
"""The operation that the process answers itself: with True, or with the error of an engine that can serve no more."""


class SocketChannel:
    """A Channel to the engine called *name* over *connections*. Each request has one to itself while it lasts.

    Closing it abandons the request, a process that dies closes them all, and a reader that is slow holds up only its
    own sender: what a protocol with request ids would have to be taught, the kernel does.
    """

    def __init__(self, name: str, connections: Connections) -> None:
        self._name = name
        self._connections = connections

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        """See Channel."""
        async with self._request(operation, arguments) as connection:
            kind, value = await receive(connection.reader)
            connection.answered = True
            if kind == "error":
                raise rebuilt(value)
            return value

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        """See Channel."""
        async with self._request(operation, arguments) as connection:
            while True:
                kind, value = await receive(connection.reader)
                connection.answered = kind in {"error", "end"}
                if kind == "error":
                    raise rebuilt(value)
                if kind == "end":
                    return
                yield value

    @asynccontextmanager
    async def _request(self, operation: str, arguments: Mapping[str, object]) -> AsyncIterator[Connection]:
        try:
            async with self._connections.connection() as connection:
                await send(connection.writer, (self._name, operation, dict(arguments)))
                yield connection
        except (OSError, IncompleteReadError) as error:
            raise EngineUnavailable(self._name, "its process is gone; it is being restarted") from error
