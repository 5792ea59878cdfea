"""The gateway's HTTP on loopback: dial out, trunks, status, drain. Requests need its token as Bearer."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol
from uuid import UUID

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from telephony.sip.settings import Trunk

LOOPBACK = "127.0.0.1"


class DialRequest(BaseModel):
    """Place a call. call_id: the orchestrator's own; to: a number or SIP URI; caller: who the callee sees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call_id: UUID
    to: Annotated[str, Field(min_length=1, max_length=256)]
    trunk: str
    caller: str = ""


class Carry(BaseModel):
    """The accounts' trunks from now on, instead of those before. They name their networks: nothing is looked up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trunks: tuple[Trunk, ...]


class GatewayStatus(BaseModel):
    """How a gateway process is. answered, refused, ended: counts since it started, by SIP status or reason."""

    name: str
    port: int
    capacity: int
    calls: int
    draining: bool
    registrations: dict[str, str]
    answered: int
    refused: dict[str, int]
    ended: dict[str, int]


class Refused(Exception):
    """A request that cannot be served. status: HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Controlled(Protocol):
    """What the control port can do to a gateway."""

    def dial(self, request: DialRequest) -> None:
        """Begin an outbound call: its leg opens at once. Raises Refused."""
        ...

    async def carry(self, wanted: Carry) -> dict[str, str]:
        """Carry those trunks; why not, by the names of those that it cannot carry."""
        ...

    def drain(self) -> None:
        """Take no more calls; those that run go on."""
        ...

    def status(self) -> GatewayStatus:
        """How it is."""
        ...


class ControlServer(uvicorn.Server):
    """Listens on loopback as soon as it is made, so that `port` is known; serve() answers."""

    def __init__(self, gateway: Controlled, token: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                _application(gateway, token),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._socket = socket.create_server((LOOPBACK, port))
        self.port = int(self._socket.getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's business, not this server's."""
        yield

    async def run_until_exit(self) -> None:
        """Serve until should_exit is set."""
        await self.serve(sockets=[self._socket])


def _application(gateway: Controlled, token: str) -> Starlette:
    async def dial(request: Request) -> Response:
        wanted = DialRequest.model_validate_json(await request.body())
        gateway.dial(wanted)
        return JSONResponse({"call_id": str(wanted.call_id)}, 202)

    async def carry(request: Request) -> Response:
        return JSONResponse(await gateway.carry(Carry.model_validate_json(await request.body())))

    async def drain(_: Request) -> Response:
        gateway.drain()
        return _status(gateway)

    async def status(_: Request) -> Response:
        return _status(gateway)

    def guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()):
                return _problem(401, "the gateway's token is wanted")
            try:
                return await endpoint(request)
            except Refused as error:
                return _problem(error.status, str(error))
            except ValidationError as error:
                return _problem(422, str(error.errors(include_url=False, include_input=False)))

        return answer

    return Starlette(
        routes=[
            Route("/calls", guarded(dial), methods=["POST"]),
            Route("/trunks", guarded(carry), methods=["PUT"]),
            Route("/drain", guarded(drain), methods=["POST"]),
            Route("/status", guarded(status), methods=["GET"]),
        ]
    )


def _status(gateway: Controlled) -> Response:
    return Response(gateway.status().model_dump_json(), media_type="application/json")


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
