"""Trunks: registered with digest through a real registrar, and calls that we place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from orchestrator.core.errors import CarrierRejected
from telephony.leg.socket import SocketLeg
from tests.e2e.peers import Kamailio
from tests.integration.telephony.gateway import GatewayProcess, running_gateway
from tests.integration.telephony.orchestrator import Seen, listen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.sip_peer import Dialog, SipPeer


def registered_trunk(proxy: Kamailio, password: str = "s3cret") -> dict[str, Any]:
    """The gateway's account at *proxy*."""
    target = f"127.0.0.1:{proxy.port}"
    return {"name": "carrier", "registrar": target, "user": "agent", "password": password, "expires": 60}


async def dial(gateway: GatewayProcess, to: str, trunk: str, caller: str = "") -> UUID:
    """Ask the gateway to call *to*."""
    call_id = uuid4()
    request = {"call_id": str(call_id), "to": to, "trunk": trunk, "caller": caller}
    (await gateway.control.post("/calls", json=request)).raise_for_status()
    return call_id


async def hang_up(leg: SocketLeg, _: Seen) -> None:
    await leg.hangup()


async def test_a_trunk_registers_with_digest(tmp_path: Path) -> None:
    with Kamailio.running(tmp_path / "kamailio", {"agent": "s3cret"}) as proxy:
        async with running_gateway("ws://127.0.0.1:9/", tmp_path, trunks=[registered_trunk(proxy)]) as gateway:
            await asyncio.to_thread(proxy.wait_registered, "agent")

            async def knows() -> bool:
                return bool((await gateway.status())["registrations"] == {"carrier": "200 OK"})

            await until(knows)


async def test_a_wrong_password_is_told_in_the_status(tmp_path: Path) -> None:
    with Kamailio.running(tmp_path / "kamailio", {"agent": "s3cret"}) as proxy:
        trunks = [registered_trunk(proxy, "guess")]
        async with running_gateway("ws://127.0.0.1:9/", tmp_path, trunks=trunks) as gateway:

            async def refused() -> bool:
                return str((await gateway.status())["registrations"]["carrier"]).startswith("401")

            await until(refused)


async def test_a_call_goes_out_with_digest_and_comes_in_by_the_registration(tmp_path: Path) -> None:
    with Kamailio.running(tmp_path / "kamailio", {"agent": "s3cret"}) as proxy:
        async with (
            running_orchestrator(listen) as orchestrator,
            running_gateway(orchestrator.url, tmp_path, trunks=[registered_trunk(proxy)]) as gateway,
        ):
            await asyncio.to_thread(proxy.wait_registered, "agent")
            call_id = await dial(gateway, "agent", "carrier")
            calls = {seen.invite.direction: seen for seen in (await orchestrator.call(0), await orchestrator.call(1))}
            outbound, inbound = calls["outbound"], calls["inbound"]
            assert outbound.invite.call_id == call_id
            assert (inbound.invite.caller, inbound.invite.callee, inbound.invite.trunk) == ("agent", "agent", "carrier")
            assert outbound.leg
            await until(lambda: len(outbound.heard) > 25 and len(inbound.heard) > 25)
            await outbound.leg.hangup()
            await inbound.over.wait()
            assert inbound.leg and inbound.leg.ending
            assert inbound.leg.ending.by == "caller"


async def placed(gateway: GatewayProcess, callee: SipPeer) -> None:
    await dial(gateway, f"sip:bob@127.0.0.1:{callee.port}", "local", caller="+331")


async def test_a_call_that_the_callee_refuses_tells_the_status(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as callee,
    ):
        await placed(gateway, callee)
        callee.reply(await callee.request("INVITE"), "486 Busy Here")
        seen = await orchestrator.call()
        await seen.over.wait()
        assert isinstance(seen.failure, CarrierRejected)
        assert (seen.failure.status, seen.failure.reason) == (486, "Busy Here")
        await gateway.idle()
        assert (await gateway.status())["refused"] == {"486": 1}


async def test_a_call_that_we_place_is_a_leg_once_answered(tmp_path: Path) -> None:
    async with (
        running_orchestrator(hang_up) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as callee,
    ):
        await placed(gateway, callee)
        invite = await callee.request("INVITE")
        assert "<sip:+331@127.0.0.1" in invite.headers["from"]
        callee.reply(invite, "180 Ringing")
        callee.reply(invite, "200 OK", ["Content-Type: application/sdp"], Dialog(callee).sdp())
        await callee.request("ACK")
        callee.reply(await callee.request("BYE"), "200 OK")
        seen = await orchestrator.call()
        await seen.over.wait()
        assert seen.leg and seen.leg.ending
        assert (seen.leg.codec, seen.leg.ending.by) == ("PCMU", "agent")


async def test_a_call_that_no_orchestrator_wants_is_never_placed(tmp_path: Path) -> None:
    async with running_gateway("ws://127.0.0.1:9/", tmp_path) as gateway, SipPeer(gateway.port) as callee:
        await placed(gateway, callee)
        await gateway.idle()
        assert (await gateway.status())["refused"] == {"503": 1}
        assert callee.seen == []


async def test_requests_to_dial_that_cannot_work_are_refused(tmp_path: Path) -> None:
    async with running_gateway("ws://127.0.0.1:9/", tmp_path) as gateway:
        good: dict[str, object] = {"call_id": str(uuid4()), "to": "sip:bob@127.0.0.1", "trunk": "local"}
        changes: list[tuple[dict[str, object], int]] = [
            ({"trunk": "unheard-of"}, 404),
            ({"to": "12345"}, 422),
            ({"to": "sip:bob@host\r\nX: y"}, 422),
            ({"call_id": "7"}, 422),
            ({"caller": "me>"}, 422),
            ({"more": 1}, 422),
        ]
        for change, status in changes:
            assert (await gateway.control.post("/calls", json={**good, **change})).status_code == status
