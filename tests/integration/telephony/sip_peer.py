"""A SIP peer of few words, for the exchanges that no phone offers: it sends any text and reads what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from benchmarks.sip_message import SipMessage

PCMU = ("0", "a=rtpmap:0 PCMU/8000")
OPUS_ONLY = ("111", "a=rtpmap:111 opus/48000/2")
_serial = count(1)


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.messages: asyncio.Queue[SipMessage] = asyncio.Queue()

    def datagram_received(self, data: bytes, _: object) -> None:
        if data.strip():
            self.messages.put_nowait(SipMessage.parsed(data))


@dataclass
class SipPeer:
    """One UDP socket on loopback that talks to a gateway. Enter it before use."""

    gateway_port: int
    port: int = 0
    seen: list[SipMessage] = field(default_factory=list)
    _inbox: _Inbox = field(default_factory=_Inbox)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, self._inbox = await loop.create_datagram_endpoint(_Inbox, ("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def send(self, data: str | bytes) -> None:
        """One datagram to the gateway."""
        raw = data if isinstance(data, bytes) else data.encode()
        self._transport.sendto(raw, ("127.0.0.1", self.gateway_port))

    async def receive(self, wanted: Callable[[SipMessage], bool], within: float = 6.0) -> SipMessage:
        """The next message that is *wanted*; the others are kept in `seen`."""
        async with asyncio.timeout(within):
            while True:
                message = await self._inbox.messages.get()
                self.seen.append(message)
                if wanted(message):
                    return message

    async def final(self, method: str = "INVITE", within: float = 6.0) -> SipMessage:
        """The next final response to *method*."""
        return await self.receive(lambda message: message.status >= 200 and message.method == method, within)

    async def request(self, method: str, within: float = 6.0) -> SipMessage:
        """The next request of that method."""
        return await self.receive(lambda message: message.status == 0 and message.method == method, within)

    def reply(self, request: SipMessage, status: str, extra: Sequence[str] = (), body: str = "") -> None:
        """Answer *request*, as "200 OK"."""
        copied = [f"{name}: {request.headers[name]}" for name in ("via", "from", "call-id", "cseq")]
        to = request.headers["to"]
        tagged = to if "tag=" in to else f"{to};tag=peer"
        self.send(
            _message(
                f"SIP/2.0 {status}",
                [*copied, f"to: {tagged}", f"contact: <sip:peer@127.0.0.1:{self.port}>", *extra],
                body,
            )
        )


@dataclass
class Dialog:
    """A call that a SipPeer places."""

    peer: SipPeer
    callee: str = "demo"
    caller: str = "peer"
    formats: Sequence[tuple[str, str]] = (PCMU,)
    rtp_port: int = 17999
    extra: Sequence[str] = ()
    number: int = field(default_factory=lambda: next(_serial))
    to_tag: str = ""

    @property
    def branch(self) -> str:
        return f"z9hG4bK-{self.peer.port}-{self.number}"

    @property
    def target(self) -> str:
        return f"sip:{self.callee}@127.0.0.1:{self.peer.gateway_port}"

    def sdp(self) -> str:
        """An offer of the dialog's formats."""
        return "\r\n".join(
            [
                "v=0",
                f"o=peer {self.number} 1 IN IP4 127.0.0.1",
                "s=-",
                "c=IN IP4 127.0.0.1",
                "t=0 0",
                f"m=audio {self.rtp_port} RTP/AVP {' '.join(number for number, _ in self.formats)}",
                *(line for _, line in self.formats),
                "",
            ]
        )

    def request(
        self, method: str, sequence: int = 1, extra: Sequence[str] = (), body: str = "", branch: str | None = None
    ) -> str:
        """Any request in the dialog, as text."""
        lines = [
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.peer.port};branch={branch or self.branch};rport",
            f"From: <sip:{self.caller}@127.0.0.1:{self.peer.port}>;tag=t{self.number}",
            f"To: <{self.target}>{self.to_tag and ';tag=' + self.to_tag}",
            f"Call-ID: call-{self.peer.port}-{self.number}@127.0.0.1",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:{self.caller}@127.0.0.1:{self.peer.port}>",
            "Max-Forwards: 70",
            *extra,
        ]
        return _message(f"{method} {self.target} SIP/2.0", lines, body)

    def invite(self, body: str | None = None) -> str:
        """The INVITE, as text; sent again, it is a retransmission."""
        return self.request("INVITE", extra=["Content-Type: application/sdp", *self.extra], body=body or self.sdp())

    def acknowledge(self, response: SipMessage) -> None:
        """ACK a final response: in its transaction when it refuses, in the dialog when it answers."""
        self.to_tag = response.headers["to"].rpartition("tag=")[2]
        branch = self.branch if response.status >= 300 else f"{self.branch}-ack"
        self.peer.send(self.request("ACK", branch=branch))

    async def ask(self) -> SipMessage:
        """Send the INVITE; the acknowledged final response."""
        self.peer.send(self.invite())
        response = await self.peer.final()
        self.acknowledge(response)
        return response

    async def within(self, method: str, sequence: int = 2, extra: Sequence[str] = (), body: str = "") -> SipMessage:
        """Send *method* in the answered dialog; its final response."""
        self.peer.send(self.request(method, sequence, extra, body, f"{self.branch}-{sequence}"))
        return await self.peer.final(method)

    async def renegotiate(self, sequence: int, direction: str) -> SipMessage:
        """A re-INVITE with "sendonly", "sendrecv" and so on; its acknowledged final response."""
        body = f"{self.sdp()}a={direction}\r\n"
        answer = await self.within("INVITE", sequence, ["Content-Type: application/sdp"], body)
        self.peer.send(self.request("ACK", sequence, branch=f"{self.branch}-{sequence}-ack"))
        return answer


def _message(start: str, lines: Sequence[str], body: str) -> str:
    return "\r\n".join([start, *lines, f"Content-Length: {len(body.encode())}", "", body])
