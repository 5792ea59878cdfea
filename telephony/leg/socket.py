"""The orchestrator's end of a leg: a CallLeg over a message socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

from orchestrator.core.audio import AudioFrame
from orchestrator.core.clock import Clock, MediaClock
from orchestrator.core.errors import Hangup, LegError
from orchestrator.core.ports import Dtmf
from telephony.leg.frame import decode_caller_audio, encode_pcm
from telephony.leg.messages import (
    Answered,
    Clear,
    Cleared,
    Drained,
    Failed,
    HangUp,
    HungUp,
    KeyPressed,
    Playing,
    Record,
    RecordingBegan,
    Report,
    RtpStats,
    Transfer,
    decode_report,
)
from telephony.leg.playout import Playout
from telephony.leg.transport import Transport

AHEAD = 2.0  # seconds; enough that a busy orchestrator never starves the wire, little enough to drop on barge-in
PIECE = 0.2  # seconds of audio in one message, so that a long frame does not overrun AHEAD
REPLY_DEADLINE = 2.0
FRAMES_AT_ONCE = 5  # about 2 ms of work; a process that is behind saves time by doing several at once
UNHEARD_FRAMES = 1500  # 30 s: a consumer that far behind will never catch up with the call


@dataclass(frozen=True, slots=True)
class Ending:
    """How the leg ended. by: "caller", "agent", "gateway", or "lost" when the socket broke; stats: if it was told."""

    by: str
    reason: str
    stats: RtpStats | None = None


class SocketLeg:
    """An answered leg (orchestrator.core.ports.CallLeg). Enter it before use; leaving it hangs up.

    After clear(), `queued` equals `played`: what was dropped counts as never given. records: whether its gateway can
    record. When `recording_failure` tells why a recording stopped, it is readable up to then.
    """

    def __init__(
        self,
        transport: Transport,
        answered: Answered,
        *,
        records: bool = False,
        ahead: float = AHEAD,
        clock: Clock | None = None,
    ) -> None:
        self.rate = answered.rate
        self.records = records
        self.recording_failure: str | None = None
        self.codec = answered.codec
        self.ending: Ending | None = None
        self._transport = transport
        self._ahead = round(ahead * self.rate)
        self._playout = Playout()
        self._clock = MediaClock(clock or asyncio.get_running_loop().time)
        self._unheard: asyncio.Queue[AudioFrame | Dtmf | None] = asyncio.Queue()
        self._news = asyncio.Event()
        self._clears = 0
        self._clearing = False
        self._refusal: Failed | None = None
        self._recording: int | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read(), name="leg reader")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._reader is not None
        try:
            await self.hangup()
        finally:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    @property
    def lost(self) -> bool:
        """Whether the leg broke or its gateway gave it up, so that nobody hung up."""
        return self.ending is not None and self.ending.by in {"lost", "gateway"}

    async def incoming(self) -> AsyncIterator[AudioFrame | Dtmf]:
        """What the caller says and keys, in order. Ends when the call does; `ending` then says how."""
        behind = 0
        while (heard := await self._unheard.get()) is not None:
            yield heard
            behind = 0 if self._unheard.empty() else behind + 1
            if behind == FRAMES_AT_ONCE:
                # A queue that holds something is got from without giving way: a call that is behind would keep the
                # others, and its own answers, waiting until it has caught up.
                behind = 0
                await asyncio.sleep(0)
        self._unheard.put_nowait(None)

    async def play(self, frame: AudioFrame) -> None:
        """Queue *frame*; waits while more than `ahead` seconds are queued. Raises Hangup, LegError for a wrong rate.

        Cancelling it leaves whole pieces queued, and counted.
        """
        if frame.rate != self.rate:
            raise LegError(f"this leg plays {self.rate} Hz, not {frame.rate} Hz")
        piece = round(PIECE * self.rate)
        for start in range(0, len(frame.pcm), piece):
            pcm = frame.pcm[start : start + piece]
            await self._until(lambda: not self._clearing and self._playout.waiting <= self._ahead)
            # Counted before the send, which may be cancelled after the socket has taken the bytes.
            self._playout.sent += len(pcm)
            await self._transport.send_bytes(encode_pcm(pcm))

    async def drain(self) -> None:
        """Return when everything queued has been played. Raises Hangup."""
        await self._until(lambda: self._playout.waiting <= 0)

    async def clear(self) -> float:
        """Drop what is queued; the seconds of it all that were really played. Raises Hangup, LegError after 2 s."""
        await self._until(lambda: not self._clearing)
        self._clears += 1
        self._clearing = True
        try:
            await self._transport.send_text(Clear(id=self._clears).encode())
            await self._until(lambda: not self._clearing, REPLY_DEADLINE)
        finally:
            self._clearing = False
            self._tell()
        return self.played

    @property
    def queued(self) -> float:
        """Seconds given to play() that have been played or still will."""
        return self._playout.sent / self.rate

    @property
    def played(self) -> float:
        """Seconds of them that have gone out on the wire, as last reported."""
        return self._playout.played / self.rate

    def now(self) -> float:
        """Seconds on the media clock at this moment."""
        return self._clock.now()

    async def playing_since(self, queued: float) -> float:
        """Media-clock time at which the sample that was *queued* seconds in went out. Waits for it. Raises Hangup."""
        index = round(queued * self.rate)
        await self._until(lambda: self._playout.left_at(index) is not None)
        left = self._playout.left_at(index)
        assert left is not None
        return left / self.rate

    async def transfer(self, target: str) -> None:
        """Hand the caller to *target*. Raises LegError: gateways decline transfers so far."""
        self._refusal = None
        await self._send_text(Transfer(target=target).encode())
        await self._until(lambda: self._refusal is not None, REPLY_DEADLINE)
        assert self._refusal is not None
        raise LegError(f"transfer refused: {self._refusal.status} {self._refusal.reason}")

    async def record(self, account: UUID, key: bytes) -> float:
        """Record from now on, for *account* under *key*; the media-clock second of the first sample.

        Raises Hangup, and LegError when the gateway cannot.
        """
        if not self.records:
            raise LegError("this leg cannot be recorded")
        await self._send_text(Record(account=account, key=key).encode())
        await self._until(lambda: self._recording is not None or self.recording_failure is not None, REPLY_DEADLINE)
        if self._recording is None:
            raise LegError(f"recording refused: {self.recording_failure}")
        return self._recording / self.rate

    async def hangup(self) -> None:
        """End the call and wait, two seconds at most, for the gateway's last word; a second time does nothing."""
        if self.ending is not None:
            return
        try:
            await self._send_text(HangUp().encode())
            await self._until(lambda: False, REPLY_DEADLINE)
        except LegError:  # it is over, one way or the other
            self._end(Ending("agent", "hangup"))

    async def _send_text(self, text: str) -> None:
        if self.ending is not None:
            raise Hangup(f"the call is over: {self.ending.reason}")
        await self._transport.send_text(text)

    async def _until(self, done: Callable[[], bool], deadline: float | None = None) -> None:
        """Wait for reports until *done*. Raises Hangup when the call ends first, LegError after *deadline* seconds."""
        try:
            async with asyncio.timeout(deadline):
                while not done():
                    if self.ending is not None:
                        raise Hangup(f"the call is over: {self.ending.reason}")
                    await self._news.wait()
        except TimeoutError as error:
            raise LegError(f"the gateway did not answer within {deadline:g} s") from error

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _end(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending
            self._unheard.put_nowait(None)
            self._tell()

    async def _read(self) -> None:
        try:
            while self.ending is None:
                message = await self._transport.receive()
                if isinstance(message, bytes):
                    self._hear(message)
                else:
                    self._take(decode_report(message))
        except LegError as error:
            self._end(Ending("lost", str(error)))
        finally:
            self._end(Ending("lost", "nobody reads the leg"))

    def _hear(self, data: bytes) -> None:
        audio = decode_caller_audio(data)
        frame = AudioFrame(audio.pcm, self.rate, audio.at / self.rate)
        self._clock.observe(audio.now / self.rate)
        self._playout.reported(audio.played)
        self._offer(frame)
        self._tell()

    def _offer(self, heard: AudioFrame | Dtmf) -> None:
        if self._unheard.qsize() >= UNHEARD_FRAMES:
            self._unheard.get_nowait()
        self._unheard.put_nowait(heard)

    def _take(self, report: Report) -> None:
        match report:
            case KeyPressed(digit=digit, at=at):
                self._offer(Dtmf(digit, at / self.rate))
            case Playing(at=at, index=index):
                self._playout.began(index, at)
            case Drained(index=index):
                self._playout.reported(index)
            case Cleared(id=number, played=played) if number == self._clears:
                self._playout.cleared(played)
                self._clearing = False
            case Cleared():
                pass  # the answer to a clear that was given up
            case RecordingBegan(at=at):
                self._recording = at
            case Failed(command="transfer"):
                self._refusal = report
            case Failed(reason=reason):
                self.recording_failure = reason
            case HungUp(by=by, reason=reason, stats=stats):
                self._end(Ending(by, reason, stats))
            case unexpected:
                raise LegError(f"{unexpected.type!r} came in the middle of a call")
        self._tell()
