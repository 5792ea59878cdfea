"""What the gateway answers on the wire, message by message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from benchmarks.sip_message import SipMessage
from tests.integration.telephony.gateway import GatewayProcess, running_gateway
from tests.integration.telephony.orchestrator import Orchestrator, listen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.sip_peer import OPUS_ONLY, Dialog, SipPeer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def orchestrator() -> AsyncIterator[Orchestrator]:
    async with running_orchestrator(listen) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    orchestrator: Orchestrator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayProcess]:
    async with running_gateway(orchestrator.url, tmp_path_factory.mktemp("recordings")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def peer(gateway: GatewayProcess) -> AsyncIterator[SipPeer]:
    async with SipPeer(gateway.port) as open_peer:
        yield open_peer
    assert gateway.process.returncode is None, "the gateway has died"


async def test_a_call_rings_at_once_and_is_answered_when_the_orchestrator_takes_it(peer: SipPeer) -> None:
    dialog = Dialog(peer)
    answer = await dialog.ask()
    assert [message.status for message in peer.seen] == [100, 180, 200]
    assert "PCMU" in answer.body
    assert (await dialog.within("BYE")).status == 200


async def test_the_orchestrator_learns_who_calls_whom(peer: SipPeer, orchestrator: Orchestrator) -> None:
    dialog = Dialog(peer, callee="+33%201", caller="bob")
    await dialog.ask()
    seen = await orchestrator.call_from("bob")
    assert (seen.invite.callee, seen.invite.trunk, seen.invite.direction) == ("+33 1", "local", "inbound")
    await dialog.within("BYE")


async def test_an_unknown_number_is_404(peer: SipPeer) -> None:
    assert (await Dialog(peer, callee="nobody").ask()).start == "SIP/2.0 404 Not Found"


async def test_a_call_without_a_common_codec_is_488(peer: SipPeer) -> None:
    assert (await Dialog(peer, formats=[OPUS_ONLY]).ask()).status == 488


async def test_an_offer_that_is_no_sdp_is_refused(peer: SipPeer) -> None:
    dialog = Dialog(peer)
    peer.send(dialog.invite("v=surprise\r\nm=\r\n"))
    response = await peer.final()
    dialog.acknowledge(response)
    assert 400 <= response.status < 500


async def test_an_offer_of_hundreds_of_formats_does_no_harm(peer: SipPeer) -> None:
    formats = [(str(96 + index % 32), f"a=rtpmap:{96 + index % 32} X{index}/8000") for index in range(400)]
    assert (await Dialog(peer, formats=formats).ask()).status >= 400


async def test_options_is_answered(peer: SipPeer) -> None:
    dialog = Dialog(peer)
    peer.send(dialog.request("OPTIONS"))
    assert (await peer.final("OPTIONS")).status == 200


async def test_a_retransmitted_invite_is_the_same_call(peer: SipPeer, orchestrator: Orchestrator) -> None:
    dialog = Dialog(peer, caller="twice")
    peer.send(dialog.invite())
    peer.send(dialog.invite())
    dialog.acknowledge(await peer.final())
    await dialog.within("BYE")
    await (await orchestrator.call_from("twice")).over.wait()
    assert [seen.invite.caller for seen in orchestrator.calls].count("twice") == 1


async def test_a_cancelled_call_ends_with_487_and_the_orchestrator_is_told(
    peer: SipPeer, orchestrator: Orchestrator
) -> None:
    dialog = Dialog(peer, callee="undecided", caller="hasty")
    peer.send(dialog.invite())
    await peer.receive(lambda message: message.status == 180)
    await orchestrator.call_from("hasty")
    peer.send(dialog.request("CANCEL"))
    response = await peer.final("INVITE")
    dialog.acknowledge(response)
    assert response.status == 487


async def test_a_cancel_that_crosses_the_answer_leaves_no_call(peer: SipPeer, gateway: GatewayProcess) -> None:
    dialog = Dialog(peer, caller="crossing")
    peer.send(dialog.invite())
    peer.send(dialog.request("CANCEL"))
    response = await peer.final("INVITE")
    dialog.acknowledge(response)
    if response.status == 200:
        await dialog.within("BYE")
    await gateway.idle()


async def test_a_bye_before_the_ack_ends_the_call(peer: SipPeer, gateway: GatewayProcess) -> None:
    dialog = Dialog(peer)
    peer.send(dialog.invite())
    response = await peer.final()
    dialog.to_tag = response.headers["to"].rpartition("tag=")[2]
    assert (await dialog.within("BYE")).status == 200
    await gateway.idle()


async def test_a_call_on_hold_goes_on_with_its_clock(peer: SipPeer, orchestrator: Orchestrator) -> None:
    dialog = Dialog(peer, caller="holder")
    await dialog.ask()
    leg = (await orchestrator.call_from("holder")).leg
    assert leg
    for sequence, theirs, ours in [
        (2, "sendonly", "recvonly"),
        (3, "inactive", "inactive"),
        (4, "sendrecv", "sendrecv"),
    ]:
        answer = await dialog.renegotiate(sequence, theirs)
        assert (answer.status, f"a={ours}" in answer.body) == (200, True)
        before = leg.now()
        await until(lambda before=before: leg.now() > before + 0.3)  # type: ignore[misc]
    frames = (await orchestrator.call_from("holder")).heard
    assert max(after.at - frame.at for frame, after in pairwise(frames)) < 0.05
    await dialog.within("BYE", 5)


async def test_keys_are_heard_by_sip_info(peer: SipPeer, orchestrator: Orchestrator) -> None:
    dialog = Dialog(peer, caller="informer")
    await dialog.ask()
    seen = await orchestrator.call_from("informer")
    for sequence, signal in enumerate(("8", "x", "\t", "99", "d"), 2):
        body = f"Signal={signal}\r\nDuration=160\r\n"
        await dialog.within("INFO", sequence, ["Content-Type: application/dtmf-relay"], body)
    await until(lambda: [key.digit for key in seen.keys][-1:] == ["D"])
    assert seen.keys[0].digit == "8"
    assert (await dialog.within("BYE", 9)).status == 200


async def test_a_refer_is_declined_and_nobody_is_called(peer: SipPeer) -> None:
    dialog = Dialog(peer)
    await dialog.ask()
    async with SipPeer(peer.gateway_port) as stranger:
        refused = await dialog.within("REFER", extra=[f"Refer-To: <sip:premium@127.0.0.1:{stranger.port}>"])
        assert refused.status == 603
        assert (await dialog.within("BYE", 3)).status == 200
        assert stranger.seen == []


async def test_an_invite_that_would_replace_a_call_is_declined(peer: SipPeer, orchestrator: Orchestrator) -> None:
    dialog = Dialog(peer, caller="victim")
    answer = await dialog.ask()
    to_tag, from_tag = dialog.to_tag, f"t{dialog.number}"
    replaces = f"Replaces: {answer.headers['call-id']};to-tag={to_tag};from-tag={from_tag}"
    thief = Dialog(peer, caller="thief", extra=[replaces, "Require: replaces"])
    assert (await thief.ask()).status >= 400
    assert not (await orchestrator.call_from("victim")).over.is_set()
    await dialog.within("BYE")


async def test_many_invites_at_once_each_get_an_answer(peer: SipPeer, gateway: GatewayProcess) -> None:
    dialogs = [Dialog(peer, caller=f"flood{index}") for index in range(40)]
    for dialog in dialogs:
        peer.send(dialog.invite())
    by_call = {dialog.request("ACK").split("Call-ID: ")[1].split("\r\n")[0]: dialog for dialog in dialogs}
    answers: dict[str, SipMessage] = {}
    while len(answers) < len(dialogs):
        answer = await peer.final()
        answers.setdefault(answer.headers["call-id"], answer)  # a slow machine sees an unacknowledged 200 again
    for call, answer in answers.items():
        by_call[call].acknowledge(answer)
        if answer.status == 200:
            await by_call[call].within("BYE")
    assert {200, *(answer.status for answer in answers.values())} <= {200, 486, 503}
    await gateway.idle()
