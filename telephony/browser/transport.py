"""A leg's transport whose other end is a page: whatever it sends, it cannot take more than a caller's share."""

from __future__ import annotations

from orchestrator.core.clock import Clock
from orchestrator.core.errors import LegError
from telephony.leg.frame import decode_caller_audio
from telephony.leg.messages import Answered, decode_report
from telephony.leg.transport import Transport

RATE = 16000
# Seconds of audio by which a page may be ahead of time: what a stalled tab sends at once when it goes on.
_AHEAD = 3.0
# Fifty are audio; the rest are keys and what becomes of the agent's words.
_MESSAGES_A_SECOND = 100
_LONGEST_TEXT = 4096
_LONGEST_FRAME = RATE  # bytes: half a second


class BrowserTransport:
    """telephony.leg.transport.Transport over the one that a page opened. clock: seconds."""

    def __init__(self, page: Transport, clock: Clock) -> None:
        self._page = page
        self._clock = clock
        self._began: float | None = None
        self._heard = 0
        self._messages = 0

    async def answered(self) -> Answered:
        """What the page says first, when its microphone runs. Raises LegError for anything else."""
        message = await self._page.receive()
        report = decode_report(message) if isinstance(message, str) and len(message) <= _LONGEST_TEXT else None
        if not isinstance(report, Answered) or report.rate != RATE:
            raise LegError(f"a page begins with answered, at {RATE} Hz")
        self._began = self._clock()
        return Answered(rate=RATE, codec="pcm16")

    async def send_text(self, text: str) -> None:
        """See Transport."""
        await self._page.send_text(text)

    async def send_bytes(self, data: bytes) -> None:
        """See Transport."""
        await self._page.send_bytes(data)

    async def receive(self) -> str | bytes:
        """See Transport. Raises LegError for what no page in good order sends."""
        message = await self._page.receive()
        self._messages += 1
        if self._messages > _MESSAGES_A_SECOND * (self._elapsed() + _AHEAD):
            raise LegError("the page sends messages faster than any page needs to")
        if isinstance(message, str):
            if len(message) > _LONGEST_TEXT:
                raise LegError("the page sent a text that is too long")
            return message
        if len(message) > _LONGEST_FRAME:
            raise LegError("the page sent a frame that is too long")
        self._heard += len(decode_caller_audio(message).pcm)
        if self._heard / RATE > self._elapsed() + _AHEAD:
            raise LegError("the page sends audio faster than time passes")
        return message

    def _elapsed(self) -> float:
        """Seconds since the page answered."""
        return 0.0 if self._began is None else self._clock() - self._began
