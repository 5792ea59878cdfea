from __future__ import annotations

import asyncio

import pytest

from benchmarks.load_sip import Dialog, media_address
from benchmarks.sip_message import SipMessage
from orchestrator.core.errors import CarrierRejected

SDP = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"


class Gateway(asyncio.DatagramProtocol):
    """Answers with what it is told to; ignores the first *deaf* requests."""

    def __init__(self, status: str, body: str = "", deaf: int = 0) -> None:
        self.seen: list[str] = []
        self.answered = asyncio.Event()
        self._status, self._body, self._deaf = status, body, deaf

    async def listen(self) -> int:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, address: tuple[str | int, int]) -> None:
        request = SipMessage.parsed(data)
        self.seen.append(request.method if request.status == 0 else str(request.status))
        if request.status:
            self.answered.set()
        if request.status or request.method == "ACK" or len(self.seen) <= self._deaf:
            return
        status = self._status if request.method == "INVITE" else "200 OK"
        copied = [f"{name}: {request.headers[name]}" for name in ("via", "from", "call-id", "cseq")]
        head = "\r\n".join([f"SIP/2.0 {status}", *copied, f"To: {request.headers['to']};tag=gw", "", self._body])
        self.transport.sendto(head.encode(), address)

    def hang_up(self, caller: int) -> None:
        lines = ["BYE sip:x SIP/2.0", "Via: v", "From: f", "To: t", "Call-ID: c", "CSeq: 1 BYE", "", ""]
        self.transport.sendto("\r\n".join(lines).encode(), ("127.0.0.1", caller))


async def test_an_answered_call_tells_where_the_audio_goes_and_says_goodbye() -> None:
    gateway = Gateway("200 OK", SDP)
    dialog = Dialog("a", "b", await gateway.listen(), 5000)
    assert await dialog.dial() == ("127.0.0.1", 4000)
    await dialog.hangup()
    assert gateway.seen == ["INVITE", "ACK", "BYE"]


async def test_a_refused_call_is_acknowledged_and_raised_with_its_status() -> None:
    gateway = Gateway("486 Busy Here")
    dialog = Dialog("a", "b", await gateway.listen(), 5000)
    with pytest.raises(CarrierRejected) as refused:
        await dialog.dial()
    assert refused.value.status == 486
    await asyncio.sleep(0)
    assert gateway.seen[0] == "INVITE"


async def test_a_request_that_is_lost_is_sent_again() -> None:
    gateway = Gateway("200 OK", SDP, deaf=1)
    dialog = Dialog("a", "b", await gateway.listen(), 5000)
    await dialog.dial()
    assert gateway.seen[:2] == ["INVITE", "INVITE"]
    dialog.close()


async def test_nobody_answers() -> None:
    gateway = Gateway("200 OK", SDP, deaf=10)
    with pytest.raises(CarrierRejected, match="no answer to INVITE within"):
        await Dialog("a", "b", await gateway.listen(), 5000).dial(within=0.05)


async def test_the_agents_goodbye_ends_the_call_and_is_answered() -> None:
    gateway = Gateway("200 OK", SDP)
    dialog = Dialog("a", "b", await gateway.listen(), 5000)
    await dialog.dial()
    gateway.hang_up(dialog.port)
    async with asyncio.timeout(2):
        await dialog.ended.wait()
        await gateway.answered.wait()
    await dialog.hangup()
    assert "BYE" not in gateway.seen


def test_an_answer_without_audio_is_refused() -> None:
    with pytest.raises(CarrierRejected, match="no audio"):
        media_address("v=0\r\n")
