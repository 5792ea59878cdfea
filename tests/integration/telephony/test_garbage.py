"""Whatever is thrown at a gateway, it serves the next caller. The messages are files, in the manner of RFC 4475."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.telephony.gateway import GatewayProcess, running_gateway
from tests.integration.telephony.orchestrator import listen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.sip_peer import Dialog, SipPeer

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Those that turn out to be calls are for a number that nobody has: nobody is there to acknowledge an answer.
GARBAGE = {path.stem: path.read_bytes() for path in sorted((Path(__file__).parent / "garbage").glob("*.sip"))}
FRIEND, STRANGER = "127.0.0.1", "127.0.0.2"
LIBRARY_SOCKETS = 64
TRUNK = {"name": "carrier", "networks": [f"{FRIEND}/32"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("recordings")
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, folder, trunks=[TRUNK], loopback=False, no_media=1.0) as running,
    ):
        yield running


async def serves(gateway: GatewayProcess) -> None:
    """Return when the gateway has taken a well-formed call; it may ask to be tried again."""

    async def takes_a_call() -> bool:
        async with SipPeer(gateway.port) as peer:
            dialog = Dialog(peer)
            return (await dialog.ask()).status == 200 and (await dialog.within("BYE")).status == 200

    await gateway.idle()
    await until(takes_a_call)


@pytest.mark.parametrize("message", GARBAGE.values(), ids=GARBAGE)
async def test_a_bad_datagram_does_no_harm(message: bytes, gateway: GatewayProcess) -> None:
    async with SipPeer(gateway.port) as peer:
        for _ in range(3):
            peer.send(message)
        peer.send(Dialog(peer).request("OPTIONS"))
        assert (await peer.receive(lambda answer: answer.status == 200)).method == "OPTIONS"


async def test_the_gateway_serves_after_all_of_it_at_once(gateway: GatewayProcess) -> None:
    async with SipPeer(gateway.port) as peer:
        for message in list(GARBAGE.values()) * 5:
            peer.send(message)
    await serves(gateway)


async def test_the_same_over_tcp_does_no_harm(gateway: GatewayProcess) -> None:
    for message in GARBAGE.values():
        _, writer = await asyncio.open_connection(FRIEND, gateway.port)
        with suppress(ConnectionError):
            writer.write(message)
            await writer.drain()
        writer.close()
        # A friend opens one connection after the other, not sixty at once.
        await asyncio.sleep(0.02)
    await serves(gateway)


async def test_noise_on_the_rtp_port_does_no_harm(gateway: GatewayProcess) -> None:
    noise = random.Random(7)
    await gateway.idle()
    async with SipPeer(gateway.port) as peer:
        dialog = Dialog(peer)
        answer = await dialog.ask()
        port = int(answer.body.partition("m=audio ")[2].split()[0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for size in (0, 1, 11, 12, 13, 172, 1400, 9000):
                for version in (0x00, 0x80, 0xBF):
                    packet = bytes([version, noise.choice([0, 8, 101, 200, 255])]) + noise.randbytes(size)
                    sender.sendto(packet, (FRIEND, port))
                    sender.sendto(packet, (FRIEND, port + 1))
        assert (await dialog.within("BYE")).status == 200


async def test_a_stranger_cannot_connect_over_tcp(gateway: GatewayProcess) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await asyncio.open_connection(FRIEND, gateway.port, local_addr=(STRANGER, 0))


async def test_a_strangers_flood_of_connections_does_no_harm(gateway: GatewayProcess) -> None:
    sockets = [socket.socket() for _ in range(3 * LIBRARY_SOCKETS)]
    for stranger in sockets:
        stranger.setblocking(False)
        stranger.bind((STRANGER, 0))
        with suppress(BlockingIOError):
            stranger.connect((FRIEND, gateway.port))
    await asyncio.sleep(0.2)
    for stranger in sockets:
        stranger.close()
    await serves(gateway)


async def test_a_flood_of_calls_gets_sip_errors(gateway: GatewayProcess) -> None:
    await gateway.idle()
    async with SipPeer(gateway.port) as peer:
        answers = []
        for _ in range(20):
            for _ in range(20):
                peer.send(Dialog(peer, callee="nobody").invite())
            answers += [await peer.final() for _ in range(20)]
    assert {answer.status for answer in answers} <= {404, 486, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status != 404)
    await serves(gateway)


async def test_a_friend_who_connects_and_leaves_in_a_loop_does_no_harm(gateway: GatewayProcess) -> None:
    for _ in range(3 * LIBRARY_SOCKETS):
        with socket.socket() as friend:
            friend.setblocking(False)
            with suppress(BlockingIOError):
                friend.connect((FRIEND, gateway.port))
            await asyncio.sleep(0)
    await serves(gateway)


async def test_friends_may_hold_more_connections_than_the_library_has_room_for(gateway: GatewayProcess) -> None:
    sockets = [socket.create_connection((FRIEND, gateway.port)) for _ in range(LIBRARY_SOCKETS + 16)]
    async with SipPeer(gateway.port) as peer:
        peer.send(Dialog(peer).request("OPTIONS"))
        assert (await peer.final("OPTIONS")).status == 200
    for friend in sockets:
        friend.close()
    await serves(gateway)
