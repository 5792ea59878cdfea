"""What the orchestrator's end of a leg needs from whatever carries its messages."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """A connected message socket, such as a WebSocket. Every method raises Hangup once the other side has gone."""

    async def send_text(self, text: str) -> None:
        """Send one text message."""
        ...

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message."""
        ...

    async def receive(self) -> str | bytes:
        """The next message. Cancelling it loses none."""
        ...
