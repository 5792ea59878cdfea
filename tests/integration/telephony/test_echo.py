"""The agent's voice comes back over real SIP: a whole call with the real voice detector behind the gateway's guard."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchmarks.human_speech import Recorded, recordings
from benchmarks.sound_files import read_wav
from inference.registry import Registry, build_engine
from inference.vad.silero import Silero
from orchestrator.calls.prepared import prepare
from orchestrator.calls.session import CallSession
from orchestrator.calls.setup import CallEngines, CallSetup
from orchestrator.core.agent import Agent
from orchestrator.core.audio import AudioFrame
from orchestrator.core.events import Happened, TurnFinished
from orchestrator.core.turn import Turn
from telephony.leg.socket import SocketLeg
from tests.calls.scene import CALL_ID, Kept
from tests.fakes.engines import (
    FakeEmbedder,
    FakeInterjections,
    FakeLanguageModel,
    FakeRecognizer,
    FakeTurnDetector,
)
from tests.integration.telephony.gateway import running_gateway
from tests.integration.telephony.orchestrator import Seen, running_orchestrator

AGENT_SAYS = ("prompt/vm-sorry", "prompt/demo-thanks")
OVER = "book/0930"
WORDS = "Wait, I have a question."
ON_THIS_MACHINE = {"name": "here", "networks": ["127.0.0.0/8"]}
PORT = 17084
AGENT = Agent(name="demo", numbers=("demo",), greeting="A long greeting from people.", persona="You answer the phone.")


class Recited:
    """A TextToSpeech that plays a recording of people, whatever the text."""

    def __init__(self, speech: AudioFrame) -> None:
        self._speech = speech

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        yield self._speech


@pytest.fixture(scope="module")
def human() -> dict[str, Recorded]:
    return recordings()


async def carry(kept: Kept, greeting: AudioFrame, leg: SocketLeg) -> None:
    """One call with an agent that says *greeting*."""
    registry = Registry()
    manifest = registry.manifest(registry.profile("cpu-tiny").engines["vad"].model)
    vad = cast("Silero", build_engine(manifest, registry.files(manifest), threads=1)).open()
    tts = Recited(greeting)
    words = FakeRecognizer(lambda _: WORDS)
    engines = CallEngines(vad, words, FakeTurnDetector(), FakeLanguageModel(), tts, FakeInterjections())
    await CallSession(CALL_ID, leg, CallSetup(await prepare(AGENT, FakeEmbedder(), tts), engines, kept)).run()


async def call(
    folder: Path,
    human: dict[str, Recorded],
    *,
    seconds: float,
    over: tuple[Path, float] | None = None,
    guarded: bool = True,
) -> Kept:
    """What a call from a telephone in hands-free use leaves behind. over: what is said over the agent, and when."""
    kept = Kept()
    trunk = {**ON_THIS_MACHINE, "echo_guard": guarded}
    greeting = AudioFrame(np.concatenate([read_wav(human[name].path) for name in AGENT_SAYS]), 16000)

    async def behave(leg: SocketLeg, seen: Seen) -> None:
        await carry(kept, greeting, leg)

    async with (
        running_orchestrator(behave) as orchestrator,
        running_gateway(orchestrator.url, folder, port=PORT, trunks=[trunk]) as sip,
    ):
        uri = f"sip:demo@127.0.0.1:{sip.port}"
        speech, at = over or ("-", 0.0)
        phone = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.integration.telephony.echoing_phone", uri, str(seconds), str(speech), str(at)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await phone.wait() == 0
        async with asyncio.timeout(5):
            await (await orchestrator.call()).over.wait()
    return kept


def onsets(kept: Kept) -> list[Happened]:
    return [one for one in kept.records if isinstance(one, Happened) and one.type == "speech_started"]


def turns(kept: Kept) -> list[Turn]:
    return [one.turn for one in kept.records if isinstance(one, TurnFinished)]


async def test_an_agent_whose_voice_comes_back_finishes_and_hears_nothing(
    tmp_path: Path, human: dict[str, Recorded]
) -> None:
    kept = await call(tmp_path, human, seconds=10.5)
    assert not onsets(kept)
    (greeting,) = turns(kept)
    assert greeting.heard_text == greeting.reply_text == AGENT.greeting


async def test_without_the_guard_the_same_echo_interrupts_the_agent(tmp_path: Path, human: dict[str, Recorded]) -> None:
    kept = await call(tmp_path, human, seconds=10.5, guarded=False)
    assert onsets(kept)


async def test_somebody_who_keeps_speaking_over_the_agent_and_its_echo_stops_it(
    tmp_path: Path, human: dict[str, Recorded]
) -> None:
    kept = await call(tmp_path, human, seconds=10.5, over=(human[OVER].path, 3.0))
    greeting, *others = turns(kept)
    assert len(greeting.heard_text) < len(greeting.reply_text)
    assert {turn.caller_text for turn in others} == {WORDS}
