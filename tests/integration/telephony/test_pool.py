"""Gateway processes that are looked after."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from ipaddress import IPv4Network
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from orchestrator.core.errors import CarrierRejected, ConfigError
from telephony.sip.control import DialRequest
from telephony.sip.pool import Patience, gateway_pool
from telephony.sip.settings import GatewaySettings, Trunk
from tests.integration.telephony.gateway import settings_json
from tests.integration.telephony.orchestrator import listen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.sip_peer import Dialog, SipPeer

PORTS = {17060: (17100, 17299), 17062: (17300, 17499)}


def settings(port: int, folder: Path, orchestrator: str = "ws://127.0.0.1:9/") -> GatewaySettings:
    """Settings of one gateway of a pool."""
    text = settings_json(orchestrator, folder, name=f"sip-{port}", port=port, rtp_ports=PORTS[port])
    return GatewaySettings.model_validate_json(text)


async def test_every_gateway_of_a_pool_listens_and_tells_its_status(tmp_path: Path) -> None:
    async with gateway_pool([settings(port, tmp_path) for port in PORTS]) as pool:
        assert pool.ready
        status = await pool.status()
        assert {name: one.port for name, one in status.items() if one} == {"sip-17060": 17060, "sip-17062": 17062}


async def test_a_gateway_that_dies_is_started_again_and_takes_calls(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        gateway_pool([settings(17060, tmp_path, orchestrator.url)], Patience(restart=0.05)) as pool,
    ):
        (gateway,) = pool.gateways
        assert gateway.pid
        os.kill(gateway.pid, signal.SIGKILL)
        await until(lambda: gateway.restarts == 1 and pool.ready)
        async with SipPeer(17060) as peer:
            dialog = Dialog(peer)
            assert (await dialog.ask()).status == 200
            await dialog.within("BYE")


async def test_a_gateway_that_cannot_be_started_again_is_tried_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateway_pool([settings(17060, tmp_path)], Patience(restart=0.05, longest=0.05)) as pool:
        (gateway,) = pool.gateways
        assert gateway.pid
        with monkeypatch.context() as machine:
            machine.setattr(sys, "executable", str(tmp_path / "gone"))
            os.kill(gateway.pid, signal.SIGKILL)
            await until(lambda: gateway.restarts >= 3)
        await until(lambda: pool.ready)


async def test_leaving_a_pool_says_bye_to_its_calls(tmp_path: Path) -> None:
    async with running_orchestrator(listen) as orchestrator, SipPeer(17060) as peer:
        async with asyncio.TaskGroup() as group, gateway_pool([settings(17060, tmp_path, orchestrator.url)]):
            await Dialog(peer).ask()
            await orchestrator.call()
            bye = group.create_task(peer.request("BYE"))
            bye.add_done_callback(lambda task: peer.reply(task.result(), "200 OK"))
        assert bye.result().method == "BYE"


async def test_a_gateway_has_a_process_group_of_its_own(tmp_path: Path) -> None:
    async with gateway_pool([settings(17060, tmp_path)]) as pool:
        assert pool.gateways[0].pid
        assert os.getpgid(pool.gateways[0].pid) != os.getpgid(0)


async def test_a_gateway_that_was_asked_to_end_is_no_error(tmp_path: Path) -> None:
    with capture_logs() as logged:
        async with gateway_pool([settings(17060, tmp_path)], Patience(restart=0.05)) as pool:
            (gateway,) = pool.gateways
            assert gateway.pid
            os.kill(gateway.pid, signal.SIGTERM)
            await until(lambda: gateway.restarts == 1 and pool.ready)
    assert [line["log_level"] for line in logged if line["event"] == "gateway_ended"] == ["info"]
    assert not [line for line in logged if line["log_level"] == "error"]


async def test_a_port_in_use_is_told_at_the_start(tmp_path: Path) -> None:
    async with gateway_pool([settings(17060, tmp_path)]):
        with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1:17060/udp: Address already in use"):
            async with gateway_pool([settings(17060, tmp_path)]):
                pass


async def test_more_trunks_than_the_library_holds_are_refused_and_not_run_into(tmp_path: Path) -> None:
    trunks = tuple(Trunk(name=str(one), networks=(IPv4Network("192.0.2.0/24"),), user="agent") for one in range(64))
    with pytest.raises(ConfigError, match=r"this PJSIP holds \d+ trunks with a user, and there are 64"):
        async with gateway_pool([settings(17060, tmp_path).model_copy(update={"trunks": trunks})]):
            pass


async def test_a_pool_places_a_call_where_a_line_is_free(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        gateway_pool([settings(port, tmp_path, orchestrator.url) for port in PORTS]) as pool,
        SipPeer(17062) as callee,
    ):
        await pool.gateways[0].drain()
        await pool.dial(DialRequest(call_id=uuid4(), to=f"sip:bob@127.0.0.1:{callee.port}", trunk="local"))
        callee.reply(await callee.request("INVITE"), "486 Busy Here")
        assert (await orchestrator.call()).invite.gateway == "sip-17062"


async def test_a_pool_does_not_wait_for_a_gateway_that_is_being_started_again(tmp_path: Path) -> None:
    async with gateway_pool([settings(17060, tmp_path)], Patience(restart=60.0)) as pool:
        (gateway,) = pool.gateways
        assert gateway.pid
        os.kill(gateway.pid, signal.SIGKILL)
        await until(lambda: not pool.ready)
        with pytest.raises(CarrierRejected, match="503 gateway sip-17060 is being started again"):
            await pool.dial(DialRequest(call_id=uuid4(), to="1", trunk="local"))


async def test_a_pool_without_the_trunk_says_so(tmp_path: Path) -> None:
    async with gateway_pool([settings(17060, tmp_path)]) as pool:
        with pytest.raises(CarrierRejected, match="404 no gateway has trunk 'moon'"):
            await pool.dial(DialRequest(call_id=uuid4(), to="1", trunk="moon"))


def added(name: str, registrar: int | None = None) -> Trunk:
    """An account's trunk with a user, at a port where nobody answers; without *registrar* one that only has a peer."""
    where = "127.0.0.1:9" if registrar is None else f"127.0.0.1:{registrar}"
    told = {"registrar" if registrar is not None else "peer": where, "networks": ["127.0.0.9/32"]}
    return Trunk.model_validate({"name": f"trunk:{name}", "user": "agent", **told})


async def test_trunks_that_register_are_spread_over_the_gateways_and_stay_where_they_are(tmp_path: Path) -> None:
    async with gateway_pool([settings(port, tmp_path) for port in PORTS], Patience(restart=0.05)) as pool:
        first, second = pool.gateways
        most = first.most_users + second.most_users
        trunks = [added(str(one), registrar=9) for one in range(most + 1)]
        assert pool.has_room(trunks[0])
        assert await pool.carry(trunks) == {trunks[-1].name: "no_room"}
        assert not pool.has_room(trunks[-1])
        at_first = {trunk.name for trunk in first.carried}
        assert len(at_first) == first.most_users
        # One without a registrar belongs everywhere; there is no place for it anywhere.
        assert await pool.carry([*trunks[:-1], added("peer")]) == {"trunk:peer": "no_room"}
        kept = [*trunks[:2], *trunks[4:-1]]

        async def taken() -> bool:
            return await pool.carry([*kept, added("peer")]) == {}

        await until(taken)  # those that went keep their places until their registrars had time to hear of it
        assert {trunk.name for trunk in first.carried} - {"trunk:peer"} == at_first & {trunk.name for trunk in kept}
        assert set(await pool.registrations()) == {trunk.name for trunk in kept}


async def test_a_gateway_that_was_started_again_has_the_trunks_of_accounts_again(tmp_path: Path) -> None:
    async with gateway_pool([settings(17060, tmp_path)], Patience(restart=0.05)) as pool:
        (gateway,) = pool.gateways
        assert await pool.carry([added("one", registrar=9)]) == {}
        assert gateway.pid
        os.kill(gateway.pid, signal.SIGKILL)

        async def again() -> bool:
            return gateway.restarts == 1 and await pool.registrations() != {}

        await until(again)
        assert set(await pool.registrations()) == {"trunk:one"}
