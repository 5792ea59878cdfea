from __future__ import annotations

import asyncio

import numpy as np
import pytest

from orchestrator.core.audio import AudioFrame, joined
from orchestrator.core.errors import Hangup
from orchestrator.core.ports import CallLeg, Dtmf
from tests.fakes.leg import FakeLeg
from tests.virtual_clock import run_virtual

RATE = 16000


def tone(duration: float, at: float = 0.0) -> AudioFrame:
    return AudioFrame(np.full(round(duration * RATE), 1000, dtype=np.int16), RATE, at)


def test_the_script_is_heard_in_real_time_frames() -> None:
    async def scene() -> None:
        leg: CallLeg = FakeLeg(says=[tone(0.1, at=0.5)], keys=[Dtmf("7", 0.3)], hangs_up=1.0)
        heard = [(asyncio.get_running_loop().time(), one) async for one in leg.incoming()]
        frames = [one for _, one in heard if isinstance(one, AudioFrame)]
        assert len(frames) == 49
        pcm = joined(frames).pcm
        assert np.flatnonzero(pcm)[[0, -1]].tolist() == [8000, 9599]
        assert all(when == pytest.approx(one.end, abs=1e-6) for when, one in heard if isinstance(one, AudioFrame))
        assert [one for _, one in heard if isinstance(one, Dtmf)] == [Dtmf("7", 0.3)]

    run_virtual(scene())


def test_playing_does_not_hurry_the_caller() -> None:
    async def scene() -> None:
        leg = FakeLeg(hangs_up=0.5)

        async def chatter() -> None:
            for _ in range(10):
                await leg.play(tone(0.01))
                await asyncio.sleep(0.013)

        async with asyncio.TaskGroup() as group:
            group.create_task(chatter())
            times = [asyncio.get_running_loop().time() - one.end async for one in leg.incoming()]  # type: ignore[union-attr]
        assert max(map(abs, times)) < 1e-6

    run_virtual(scene())


def test_the_playout_takes_as_long_as_its_audio() -> None:
    async def scene() -> None:
        leg = FakeLeg()
        leg.now()
        await asyncio.sleep(0.5)
        await leg.play(tone(1.0))
        assert await leg.playing_since(0.25) == pytest.approx(0.75)
        await leg.drain()
        assert leg.now() == pytest.approx(1.5)
        assert leg.played == leg.queued == 1.0
        assert np.flatnonzero(leg.heard.pcm)[[0, -1]].tolist() == [8000, 23999]

    run_virtual(scene())


def test_clear_counts_what_was_heard_and_drops_the_rest() -> None:
    async def scene() -> None:
        leg = FakeLeg()
        await leg.play(tone(1.0))
        await asyncio.sleep(0.3)
        assert await leg.clear() == pytest.approx(0.3)
        assert leg.queued == leg.played == pytest.approx(0.3)
        await asyncio.sleep(0.7)
        await leg.play(tone(0.1))
        assert await leg.playing_since(0.3) == pytest.approx(1.0)
        await leg.drain()
        assert np.count_nonzero(leg.heard.pcm) == round(0.4 * RATE)

    run_virtual(scene())


def test_play_waits_while_enough_is_queued() -> None:
    async def scene() -> None:
        leg = FakeLeg(ahead=2.0)
        for _ in range(5):
            await leg.play(tone(1.0))
        assert leg.now() == pytest.approx(2.0)

    run_virtual(scene())


def test_waits_end_with_the_call() -> None:
    async def scene() -> None:
        leg = FakeLeg(hangs_up=1.0)
        await leg.play(tone(3.0))
        for wait in (leg.drain(), leg.playing_since(9.0), leg.play(tone(0.1)), leg.clear()):
            with pytest.raises(Hangup):
                await wait
        assert leg.now() == pytest.approx(1.0)

    run_virtual(scene())
