"""Audio over the whole way: a PJSIP phone, RTP, the gateway, the leg socket, and back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.core.audio import AudioFrame, joined
from telephony.leg.socket import SocketLeg
from tests.integration.telephony.gateway import GatewayProcess, running_gateway
from tests.integration.telephony.orchestrator import Behaviour, Orchestrator, Seen, running_orchestrator
from tests.integration.telephony.patience import until
from tests.integration.telephony.recorded import ended, recorded
from tests.integration.telephony.sounds import LOUD, RATE, channels, loud_span, pitch, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

TICK = 0.02
SLIP = 0.1  # a jitter buffer on a busy machine stretches or cuts a few packets


class Stage:
    """A gateway with an orchestrator behind it, and phones that call."""

    def __init__(self, orchestrator: Orchestrator, gateway: GatewayProcess, folder: Path) -> None:
        self._orchestrator = orchestrator
        self._gateway = gateway
        self.folder = folder

    async def call(
        self, behaviour: Behaviour, codec: str = "PCMU", transport: str = "udp", keys: str = ""
    ) -> tuple[Seen, Path]:
        """One call by a phone, from beginning to end; what the orchestrator saw, and the phone's recording."""
        index = len(self._orchestrator.calls)
        self._orchestrator.behaviour = behaviour
        recording = self.folder / f"phone-{index}.wav"
        uri = f"sip:demo@127.0.0.1:{self._gateway.port}"
        phone = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.integration.telephony.phone", uri, codec, transport, keys, str(recording)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await phone.wait() == 0
        seen = await self._orchestrator.call(index)
        async with asyncio.timeout(5):
            await seen.over.wait()
        return seen, recording


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("recordings")
    async with running_orchestrator() as orchestrator, running_gateway(orchestrator.url, folder) as gateway:
        yield Stage(orchestrator, gateway, folder)


def caught(seen: Seen) -> AudioFrame:
    """All that the orchestrator heard."""
    return joined(seen.heard)


async def answer_with_a_tone(leg: SocketLeg, seen: Seen) -> None:
    """As soon as the caller's tone begins, play a second of another; listen on."""
    answered = False
    async for one in leg.incoming():
        if not isinstance(one, AudioFrame):
            seen.keys.append(one)
            continue
        seen.heard.append(one)
        if not answered and (abs(one.pcm.astype(int)) > LOUD).any():
            answered = True
            await leg.play(tone(880, 1.0))


@pytest.mark.parametrize(
    ("codec", "transport"), [("PCMU", "udp"), ("PCMA", "udp"), ("G722", "udp"), ("PCMU", "tcp"), ("G722", "tcp")]
)
async def test_both_directions_are_heard(codec: str, transport: str, stage: Stage) -> None:
    seen, recording = await stage.call(answer_with_a_tone, codec, transport)
    assert seen.leg and seen.leg.codec == codec
    heard = caught(seen).pcm
    start, end = loud_span(heard)
    assert end - start == pytest.approx(0.5, abs=SLIP)
    assert pitch(heard[round(start * RATE) : round(end * RATE)]) == pytest.approx(440, abs=5)
    _, at_phone = channels(recording)
    start, end = loud_span(at_phone)
    assert end - start == pytest.approx(1.0, abs=SLIP)
    assert pitch(at_phone[round(start * RATE) : round(end * RATE)]) == pytest.approx(880, abs=5)
    assert seen.leg.ending and seen.leg.ending.stats
    assert seen.leg.ending.stats.received > 100
    assert seen.leg.ending.stats.lost == 0


async def test_the_media_clock_agrees_with_the_callers_recording(stage: Stage) -> None:
    began: list[float] = []

    async def answer(leg: SocketLeg, seen: Seen) -> None:
        async with asyncio.TaskGroup() as group:
            stamping = group.create_task(leg.playing_since(0.0))
            await answer_with_a_tone(leg, seen)
            began.append(await stamping)

    seen, recording = await stage.call(answer, "G722")
    sent, heard = channels(recording)
    at_caller = loud_span(heard)[0] - loud_span(sent)[0]
    loud = next(frame for frame in seen.heard if (abs(frame.pcm.astype(int)) > LOUD).any())
    on_timeline = began[0] - (loud.at + loud_span(loud.pcm)[0])
    # The caller's own jitter buffer, which the gateway cannot see, holds one or two packets.
    assert 0.0 < at_caller - on_timeline < 3 * TICK


async def test_clear_tells_exactly_what_the_caller_heard(stage: Stage) -> None:
    played: list[float] = []

    async def interrupted(leg: SocketLeg, seen: Seen) -> None:
        await leg.play(tone(1000, 2.0))
        async for one in leg.incoming():
            if isinstance(one, AudioFrame):
                seen.heard.append(one)
                if not played and (abs(one.pcm.astype(int)) > LOUD).any():
                    played.append(await leg.clear())

    seen, recording = await stage.call(interrupted, "G722")
    _, heard = channels(recording)
    start, end = loud_span(heard)
    assert 0.3 < played[0] < 1.5
    assert end - start == pytest.approx(played[0], abs=SLIP)
    call = seen.invite.call_id
    await until(lambda: ended(stage.folder, call))
    assert seen.recorded_from is not None
    _, agent = recorded(stage.folder, call)
    start, end = loud_span(agent)
    assert end - start == pytest.approx(played[0], abs=0.001)


async def test_keys_are_heard_as_rfc_4733_events(stage: Stage) -> None:
    seen, _ = await stage.call(answer_with_a_tone, keys="1*#0")
    assert "".join(key.digit for key in seen.keys) == "1*#0"
    assert [key.at for key in seen.keys] == sorted(key.at for key in seen.keys)
    assert 0.9 < seen.keys[0].at < 1.5
