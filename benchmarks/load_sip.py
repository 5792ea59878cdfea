"""The signalling of a load test's caller: INVITE, ACK and BYE over UDP (RFC 3261), and nothing else of SIP.

A whole phone for each of twenty callers would take the processor that is to be measured.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

from benchmarks.load_rtp import PCMU
from benchmarks.sip_message import SipMessage
from orchestrator.core.errors import CarrierRejected

_RESEND = 0.5  # T1, RFC 3261 section 17.1.1.1
_LONGEST_RESEND = 4.0  # T2
_FINAL = 200
_REFUSED = 300
_serial = count(1)


class Dialog(asyncio.DatagramProtocol):
    """One call that is placed from a UDP port of its own. ended: set when either side has hung up."""

    def __init__(self, caller: str, callee: str, gateway: int, rtp_port: int) -> None:
        self.ended = asyncio.Event()
        self._caller = caller
        self._target = f"sip:{callee}@127.0.0.1:{gateway}"
        self._gateway = ("127.0.0.1", gateway)
        self._rtp_port = rtp_port
        self._id = f"load-{next(_serial)}-{rtp_port}"
        self._to_tag = ""
        self._answers: asyncio.Queue[SipMessage] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport

    async def dial(self, within: float = 20.0) -> tuple[str, int]:
        """Where the agent wants the caller's RTP, once it has answered.

        Raises CarrierRejected when the call is refused, or not answered *within* so many seconds.
        """
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        answer = await self._asked("INVITE", 1, within, ["Content-Type: application/sdp"], self._sdp())
        self._acknowledge(answer)
        if answer.status >= _REFUSED:
            self.close()
            raise CarrierRejected(answer.status, answer.start.split(maxsplit=2)[2])
        return media_address(answer.body)

    async def hangup(self, within: float = 4.0) -> None:
        """Say BYE, unless the agent has, and wait for the answer."""
        if not self.ended.is_set():
            self.ended.set()
            with suppress(CarrierRejected):  # there is nobody to tell any more
                await self._asked("BYE", 2, within)
        self.close()

    @property
    def port(self) -> int:
        """The caller's own, once it has dialled."""
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def close(self) -> None:
        """Give the port back."""
        self.ended.set()
        self._transport.close()

    def datagram_received(self, data: bytes, address: tuple[str | int, int]) -> None:
        """Answer requests, keep final responses, acknowledge an answer that comes again."""
        if not data.strip():
            return
        message = SipMessage.parsed(data)
        if message.status >= _FINAL:
            if message.method == "INVITE" and self._to_tag:
                self._acknowledge(message)
            else:
                self._answers.put_nowait(message)
        elif message.status == 0 and message.method != "ACK":
            if message.method == "BYE":
                self.ended.set()
            self._reply(message)

    async def _asked(
        self, method: str, sequence: int, within: float, extra: Sequence[str] = (), body: str = ""
    ) -> SipMessage:
        """The final response to a request, which is sent again until one comes. Raises CarrierRejected."""
        request = self._request(method, sequence, extra, body)
        wait = _RESEND
        try:
            async with asyncio.timeout(within):
                while True:
                    self._transport.sendto(request, self._gateway)
                    try:
                        async with asyncio.timeout(wait):
                            while (answer := await self._answers.get()).method != method:
                                pass
                            return answer
                    except TimeoutError:
                        wait = min(2 * wait, _LONGEST_RESEND)
        except TimeoutError as error:
            self.close()
            raise CarrierRejected(408, f"no answer to {method} within {within:g} s") from error

    def _acknowledge(self, answer: SipMessage) -> None:
        """ACK: within the transaction when the answer refuses, in the dialog otherwise."""
        self._to_tag = answer.headers["to"].rpartition("tag=")[2]
        branch = "INVITE" if answer.status >= _REFUSED else "ACK"
        self._transport.sendto(self._request("ACK", 1, branch=branch), self._gateway)

    def _reply(self, request: SipMessage) -> None:
        copied = [f"{name}: {request.headers[name]}" for name in ("via", "from", "to", "call-id", "cseq")]
        self._transport.sendto(_text("SIP/2.0 200 OK", copied), self._gateway)

    def _request(
        self, method: str, sequence: int, extra: Sequence[str] = (), body: str = "", branch: str = ""
    ) -> bytes:
        port = self.port
        lines = [
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-{self._id}-{branch or method};rport",
            f"From: <sip:{self._caller}@127.0.0.1:{port}>;tag={self._id}",
            f"To: <{self._target}>{self._to_tag and ';tag=' + self._to_tag}",
            f"Call-ID: {self._id}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:{self._caller}@127.0.0.1:{port}>",
            "Max-Forwards: 70",
            *extra,
        ]
        return _text(f"{method} {self._target} SIP/2.0", lines, body)

    def _sdp(self) -> str:
        """An offer of G.711 µ-law in packets of 20 ms."""
        lines = [
            "v=0",
            "o=load 1 1 IN IP4 127.0.0.1",
            "s=-",
            "c=IN IP4 127.0.0.1",
            "t=0 0",
            f"m=audio {self._rtp_port} RTP/AVP {PCMU}",
            "a=rtpmap:0 PCMU/8000",
            "a=ptime:20",
            "",
        ]
        return "\r\n".join(lines)


def media_address(sdp: str) -> tuple[str, int]:
    """Host and port of the audio in *sdp*. Raises CarrierRejected when there is none."""
    host = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
    if host is None or port is None:
        raise CarrierRejected(488, "the answer has no audio")
    return host[1], int(port[1])


def _text(start: str, lines: Sequence[str], body: str = "") -> bytes:
    return "\r\n".join([start, *lines, f"Content-Length: {len(body)}", "", body]).encode()
