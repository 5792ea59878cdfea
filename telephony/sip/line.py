"""A call as it crosses between PJSIP's thread and asyncio: values only, no object of PJSIP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import UUID

from telephony.leg.messages import RtpStats
from telephony.sip.playout import CallAudio, Tick

By: TypeAlias = Literal["caller", "agent", "gateway"]


@dataclass(frozen=True, slots=True)
class Connected:
    """The call is answered and media runs; the first tick follows."""

    codec: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """The caller pressed a key at sample *at*."""

    digit: str
    at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over; nothing follows. answered: whether media ever ran; status, phrase: the last SIP response."""

    by: By
    reason: str
    answered: bool = False
    status: int = 0
    phrase: str = ""
    stats: RtpStats = field(default_factory=RtpStats)


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    """The disk refused the recording; the call goes on."""

    reason: str


LineEvent: TypeAlias = Connected | Pressed | RecordingStopped | Ended


RETRY_AFTER = 5  # seconds; a call lasts longer, but another gateway of a pool may be free at once


@dataclass(frozen=True, slots=True)
class Refusal:
    """The SIP response to a call that is not taken. retry_after: seconds, when another try makes sense."""

    status: int
    phrase: str
    retry_after: int | None = None


FORBIDDEN = Refusal(403, "Forbidden")
FULL = Refusal(486, "Busy Here", RETRY_AFTER)
UNAVAILABLE = Refusal(503, "Service Unavailable", RETRY_AFTER)


@dataclass(frozen=True, slots=True)
class Party:
    """Who calls whom. caller, callee: user parts of URIs; trunk: its name."""

    call_id: UUID
    direction: Literal["inbound", "outbound"]
    caller: str
    callee: str
    trunk: str


@dataclass(frozen=True, slots=True)
class Way:
    """A trunk by which a call may have come, and whom it is for if so. echo_guard: as the trunk has it."""

    trunk: str
    callee: str
    echo_guard: bool = False


class Wake:
    """Lets another thread wake asyncio; rung often before asyncio runs, it wakes once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._rung = False

    def ring(self) -> None:
        """From any thread."""
        if not self._rung:
            self._rung = True
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        """Until rung. What was put down before the ring is visible after the wait."""
        await self._event.wait()
        self._event.clear()
        self._rung = False


class Line:
    """asyncio's hold on one call. `audio` is shared with the media thread; `tell` and `ticked` are for PJSIP's side.

    ways: how it may have come; the orchestrator says which one it is. The first is that of `party`.
    """

    def __init__(self, party: Party, audio: CallAudio, loop: asyncio.AbstractEventLoop) -> None:
        self.party = party
        self.ways: tuple[Way, ...] = (Way(party.trunk, party.callee),)
        self.audio = audio
        self._loop = loop
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._wake = Wake(loop)

    def tell(self, event: LineEvent) -> None:
        """From any thread: *event* happened."""
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    @property
    def ticked(self) -> Callable[[], None]:
        """From the media thread: a tick is in `audio`."""
        return self._wake.ring

    async def event(self) -> LineEvent:
        """The next thing that happens to the call."""
        return await self._events.get()

    async def tick(self) -> Tick:
        """The next tick. Cancelling it loses none."""
        while not self.audio.ticks:
            await self._wake.wait()
        return self.audio.ticks.popleft()
