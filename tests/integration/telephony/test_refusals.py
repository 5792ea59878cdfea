"""Calls that a gateway does not take, each for its own reason."""

from __future__ import annotations

from pathlib import Path

from tests.integration.telephony.gateway import running_gateway
from tests.integration.telephony.orchestrator import TOKEN, listen, running_orchestrator
from tests.integration.telephony.sip_peer import Dialog, SipPeer


async def test_the_call_after_the_last_line_is_486(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path, max_calls=4) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        capacity = (await gateway.status())["capacity"]
        assert capacity == 4
        dialogs = [Dialog(peer) for _ in range(capacity)]
        assert [(await dialog.ask()).status for dialog in dialogs] == [200] * capacity
        assert (await Dialog(peer).ask()).status == 486
        await dialogs[0].within("BYE")
        await gateway.idle(capacity - 1)
        assert (await Dialog(peer).ask()).status == 200


async def test_a_call_over_the_settings_limit_is_486_and_told_when_to_try_again(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path, max_calls=1) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        refused = await Dialog(peer).ask()
        assert (refused.status, refused.headers["retry-after"]) == (486, "5")


async def test_a_source_that_belongs_to_no_trunk_is_403(tmp_path: Path) -> None:
    trunks = [{"name": "carrier", "networks": ["192.0.2.0/24"]}]
    async with (
        running_orchestrator() as orchestrator,
        running_gateway(orchestrator.url, tmp_path, trunks=trunks, loopback=False) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        assert (await Dialog(peer).ask()).status == 403
        assert orchestrator.calls == []


async def test_a_gateway_whose_orchestrator_is_away_says_503(tmp_path: Path) -> None:
    async with running_gateway("ws://127.0.0.1:9/legs/sip", tmp_path) as gateway, SipPeer(gateway.port) as peer:
        refused = await Dialog(peer).ask()
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")


async def test_an_orchestrator_that_does_not_decide_costs_a_503_at_the_deadline(tmp_path: Path) -> None:
    async with (
        running_orchestrator() as orchestrator,
        running_gateway(orchestrator.url, tmp_path, invite_deadline=0.3) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        assert (await Dialog(peer, callee="undecided").ask()).status == 503


async def test_an_orchestrator_says_when_to_try_again(tmp_path: Path) -> None:
    async with (
        running_orchestrator() as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        refused = await Dialog(peer, callee="later").ask()
        assert (refused.status, refused.headers["retry-after"]) == (503, "8")


async def test_a_gateway_with_the_wrong_token_says_503(tmp_path: Path) -> None:
    async with (
        running_orchestrator() as orchestrator,
        running_gateway(orchestrator.url, tmp_path, token="wrong") as gateway,
        SipPeer(gateway.port) as peer,
    ):
        assert (await Dialog(peer).ask()).status == 503
        assert orchestrator.refused_tokens == 1


async def test_a_draining_gateway_refuses_new_calls_and_keeps_its_own(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        running = Dialog(peer)
        await running.ask()
        (await gateway.control.post("/drain")).raise_for_status()
        assert (await Dialog(peer).ask()).status == 503
        assert (await running.within("BYE")).status == 200


async def test_the_control_port_wants_the_token(tmp_path: Path) -> None:
    async with running_gateway("ws://127.0.0.1:9/legs/sip", tmp_path) as gateway:
        for wrong in ("", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}!"):
            answer = await gateway.control.get("/status", headers={"Authorization": wrong})
            assert answer.status_code == 401
