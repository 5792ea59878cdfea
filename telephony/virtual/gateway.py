"""The gateway's end of the leg protocol inside this process: a caller that a program plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from orchestrator.core.audio import Pcm
from orchestrator.core.clock import Clock
from orchestrator.core.errors import Hangup
from telephony.leg.frame import CallerAudio, check_pcm
from telephony.leg.messages import (
    Answered,
    Clear,
    Cleared,
    Command,
    Drained,
    Failed,
    HangUp,
    HungUp,
    KeyPressed,
    Playing,
    Report,
    Transfer,
    decode_command,
)
from telephony.leg.socket import SocketLeg
from telephony.sip.playout import TICKS_A_SECOND, PlayoutQueue

# A machine that stood still makes up for this much at once; what is longer is a pause that nobody heard.
_CATCH_UP = 1.0


class Caller(Protocol):
    """Who plays the caller."""

    def says(self, samples: int) -> Pcm | str | None:
        """The next *samples* of speech, int16; a key that is pressed before them; None to hang up."""
        ...

    def hears(self, pcm: bytes) -> None:
        """20 ms of what the agent says, PCM16 LE, silence included."""
        ...


class VirtualGateway:
    """A telephony.leg.transport.Transport to a *caller*, in real time.

    rate: Hz; instant: the agent's words take no time, for callers who read.
    """

    def __init__(self, caller: Caller, rate: int, *, instant: bool = False, clock: Clock | None = None) -> None:
        self._caller = caller
        self._samples = rate // TICKS_A_SECOND
        self._instant = instant
        self._clock = clock or asyncio.get_running_loop().time
        self._queue = PlayoutQueue(2 * self._samples)
        self._reports: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._now = 0
        self._over = False

    async def send_text(self, text: str) -> None:
        """See Transport."""
        self._check()
        self._obey(decode_command(text))

    async def send_bytes(self, data: bytes) -> None:
        """See Transport."""
        self._check()
        self._queue.put(check_pcm(data))
        if self._instant:
            self._play_all()

    async def receive(self) -> str | bytes:
        """See Transport."""
        message = await self._reports.get()
        if message is None:
            raise Hangup("the virtual caller has left")
        return message

    async def run(self) -> None:
        """Let the caller talk and listen until one of both ends hangs up, a frame every 20 ms."""
        try:
            started = self._clock()
            tick = 0
            while not self._over:
                self._tick()
                tick += 1
                wait = started + tick / TICKS_A_SECOND - self._clock()
                if wait < -_CATCH_UP:
                    started -= wait
                await asyncio.sleep(max(0.0, wait))
        finally:
            # A caller that broke leaves nobody behind who waits for its words.
            self._end(HungUp(by="gateway", reason="failed"))

    def _tick(self) -> None:
        while isinstance(said := self._caller.says(self._samples), str):
            self._report(KeyPressed(digit=said, at=self._now))
        if said is None:
            self._end(HungUp(by="caller", reason="bye"))
            return
        output = self._queue.take()
        self._caller.hears(output.pcm)
        if output.began is not None:
            self._report(Playing(at=self._now, index=output.began))
        if output.dried is not None:
            self._report(Drained(at=self._now + output.dried, index=output.played))
        at, self._now = self._now, self._now + self._samples
        self._reports.put_nowait(CallerAudio(at, self._now, output.played, said).encode())

    def _play_all(self) -> None:
        """Everything that is queued has been heard, at this moment."""
        first = True
        while (output := self._queue.take()).dried is None:
            self._heard(output.pcm, output.began if first else None)
            first = False
        self._heard(output.pcm, output.began if first else None)
        self._report(Drained(at=self._now, index=output.played))

    def _heard(self, pcm: bytes, began: int | None) -> None:
        self._caller.hears(pcm)
        if began is not None:
            self._report(Playing(at=self._now, index=began))

    def _obey(self, command: Command) -> None:
        match command:
            case Clear(id=number):
                self._report(Cleared(id=number, played=self._queue.clear()))
            case Transfer():
                self._report(Failed(command="transfer", status=603, reason="Decline"))
            case HangUp():
                self._end(HungUp(by="agent", reason="hangup"))
            case other:
                raise Hangup(f"a virtual caller cannot do {other.type!r}")

    def _end(self, report: HungUp) -> None:
        if not self._over:
            self._over = True
            self._report(report)
            self._reports.put_nowait(None)

    def _report(self, report: Report) -> None:
        self._reports.put_nowait(report.encode())

    def _check(self) -> None:
        if self._over:
            raise Hangup("the virtual caller has left")


@asynccontextmanager
async def virtual_leg(caller: Caller, rate: int, *, instant: bool = False) -> AsyncIterator[SocketLeg]:
    """A leg to *caller*, answered; the call ends with the block."""
    gateway = VirtualGateway(caller, rate, instant=instant)
    talking = asyncio.create_task(gateway.run(), name="virtual caller")
    try:
        async with SocketLeg(gateway, Answered(rate=rate, codec="none")) as leg:
            yield leg
    finally:
        talking.cancel()
        await asyncio.wait([talking])
        if not talking.cancelled():
            talking.result()  # a caller that broke is no caller that left
