"""A leg transport in memory, with the gateway's end in the test's hands."""

from __future__ import annotations

import asyncio

import numpy as np

from orchestrator.core.errors import Hangup
from telephony.leg.frame import CallerAudio
from telephony.leg.messages import Command, Report, decode_command


class FakeTransport:
    """Both ends of a leg's socket. The test says what the gateway reports and reads what it was told."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.audio: list[bytes] = []
        self._to_orchestrator: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._told = asyncio.Event()
        self._closed = False

    async def send_text(self, text: str) -> None:
        self._check()
        self.commands.append(decode_command(text))
        self._told.set()

    async def send_bytes(self, data: bytes) -> None:
        self._check()
        self.audio.append(data)

    async def receive(self) -> str | bytes:
        message = await self._to_orchestrator.get()
        if message is None:
            raise Hangup("the socket closed")
        return message

    def report(self, report: Report) -> None:
        """The gateway says *report*."""
        self._to_orchestrator.put_nowait(report.encode())

    def garbage(self, data: str | bytes) -> None:
        """The gateway sends *data*, whatever it is."""
        self._to_orchestrator.put_nowait(data)

    def tick(self, at: int, played: int = 0, *, now: int | None = None) -> None:
        """The gateway sends 20 ms of caller's silence at 16 kHz."""
        audio = CallerAudio(at, at + 320 if now is None else now, played, np.zeros(320, dtype=np.int16))
        self._to_orchestrator.put_nowait(audio.encode())

    def close(self) -> None:
        """The socket breaks."""
        self._closed = True
        self._to_orchestrator.put_nowait(None)

    async def told(self) -> Command:
        """The next command that the gateway has not been told of yet."""
        while not self.commands:
            self._told.clear()
            await self._told.wait()
        return self.commands.pop(0)

    def _check(self) -> None:
        if self._closed:
            raise Hangup("the socket closed")
