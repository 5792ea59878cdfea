"""What holds for every HTTP request on any route: how long it may be, how soon it must come, what browsers are told.

Plain ASGI, and HTTP alone: the audio of calls passes it untouched.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID: Final = "X-Request-ID"
_GOOD_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Calls from the browser need the microphone, on our own pages alone.
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def answer_headers(scope: Scope) -> dict[str, str]:
    """What the answer to the request in *scope* will say besides: for whoever learns it before there is an answer."""
    headers: dict[str, str] = scope.setdefault("state", {}).setdefault("answer_headers", {})
    return headers


@dataclass(frozen=True, slots=True)
class Edge:
    """longest_body: bytes of a request; longer: the same for paths that take files; patience: seconds in which a body
    must come, from when it is wanted on: as the longest one does over a line of 1 Mbit/s.
    """

    app: ASGIApp
    longest_body: int = 2**20
    longer: Mapping[str, int] = field(default_factory=lambda: {"/api/v1/calls/simulate/upload": 2**25})
    patience: float = 300.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        longest = self.longer.get(scope["path"], self.longest_body)
        shown = Headers(scope=scope)
        request = shown.get(REQUEST_ID, "")
        request = request if _GOOD_ID.fullmatch(request) else uuid4().hex
        length = shown.get("content-length", "0")
        announced = int(length) if length.isdigit() else 0
        taken, whole = 0, False
        until: float | None = None
        learnt = answer_headers(scope)

        async def take() -> Message:
            nonlocal taken, whole, until
            if announced > longest:
                raise _too_long(longest)
            if whole:  # what comes then is that the client has gone, however late
                return await receive()
            until = asyncio.get_running_loop().time() + self.patience if until is None else until
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                why = f"the body had not come after {self.patience:g} s"
                raise HTTPException(408, why, {"Connection": "close"}) from error
            taken += len(message.get("body", b""))
            if taken > longest:
                raise _too_long(longest)
            whole = not message.get("more_body", False)
            return message

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request
                for name, value in (_HEADERS | learnt).items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request):
            await self.app(scope, take, tell)


def _too_long(longest: int) -> HTTPException:
    return HTTPException(413, f"the body is longer than {longest} bytes")
