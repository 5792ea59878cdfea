"""However a call ends, the other side is told, and what was recorded can be read."""

from __future__ import annotations

import signal
from pathlib import Path

from telephony.leg.socket import SocketLeg
from tests.integration.telephony.gateway import running_gateway
from tests.integration.telephony.orchestrator import Seen, listen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.recorded import ended, recorded
from tests.integration.telephony.sip_peer import Dialog, SipPeer
from tests.integration.telephony.sounds import RATE, tone


async def talk(leg: SocketLeg, seen: Seen) -> None:
    """Play a tone, then listen."""
    await leg.play(tone(880, 1.0))
    await listen(leg, seen)


async def hang_up_after_the_tone(leg: SocketLeg, _: Seen) -> None:
    await leg.play(tone(880, 0.1))
    await leg.drain()
    await leg.hangup()


async def leave(_: SocketLeg, seen: Seen) -> None:
    """Drop the socket as a killed orchestrator would."""
    assert seen.connection is not None
    seen.connection.transport.abort()


async def test_sigterm_says_bye_to_every_call_and_exits_cleanly(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        seen = await orchestrator.call()
        gateway.process.send_signal(signal.SIGTERM)
        peer.reply(await peer.request("BYE"), "200 OK")
        assert await gateway.ended() == 0
        await seen.over.wait()
        assert seen.leg and seen.leg.ending
        assert (seen.leg.ending.by, seen.leg.ending.reason) == ("gateway", "shutdown")


async def test_the_end_of_its_input_ends_a_gateway_like_sigterm(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        await orchestrator.call()
        assert gateway.process.stdin
        gateway.process.stdin.close()
        peer.reply(await peer.request("BYE"), "200 OK")
        assert await gateway.ended() == 0


async def test_a_ringing_call_is_refused_when_the_gateway_stops(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        dialog = Dialog(peer, callee="undecided")
        peer.send(dialog.invite())
        await orchestrator.call()
        gateway.process.send_signal(signal.SIGTERM)
        refused = await peer.final()
        dialog.acknowledge(refused)
        assert refused.status == 503
        assert await gateway.ended() == 0


async def test_sigint_is_left_to_the_parent(tmp_path: Path) -> None:
    async with running_gateway("ws://127.0.0.1:9/legs/sip", tmp_path) as gateway:
        gateway.process.send_signal(signal.SIGINT)
        assert (await gateway.status())["calls"] == 0


async def test_the_agent_hangs_up(tmp_path: Path) -> None:
    async with (
        running_orchestrator(hang_up_after_the_tone) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        peer.reply(await peer.request("BYE"), "200 OK")
        seen = await orchestrator.call()
        await seen.over.wait()
        assert seen.leg and seen.leg.ending
        assert seen.leg.ending.by == "agent"
        assert seen.leg.ending.stats and seen.leg.ending.stats.sent > 0


async def test_a_caller_who_hangs_up_leaves_nothing_to_complain_about(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        for number in range(4):
            dialog = Dialog(peer, caller=f"brief-{number}")
            await dialog.ask()
            await dialog.within("BYE")
            await gateway.idle()
        assert not [line for line in gateway.log if "sip_job_failed" in line]


async def test_a_lost_orchestrator_ends_the_call_with_a_bye(tmp_path: Path) -> None:
    async with (
        running_orchestrator(leave) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        peer.reply(await peer.request("BYE"), "200 OK")
        await gateway.idle()
        assert (await gateway.status())["ended"] == {"orchestrator_lost": 1}


async def test_a_caller_whose_audio_never_comes_is_hung_up_on(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path, no_media=1.0) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        peer.reply(await peer.request("BYE"), "200 OK")
        seen = await orchestrator.call()
        await seen.over.wait()
        assert seen.leg and seen.leg.ending
        assert (seen.leg.ending.by, seen.leg.ending.reason) == ("gateway", "no_media")


async def test_what_was_recorded_before_a_gateway_was_killed_is_kept_by_the_next_one(tmp_path: Path) -> None:
    async with (
        running_orchestrator(talk) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        await Dialog(peer).ask()
        seen = await orchestrator.call()
        assert seen.leg
        leg, call = seen.leg, seen.invite.call_id
        await until(lambda: leg.now() > 1.6)
        gateway.process.kill()
        await seen.over.wait()
        assert seen.leg.lost
        caller, agent = recorded(tmp_path, call)
        assert len(caller) == len(agent) >= 1.0 * RATE
        assert (abs(agent.astype(int)) > 2000).sum() > 0.4 * RATE
        assert not ended(tmp_path, call)
    async with running_orchestrator(talk) as orchestrator, running_gateway(orchestrator.url, tmp_path):
        await until(lambda: ended(tmp_path, call))
    assert (recorded(tmp_path, call)[1] == agent).all()


async def test_a_recording_that_the_disk_refuses_does_not_end_the_call(tmp_path: Path) -> None:
    async with (
        running_orchestrator(talk) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        (tmp_path / "journals").rmdir()
        dialog = Dialog(peer)
        await dialog.ask()
        seen = await orchestrator.call()
        assert seen.leg
        leg = seen.leg
        await until(lambda: leg.recording_failure is not None)
        assert seen.leg.recording_failure == "No such file or directory"
        assert (await dialog.within("BYE")).status == 200


async def test_a_call_that_comes_as_another_ends_takes_its_place_and_goes_on(tmp_path: Path) -> None:
    async with (
        running_orchestrator(listen) as orchestrator,
        running_gateway(orchestrator.url, tmp_path) as gateway,
        SipPeer(gateway.port) as peer,
    ):
        dialogs = [Dialog(peer) for _ in range((await gateway.status())["capacity"])]
        assert {(await dialog.ask()).status for dialog in dialogs} == {200}
        leaving, second, *others = dialogs
        await second.within("BYE")
        await gateway.idle(len(others) + 1)
        # The gateway wakes to both at once, so that PJSIP gives the place of the one to the other.
        gateway.process.send_signal(signal.SIGSTOP)
        peer.send(leaving.request("BYE", 2, branch=f"{leaving.branch}-2"))
        following = Dialog(peer, caller="following")
        peer.send(following.invite())
        gateway.process.send_signal(signal.SIGCONT)
        answer = await peer.final()
        following.acknowledge(answer)
        assert answer.status == 200
        assert not (await orchestrator.call_from("following")).over.is_set()
        assert (await following.within("BYE")).status == 200
        for dialog in others:
            assert (await dialog.within("BYE")).status == 200
        await gateway.idle()
