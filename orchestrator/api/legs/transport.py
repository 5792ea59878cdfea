"""A leg's socket on the web server's WebSocket."""

from __future__ import annotations

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from orchestrator.core.errors import Hangup


class WebSocketTransport:
    """telephony.leg.transport.Transport over an accepted WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send_text(self, text: str) -> None:
        """Send one text message. Raises Hangup."""
        self._check()
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:  # starlette raises RuntimeError after a close
            raise Hangup("the gateway has closed the leg") from error

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message. Raises Hangup."""
        self._check()
        try:
            await self._socket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Hangup("the gateway has closed the leg") from error

    async def receive(self) -> str | bytes:
        """The next message. Raises Hangup."""
        self._check()
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise Hangup("the gateway has closed the leg")
        text: str | None = message.get("text")
        data: bytes | None = message.get("bytes")
        return text if text is not None else data or b""

    def _check(self) -> None:
        if self._socket.client_state is not WebSocketState.CONNECTED:
            raise Hangup("the gateway has closed the leg")
