"""One call between its line and its leg socket: the gateway's end of the leg protocol."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Protocol

import numpy as np
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from orchestrator.core.errors import LegError
from telephony.echo import EchoGuard
from telephony.leg.frame import check_pcm, encode_caller_audio
from telephony.leg.messages import (
    Accept,
    Answered,
    Clear,
    Cleared,
    Command,
    Drained,
    Failed,
    HangUp,
    HungUp,
    Invite,
    KeyPressed,
    Playing,
    Record,
    RecordingBegan,
    Reject,
    Report,
    Transfer,
    Way,
    decode_command,
)
from telephony.recording import ContentKey, Recording, Recordings
from telephony.sip.line import UNAVAILABLE, By, Connected, Ended, Line, Pressed, RecordingStopped, Refusal
from telephony.sip.playout import SAMPLE_BYTES, Tick
from telephony.sip.settings import GatewaySettings

PING_SECONDS = 10  # a silent network between the two is found within twice that
CLOSE_SECONDS = 1

log = structlog.get_logger()


class Exchange(Protocol):
    """What a session asks of the switchboard."""

    def answer(self, line: Line) -> None:
        """Take the call."""
        ...

    def dial(self, line: Line) -> None:
        """Place the call."""
        ...

    def end(self, line: Line, by: By, reason: str, refusal: Refusal | None = None) -> None:
        """Hang up, or refuse while it rings."""
        ...


class Session:
    """Carries one call from its invite to its end. Run it once."""

    def __init__(self, line: Line, exchange: Exchange, settings: GatewaySettings, recordings: Recordings) -> None:
        self._line = line
        self._exchange = exchange
        self._settings = settings
        self._recordings = recordings
        self._recording: Recording | None = None
        self._next = 0
        self._guard: EchoGuard | None = None
        self._answered = asyncio.Event()

    async def run(self) -> Ended:
        """How the call ended, once it has, whatever happens to the socket."""
        try:
            socket = await self._open_socket()
            if socket is None:
                return await self._ended()
            async with socket:
                return await self._carry(socket)
        finally:
            if self._recording is not None:
                self._recording.close()

    async def _open_socket(self) -> ClientConnection | None:
        """A socket to the orchestrator; None when it does not answer, and the call has been refused."""
        try:
            async with asyncio.timeout(self._settings.invite_deadline):
                return await connect(
                    self._settings.orchestrator,
                    additional_headers={"Authorization": f"Bearer {self._settings.token.get_secret_value()}"},
                    compression=None,  # it would cost milliseconds a frame
                    proxy=None,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                )
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
            log.warning("orchestrator_unreachable", url=self._settings.orchestrator, error=str(error))
            self._end("gateway", "orchestrator_unreachable", UNAVAILABLE)
            return None

    async def _carry(self, socket: ClientConnection) -> Ended:
        party = self._line.party
        others = tuple(Way(trunk=way.trunk, callee=way.callee) for way in self._line.ways[1:])
        await self._send(socket, Invite(gateway=self._settings.name, others=others, **asdict(party)))
        async with asyncio.TaskGroup() as group:
            obeying = group.create_task(self._obey(socket))
            streaming = group.create_task(self._stream(socket))
            ended = await self._report_until_ended(socket)
            obeying.cancel()
            streaming.cancel()
        while self._answered.is_set() and self._line.audio.ticks:
            await self._send_tick(socket, await self._line.tick())
        await self._send(socket, _last_report(party.direction, ended))
        return ended

    async def _ended(self) -> Ended:
        while not isinstance(event := await self._line.event(), Ended):
            pass
        return event

    async def _report_until_ended(self, socket: ClientConnection) -> Ended:
        while True:
            match await self._line.event():
                case Connected(codec=codec):
                    await self._send(socket, Answered(rate=self._settings.clock_rate, codec=codec))
                    self._answered.set()
                case Pressed(digit=digit, at=at):
                    await self._send(socket, KeyPressed(digit=digit, at=at))
                case RecordingStopped(reason=reason):
                    log.warning("recording_stopped", call=str(self._line.party.call_id), reason=reason)
                    await self._send(socket, Failed(command="record", status=500, reason=reason))
                case Ended() as ended:
                    return ended

    def _record(self, key: ContentKey) -> Report:
        """Begin the recording, with what the next tick brings."""
        if self._recording is not None or not self._answered.is_set():
            return Failed(command="record", status=491, reason="Request Pending")
        self._recording = self._recordings.open(
            self._line.party.call_id,
            key,
            self._settings.clock_rate,
            lambda reason: self._line.tell(RecordingStopped(reason)),
        )
        return RecordingBegan(at=self._next)

    async def _stream(self, socket: ClientConnection) -> None:
        await self._answered.wait()
        while True:
            await self._send_tick(socket, await self._line.tick())

    async def _send_tick(self, socket: ClientConnection, tick: Tick) -> None:
        if self._recording is not None:
            self._recording.write(tick.caller, tick.agent)
        self._next = tick.now + len(tick.caller) // SAMPLE_BYTES
        if tick.began is not None:
            await self._send(socket, Playing(at=tick.now + self._coding(), index=tick.began))
        if tick.dried is not None:
            await self._send(socket, Drained(at=tick.now + tick.dried + self._coding(), index=tick.played))
        await self._send(socket, encode_caller_audio(tick.at, tick.now, tick.played, self._heard(tick)))

    def _heard(self, tick: Tick) -> bytes:
        """The caller without the agent's echo. Here, and not on the media thread, which must never wait."""
        if self._guard is None:
            return tick.caller
        near, far = np.frombuffer(tick.caller, "<i2"), np.frombuffer(tick.agent, "<i2")
        return self._guard.hear(near, far).astype("<i2", copy=False).tobytes()

    def _coding(self) -> int:
        """Samples by which what the bridge takes now leaves later."""
        return round(self._line.audio.coding * self._settings.clock_rate)

    async def _obey(self, socket: ClientConnection) -> None:
        """Carry out commands until the socket closes, which ends the call."""
        try:
            async with asyncio.timeout(self._settings.invite_deadline):
                self._decide(decode_command(_text(await socket.recv())))
            async for message in socket:
                if isinstance(message, bytes):
                    self._line.audio.queue.put(check_pcm(message))
                else:
                    await self._do(socket, decode_command(message))
            self._end("gateway", "orchestrator_lost", UNAVAILABLE)
        except ConnectionClosed:
            self._end("gateway", "orchestrator_lost", UNAVAILABLE)
        except TimeoutError:
            self._end("gateway", "orchestrator_silent", UNAVAILABLE)
        except LegError as error:
            log.warning("bad_command", call=str(self._line.party.call_id), error=str(error))
            self._end("gateway", "bad_command", UNAVAILABLE)

    def _decide(self, command: Command) -> None:
        """The orchestrator's first word: take the call or refuse it."""
        match command:
            case Accept(trunk=trunk):
                self._came_by(trunk or self._line.party.trunk)
                if self._line.party.direction == "inbound":
                    self._exchange.answer(self._line)
                else:
                    self._exchange.dial(self._line)
            case Reject(status=status, reason=reason, retry_after=retry_after):
                self._end("agent", "rejected", Refusal(status, reason, retry_after))
            case HangUp():
                self._end("agent", "hangup")
            case other:
                raise LegError(f"{other.type!r} came before the call was accepted")

    def _came_by(self, trunk: str) -> None:
        way = next((way for way in self._line.ways if way.trunk == trunk), None)
        if way is None:
            raise LegError(f"the call did not come by trunk {trunk!r}")
        self._line.party = replace(self._line.party, trunk=way.trunk, callee=way.callee)
        self._guard = EchoGuard(self._settings.clock_rate) if way.echo_guard else None

    async def _do(self, socket: ClientConnection, command: Command) -> None:
        match command:
            case Clear(id=number):
                await self._send(socket, Cleared(id=number, played=self._line.audio.queue.clear()))
            case Transfer():
                await self._send(socket, Failed(command="transfer", status=603, reason="Decline"))
            case Record(account=account, key=key):
                await self._send(socket, self._record(ContentKey(account, key)))
            case HangUp():
                self._end("agent", "hangup")
            case other:
                raise LegError(f"{other.type!r} came in the middle of a call")

    def _end(self, by: By, reason: str, refusal: Refusal | None = None) -> None:
        self._exchange.end(self._line, by, reason, refusal)

    async def _send(self, socket: ClientConnection, message: Report | bytes) -> None:
        """A socket that has closed takes nothing; _obey sees it and ends the call."""
        with suppress(ConnectionClosed):
            await socket.send(message if isinstance(message, bytes) else message.encode())


def _text(message: str | bytes) -> str:
    if isinstance(message, bytes):
        raise LegError("audio came before the call was accepted")
    return message


def _last_report(direction: str, ended: Ended) -> Report:
    """A dial that was never answered failed; every other call was hung up."""
    if direction == "outbound" and not ended.answered and ended.by != "agent":
        return Failed(command="dial", status=max(ended.status, 300), reason=ended.phrase or ended.reason)
    return HungUp(by=ended.by, reason=ended.reason, stats=ended.stats)
