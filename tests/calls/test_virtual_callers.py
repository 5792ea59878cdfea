"""Calls without a line: who types, and who plays a recording, talk to the same session as anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from orchestrator.calls.prepared import PreparedAgent, prepare
from orchestrator.calls.session import CallSession
from orchestrator.calls.setup import CallEngines, CallSetup
from orchestrator.calls.typed import RATE, typed
from orchestrator.core.audio import AudioFrame
from orchestrator.core.events import EndReason, Happened, Spoken
from orchestrator.core.typed_lines import TypedLines
from telephony.virtual.gateway import Caller, virtual_leg
from telephony.virtual.playback import Playback
from tests.calls.scene import AGENT, CALL_ID, Kept
from tests.fakes.engines import (
    FakeEmbedder,
    FakeInterjections,
    FakeLanguageModel,
    FakeRecognizer,
    FakeTextToSpeech,
    FakeTurnDetector,
    FakeVoiceActivity,
)
from tests.fakes.speech import Lexicon
from tests.virtual_clock import run_virtual


def fakes(lexicon: Lexicon) -> CallEngines:
    return CallEngines(
        FakeVoiceActivity(),
        FakeRecognizer(lexicon.hear),
        FakeTurnDetector(),
        FakeLanguageModel(),
        FakeTextToSpeech(lexicon),
        FakeInterjections(),
    )


async def agent(lexicon: Lexicon) -> PreparedAgent:
    return await prepare(AGENT, FakeEmbedder(), FakeTextToSpeech(lexicon))


async def called(caller: Caller, setup: CallSetup, *, instant: bool = False) -> EndReason:
    """A whole call of *caller*'s."""
    async with virtual_leg(caller, RATE, instant=instant) as leg:
        return await CallSession(CALL_ID, leg, setup).run()


def typing(script: Callable[[TypedLines], Awaitable[None]]) -> tuple[Kept, EndReason]:
    """A call whose caller types what *script* types, and then leaves."""
    kept, lexicon, lines = Kept(), Lexicon(), TypedLines(RATE)

    async def run() -> EndReason:
        answering = await agent(lexicon)
        async with asyncio.TaskGroup() as group:
            setup = typed(CallSetup(answering, fakes(lexicon), kept), lines)
            call = group.create_task(called(lines, setup, instant=True))
            await script(lines)
            lines.leave()
            return await call

    return kept, run_virtual(run())


def lines_of(kept: Kept) -> list[tuple[str, str]]:
    return [(record.speaker, record.text) for record in kept.records if isinstance(record, Spoken)]


def test_a_typed_question_is_answered_like_a_spoken_one() -> None:
    async def script(lines: TypedLines) -> None:
        await asyncio.sleep(1)
        lines.type("when are you open")
        await asyncio.sleep(4)

    kept, reason = typing(script)
    assert lines_of(kept) == [
        ("agent", "Hello there."),
        ("caller", "when are you open"),
        ("agent", "We open at nine every day."),
    ]
    assert reason is EndReason.CALLER_HANGUP


def test_lines_typed_in_one_go_are_one_turn() -> None:
    async def script(lines: TypedLines) -> None:
        await asyncio.sleep(1)
        lines.type("what are your")
        lines.type("opening hours")
        await asyncio.sleep(5)

    kept, _ = typing(script)
    assert lines_of(kept)[1:] == [("caller", "what are your opening hours"), ("agent", "We open at nine every day.")]


def test_a_key_that_is_pressed_is_an_event_of_the_call() -> None:
    async def script(lines: TypedLines) -> None:
        await asyncio.sleep(1)
        lines.press("5")
        await asyncio.sleep(1)

    kept, _ = typing(script)
    assert [r.payload for r in kept.records if isinstance(r, Happened) and r.type == "dtmf"] == [{"digit": "5"}]


def test_an_agent_hears_a_recording_out_and_the_caller_hears_the_answer_out() -> None:
    kept, lexicon = Kept(), Lexicon()
    question = lexicon.speak("when are you open", at=0.0)
    before = np.zeros(3 * question.rate, dtype=np.int16)
    recording = AudioFrame(np.concatenate([before, question.pcm]), question.rate)

    async def run() -> EndReason:
        return await called(Playback(recording), CallSetup(await agent(lexicon), fakes(lexicon), kept))

    reason = run_virtual(run())
    assert lines_of(kept)[1:] == [("caller", "when are you open"), ("agent", "We open at nine every day.")]
    assert reason is EndReason.CALLER_HANGUP
