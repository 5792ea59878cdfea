"""A small orchestrator for the gateway to talk to: real WebSockets, SocketLeg at this end, a behaviour per test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import Hangup, LegError
from orchestrator.core.ports import Dtmf
from telephony.leg.answering import accept, receive_invite, reject
from telephony.leg.messages import Invite
from telephony.leg.socket import SocketLeg

TOKEN = "not-so-secret"
ACCOUNT = UUID(int=1)
KEY = bytes(range(32))


class WebSocketTransport:
    """A leg transport over a connection of the websockets library."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def send_text(self, text: str) -> None:
        await self._send(text)

    async def send_bytes(self, data: bytes) -> None:
        await self._send(data)

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise Hangup("the gateway closed the socket") from error

    async def _send(self, data: str | bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise Hangup("the gateway closed the socket") from error


@dataclass
class Seen:
    """One call as the orchestrator saw it."""

    invite: Invite
    leg: SocketLeg | None = None
    heard: list[AudioFrame] = field(default_factory=list)
    keys: list[Dtmf] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    failure: LegError | None = None
    connection: ServerConnection | None = None
    recorded_from: float | None = None


Behaviour = Callable[[SocketLeg, Seen], Awaitable[None]]


async def listen(leg: SocketLeg, seen: Seen) -> None:
    """Hear the caller out."""
    async for one in leg.incoming():
        seen.heard.append(one) if isinstance(one, AudioFrame) else seen.keys.append(one)


async def echo(leg: SocketLeg, seen: Seen) -> None:
    """Say back whatever the caller says."""
    async for one in leg.incoming():
        if isinstance(one, AudioFrame):
            seen.heard.append(one)
            await leg.play(one)
        else:
            seen.keys.append(one)


@dataclass
class Orchestrator:
    """Answers the numbers that it knows. calls: in order of their invites."""

    port: int = 0
    behaviour: Behaviour = echo
    record: bool = True
    numbers: dict[str, Behaviour] = field(default_factory=dict)
    calls: list[Seen] = field(default_factory=list)
    refused_tokens: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/legs/sip"

    async def call(self, index: int = 0) -> Seen:
        """The call of that index, once it is there and, if ever, answered."""
        while len(self.calls) <= index:
            self._news.clear()
            await self._news.wait()
        return self.calls[index]

    async def call_from(self, caller: str) -> Seen:
        """The call of that caller, once it is there and, if ever, answered."""
        while not (found := [seen for seen in self.calls if seen.invite.caller == caller]):
            self._news.clear()
            await self._news.wait()
        return found[0]

    async def _carry(self, connection: ServerConnection) -> None:
        if connection.request is None or connection.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.refused_tokens += 1
            return
        transport = WebSocketTransport(connection)
        seen = Seen(await receive_invite(transport), connection=connection)
        try:
            if "nobody" in seen.invite.callee:
                await reject(transport, 404, "Not Found")
                self._show(seen)
                return
            if seen.invite.callee == "later":
                await reject(transport, 503, "Engines Failing", 8)
                self._show(seen)
                return
            if seen.invite.callee == "undecided":
                self._show(seen)
                await connection.wait_closed()
                return
            async with SocketLeg(transport, await accept(transport), records=True) as leg:
                seen.leg = leg
                if self.record:
                    seen.recorded_from = await leg.record(ACCOUNT, KEY)
                self._show(seen)
                await self.numbers.get(seen.invite.callee, self.behaviour)(leg, seen)
        except LegError as error:
            seen.failure = error
            if seen not in self.calls:
                self._show(seen)
        finally:
            seen.over.set()

    def _show(self, seen: Seen) -> None:
        self.calls.append(seen)
        self._news.set()


@asynccontextmanager
async def running_orchestrator(behaviour: Behaviour = echo) -> AsyncIterator[Orchestrator]:
    """An orchestrator on a free loopback port."""
    orchestrator = Orchestrator(behaviour=behaviour)
    async with serve(orchestrator._carry, "127.0.0.1", 0, compression=None) as server:
        orchestrator.port = next(iter(server.sockets)).getsockname()[1]
        yield orchestrator
