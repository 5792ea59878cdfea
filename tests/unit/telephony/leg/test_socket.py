from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import numpy as np
import pytest

from orchestrator.core.audio import AudioFrame, silence
from orchestrator.core.errors import CarrierRejected, Hangup, LegError
from orchestrator.core.ports import CallLeg, Dtmf
from telephony.leg.answering import accept, receive_invite, reject
from telephony.leg.messages import (
    Accept,
    Answered,
    Clear,
    Cleared,
    Drained,
    Failed,
    HangUp,
    HungUp,
    Invite,
    KeyPressed,
    Playing,
    Reject,
    RtpStats,
)
from telephony.leg.socket import FRAMES_AT_ONCE, SocketLeg
from tests.fakes.transport import FakeTransport
from tests.virtual_clock import run_virtual

RATE = 16000
ANSWERED = Answered(rate=RATE, codec="PCMU")


@asynccontextmanager
async def answered_leg() -> AsyncIterator[tuple[SocketLeg, FakeTransport]]:
    gateway = FakeTransport()
    async with SocketLeg(gateway, ANSWERED) as leg:
        yield leg, gateway
        gateway.report(HungUp(by="caller", reason="bye"))


def on_a_leg(scene: Callable[[SocketLeg, FakeTransport], Awaitable[None]]) -> None:
    async def play() -> None:
        async with answered_leg() as (leg, gateway):
            await scene(leg, gateway)

    run_virtual(play())


async def settled() -> None:
    """Let every task that can run do so: a virtual moment passes only when all of them wait."""
    await asyncio.sleep(0.001)


def test_a_call_is_answered_in_the_order_of_the_protocol() -> None:
    async def scene() -> None:
        gateway = FakeTransport()
        invite = Invite(call_id=UUID(int=1), direction="inbound", caller="alice", callee="demo", gateway="sip-0")
        gateway.report(invite)
        assert await receive_invite(gateway) == invite
        gateway.report(ANSWERED)
        assert await accept(gateway) == ANSWERED
        assert gateway.commands == [Accept()]

    run_virtual(scene())


def test_an_unknown_number_is_rejected_with_its_status() -> None:
    async def scene() -> None:
        gateway = FakeTransport()
        await reject(gateway, 404, "Not Found")
        assert gateway.commands == [Reject(status=404, reason="Not Found")]

    run_virtual(scene())


def test_a_gateway_that_says_nothing_is_a_leg_error() -> None:
    async def scene() -> None:
        with pytest.raises(LegError, match="nothing for 5 s"):
            await receive_invite(FakeTransport())

    run_virtual(scene())


def test_a_caller_who_gives_up_before_the_answer_is_a_hangup() -> None:
    async def scene() -> None:
        gateway = FakeTransport()
        gateway.report(HungUp(by="caller", reason="cancel"))
        with pytest.raises(Hangup, match="cancel"):
            await accept(gateway)

    run_virtual(scene())


def test_a_refused_outbound_call_tells_the_carriers_status() -> None:
    async def scene() -> None:
        gateway = FakeTransport()
        gateway.report(Failed(command="dial", status=486, reason="Busy Here"))
        with pytest.raises(CarrierRejected) as caught:
            await accept(gateway)
        assert (caught.value.status, caught.value.reason) == (486, "Busy Here")

    run_virtual(scene())


def test_a_socket_leg_is_a_call_leg() -> None:
    async def scene(leg: SocketLeg, _: FakeTransport) -> None:
        port: CallLeg = leg
        assert port.rate == RATE

    on_a_leg(scene)


def test_the_caller_is_heard_on_the_media_clock_until_hangup() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        gateway.tick(640)
        gateway.report(KeyPressed(digit="5", at=800))
        gateway.tick(960)
        gateway.report(HungUp(by="caller", reason="bye", stats=RtpStats(received=2)))
        heard = [one async for one in leg.incoming()]
        assert [type(one) for one in heard] == [AudioFrame, Dtmf, AudioFrame]
        assert [one.at for one in heard] == [0.04, 0.05, 0.06]
        assert leg.ending is not None
        assert (leg.ending.by, leg.ending.reason, leg.ending.stats) == ("caller", "bye", RtpStats(received=2))

    on_a_leg(scene)


def test_play_waits_while_two_seconds_are_queued() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        playing = asyncio.ensure_future(leg.play(silence(3.0, RATE)))
        await settled()
        assert not playing.done()
        assert 2.0 < leg.queued <= 2.2 + 1e-9
        gateway.tick(0, played=RATE)
        await playing
        assert leg.queued == 3.0

    on_a_leg(scene)


def test_drain_returns_when_everything_has_played() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        await leg.play(silence(0.5, RATE))
        draining = asyncio.ensure_future(leg.drain())
        gateway.tick(0, played=7680)
        await settled()
        assert not draining.done()
        gateway.report(Drained(at=8320, index=8000))
        await draining
        assert leg.played == 0.5

    on_a_leg(scene)


def test_clear_tells_what_really_played_and_takes_the_rest_back() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        await leg.play(silence(1.0, RATE))
        clearing = asyncio.ensure_future(leg.clear())
        command = await gateway.told()
        assert isinstance(command, Clear)
        gateway.tick(6080, played=4800)
        gateway.report(Cleared(id=command.id, played=5120))
        assert await clearing == 5120 / RATE
        assert leg.queued == leg.played == 5120 / RATE

    on_a_leg(scene)


def test_nothing_is_sent_between_a_clear_and_its_answer() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        clearing = asyncio.ensure_future(leg.clear())
        await gateway.told()
        playing = asyncio.ensure_future(leg.play(silence(0.1, RATE)))
        await settled()
        assert gateway.audio == []
        gateway.report(Cleared(id=1, played=0))
        await clearing
        await playing
        assert len(gateway.audio) == 1

    on_a_leg(scene)


def test_a_clear_that_is_never_answered_is_a_leg_error() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        with pytest.raises(LegError, match="within 2 s"):
            await leg.clear()
        await leg.play(silence(0.1, RATE))
        assert len(gateway.audio) == 1

    on_a_leg(scene)


def test_the_first_reply_sample_is_stamped_when_it_left() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        await leg.play(silence(0.2, RATE))
        first = asyncio.ensure_future(leg.playing_since(0.0))
        second = asyncio.ensure_future(leg.playing_since(0.2))
        gateway.report(Playing(at=32000, index=0))
        await settled()
        assert not first.done()
        gateway.tick(31680, played=320)
        assert await first == 2.0
        gateway.report(Drained(at=35200, index=3200))
        await leg.play(silence(0.2, RATE))
        gateway.report(Playing(at=48000, index=3200))
        gateway.tick(47680, played=3520)
        assert await second == 3.0

    on_a_leg(scene)


def test_now_runs_on_between_frames() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        assert leg.now() == 0.0
        gateway.tick(960, now=1600)
        await settled()
        before = leg.now()
        await asyncio.sleep(0.5)
        assert leg.now() - before == pytest.approx(0.5)
        assert leg.now() == pytest.approx(0.6, abs=0.01)

    on_a_leg(scene)


def test_every_wait_ends_with_hangup_when_the_call_does() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        await leg.play(silence(2.1, RATE))
        waits = [
            asyncio.ensure_future(wait)
            for wait in (leg.play(silence(0.1, RATE)), leg.drain(), leg.clear(), leg.playing_since(1.0))
        ]
        await settled()
        gateway.report(HungUp(by="caller", reason="bye"))
        ends = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(end) for end in ends] == [Hangup] * 4

    on_a_leg(scene)


def test_a_broken_socket_ends_the_call_as_lost() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        gateway.close()
        assert [one async for one in leg.incoming()] == []
        assert leg.lost
        with pytest.raises(Hangup):
            await leg.play(silence(0.1, RATE))

    on_a_leg(scene)


@pytest.mark.parametrize("garbage", ["{", "\0", b"\0", '{"type": "hangup"}', Answered(rate=8000, codec="x").encode()])
def test_garbage_ends_the_call_as_lost_with_a_reason(garbage: str | bytes) -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        gateway.garbage(garbage)
        assert [one async for one in leg.incoming()] == []
        assert leg.lost

    on_a_leg(scene)


def test_hanging_up_twice_tells_the_gateway_once() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        hanging = asyncio.ensure_future(leg.hangup())
        assert await gateway.told() == HangUp()
        gateway.report(HungUp(by="agent", reason="bye"))
        await hanging
        await leg.hangup()
        assert gateway.commands == []

    on_a_leg(scene)


def test_a_transfer_is_declined_and_the_call_goes_on() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        transferring = asyncio.ensure_future(leg.transfer("sip:human@example.com"))
        await gateway.told()
        gateway.report(Failed(command="transfer", status=603, reason="Decline"))
        with pytest.raises(LegError, match="603 Decline"):
            await transferring
        assert leg.ending is None

    on_a_leg(scene)


def test_a_recording_that_stops_does_not_end_the_call() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        gateway.report(Failed(command="record", status=500, reason="No space left on device"))
        await settled()
        assert leg.recording_failure == "No space left on device"
        assert leg.ending is None

    on_a_leg(scene)


def test_audio_of_another_rate_is_refused() -> None:
    async def scene(leg: SocketLeg, _: FakeTransport) -> None:
        with pytest.raises(LegError, match="16000 Hz, not 8000 Hz"):
            await leg.play(silence(0.1, 8000))

    on_a_leg(scene)


def test_a_consumer_that_falls_behind_loses_the_oldest_audio_only() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        for index in range(1600):
            gateway.tick(index * 320)
        await settled()
        gateway.report(HungUp(by="caller", reason="bye"))
        heard = [one.at async for one in leg.incoming()]
        assert len(heard) == 1500
        assert np.diff(heard).max() == pytest.approx(0.02)
        assert heard[-1] == pytest.approx(1599 * 0.02)

    on_a_leg(scene)


def test_whoever_is_behind_with_listening_lets_others_work_after_a_few_frames() -> None:
    async def scene(leg: SocketLeg, gateway: FakeTransport) -> None:
        for number in range(2 * FRAMES_AT_ONCE):
            gateway.tick(number * 320)
        await settled()
        turns: list[str] = []

        async def listen() -> None:
            frames = leg.incoming()
            while await anext(frames, None) is not None:
                turns.append("heard")

        async def work() -> None:
            for _ in range(2):
                turns.append("worked")
                await asyncio.sleep(0)

        listening = asyncio.create_task(listen())
        await work()
        await settled()
        heard = ["heard"] * FRAMES_AT_ONCE
        assert turns == ["worked", *heard, "worked", *heard]
        listening.cancel()

    on_a_leg(scene)
