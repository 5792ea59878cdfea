"""How a WebSocket is refused so that a page learns why.

A browser tells its page nothing of an answer to the handshake but that there is no socket, so a refusal accepts it and
closes it with a code of ours (RFC 6455, section 7.4.2): 4000 and the HTTP status, and the words.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from fastapi import WebSocket
from fastapi.exceptions import WebSocketRequestValidationError
from starlette.websockets import WebSocketDisconnect

from orchestrator.core.errors import ApiError

TRY_AGAIN: Final = 1013
_OURS: Final = 4000
_LONGEST_REASON: Final = 123  # bytes; RFC 6455, section 5.5


async def refuse(socket: WebSocket, error: ApiError) -> None:
    """Open *socket* and close it with what *error* says."""
    await _close(socket, _OURS + error.status, str(error))


async def refuse_for_now(socket: WebSocket) -> None:
    """The same while the database is away."""
    await _close(socket, TRY_AGAIN, "the database does not answer; try again soon")


async def refuse_bad_request(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
    """The same for an address that is none."""
    faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    await _close(socket, _OURS + 422, faults)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # it has gone meanwhile
        await socket.accept()
        await socket.close(code, reason.encode()[:_LONGEST_REASON].decode(errors="ignore"))
