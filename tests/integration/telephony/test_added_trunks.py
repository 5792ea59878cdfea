"""Trunks of accounts: a gateway that runs is told of them, and lets go of them, beside its calls."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.e2e.peers import Kamailio
from tests.integration.telephony.gateway import GatewayProcess, running_gateway
from tests.integration.telephony.orchestrator import listen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.sip_peer import Dialog, SipPeer
from tests.integration.telephony.test_trunks import dial

PASSWORDS = {"desk": "s3cret", "shop": "s3cret-too"}


def registered(proxy: Kamailio, user: str = "desk", password: str = "s3cret", **more: Any) -> dict[str, Any]:
    """A trunk at *proxy*, as the orchestrator tells of it."""
    target = f"127.0.0.1:{proxy.port}"
    told = {"name": f"trunk:{user}", "networks": ["127.0.0.1/32"], "registrar": target, "user": user}
    return {**told, "password": password, "expires": 60, **more}


async def carry(gateway: GatewayProcess, *trunks: dict[str, Any]) -> dict[str, str]:
    """Tell the gateway of *trunks*; what it cannot carry."""
    answer = await gateway.control.put("/trunks", json={"trunks": trunks})
    return dict(answer.raise_for_status().json())


async def answers(gateway: GatewayProcess, **wanted: str) -> None:
    """Return when the registrars of the trunks have answered as *wanted*, and there are no others."""
    expected = {f"trunk:{user}": answer for user, answer in wanted.items()}

    async def so() -> bool:
        return bool((await gateway.status())["registrations"] == expected)

    await until(so)


async def test_a_trunk_registers_is_changed_and_leaves_without_a_restart(tmp_path: Path) -> None:
    with Kamailio.running(tmp_path / "kamailio", PASSWORDS) as proxy:
        async with running_gateway("ws://127.0.0.1:9/", tmp_path) as gateway:
            assert await carry(gateway, registered(proxy, password="guess")) == {}
            await answers(gateway, desk="401 Unauthorized")
            assert await carry(gateway, registered(proxy)) == {}
            await answers(gateway, desk="200 OK")
            await asyncio.to_thread(proxy.wait_registered, "desk")
            # Another trunk and another network are nothing that its registrar hears of.
            shop = registered(proxy, "shop", "s3cret-too", domain="carrier.example")
            assert await carry(gateway, registered(proxy, networks=["127.0.0.0/30"]), shop) == {}
            await answers(gateway, desk="200 OK", shop="200 OK")
            assert await carry(gateway, shop) == {}
            await until(lambda: not proxy.knows("desk"))
            assert proxy.knows("shop")
            await answers(gateway, shop="200 OK")
    assert not [line for line in gateway.log if "sip_job_failed" in line]


async def test_the_places_of_trunks_with_a_user_are_counted_and_come_back(tmp_path: Path) -> None:
    with Kamailio.running(tmp_path / "kamailio", PASSWORDS) as proxy:
        async with running_gateway("ws://127.0.0.1:9/", tmp_path) as gateway:
            many = [registered(proxy, name=f"trunk:{one}") for one in range(64)]
            refused = await carry(gateway, *many)
            held = 64 - len(refused)
            assert held in {7, 63}
            assert refused == {f"trunk:{one}": "no_room" for one in range(held, 64)}
            assert await carry(gateway) == {}

            async def takes_another() -> bool:
                return await carry(gateway, registered(proxy, "shop", "s3cret-too")) == {}

            await until(takes_another)
            await answers(gateway, shop="200 OK")


async def test_a_trunk_that_is_gone_lets_its_call_go_on_and_no_other_in(tmp_path: Path) -> None:
    with Kamailio.running(tmp_path / "kamailio", PASSWORDS) as proxy:
        async with AsyncExitStack() as stack:
            orchestrator = await stack.enter_async_context(running_orchestrator(listen))
            running = running_gateway(orchestrator.url, tmp_path, loopback=False)
            gateway = await stack.enter_async_context(running)
            assert await carry(gateway, registered(proxy)) == {}
            await asyncio.to_thread(proxy.wait_registered, "desk")
            await dial(gateway, "desk", "trunk:desk")
            calls = {seen.invite.direction: seen for seen in (await orchestrator.call(0), await orchestrator.call(1))}
            outbound, inbound = calls["outbound"], calls["inbound"]
            assert inbound.invite.trunk == "trunk:desk"
            await until(lambda: len(outbound.heard) > 25 and len(inbound.heard) > 25)

            assert await carry(gateway) == {}
            await until(lambda: not proxy.knows("desk"))
            heard = len(inbound.heard)
            await until(lambda: len(inbound.heard) > heard + 50)
            async with SipPeer(gateway.port) as peer:
                assert (await Dialog(peer).ask()).status == 403

            # It comes back while the call of before goes on, and brings calls again.
            assert await carry(gateway, registered(proxy)) == {}
            await asyncio.to_thread(proxy.wait_registered, "desk")
            await dial(gateway, "desk", "trunk:desk")
            again = await orchestrator.call(3)
            await until(lambda: len(again.heard) > 25)
            assert again.leg
            await again.leg.hangup()
            await again.over.wait()
            assert outbound.leg
            await outbound.leg.hangup()
            await inbound.over.wait()
            assert inbound.leg and inbound.leg.ending
            assert inbound.leg.ending.by == "caller"


async def test_a_call_to_another_account_s_domain_is_refused_and_not_answered_for(tmp_path: Path) -> None:
    account, other = str(UUID(int=1)), str(UUID(int=2))
    peer = {"name": "trunk:peer", "networks": ["127.0.0.1/32"], "account": account}
    far = {"networks": ["127.0.0.9/32"], "registrar": "127.0.0.9:9", "user": "chief", "domain": "far.example"}
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path, loopback=False) as gateway,
        SipPeer(gateway.port) as caller,
    ):
        assert await carry(gateway, peer, {"name": "trunk:far", "account": other, **far}) == {}
        to_far = Dialog(caller)
        caller.send(to_far.invite().replace(f"To: <{to_far.target}>", "To: <sip:chief@far.example>"))
        refused = await caller.final()
        to_far.acknowledge(refused)
        assert refused.status == 403
        assert (await Dialog(caller).ask()).status == 200
