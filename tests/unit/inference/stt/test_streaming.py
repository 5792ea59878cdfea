from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import pairwise

import numpy as np
import pytest

from inference.stt.streaming import StreamedRecognizer
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import EngineTimeout
from orchestrator.core.ports import Transcript
from tests.fakes.engines import FakeRecognizer
from tests.virtual_clock import run_virtual

RATE = 16000
WORDS = ["I", "need", "a", "room", "for", "two", "nights", "from", "Monday", "please", "thank", "you"]
PER_WORD = 0.4


def said_in(window: AudioFrame) -> str:
    """One word for each 0.4 s of the window."""
    return " ".join(WORDS[: round(window.duration / PER_WORD)])


async def speech(duration: float) -> AsyncGenerator[AudioFrame, None]:
    """Frames of 20 ms, in real time."""
    for index in range(round(duration / 0.02)):
        await asyncio.sleep(0.02)
        yield AudioFrame(np.ones(320, dtype=np.int16), RATE, index * 0.02)


async def transcripts(recognizer: FakeRecognizer, frames: AsyncIterator[AudioFrame]) -> list[Transcript]:
    return [heard async for heard in StreamedRecognizer(recognizer).transcribe(frames)]


def test_stable_words_appear_while_the_caller_speaks_and_the_final_text_is_whole() -> None:
    heard = run_virtual(transcripts(FakeRecognizer(said_in, delay=0.2), speech(4.0)))
    assert [transcript.final for transcript in heard] == [False] * (len(heard) - 1) + [True]
    assert heard[-1].text == " ".join(WORDS[:10])
    assert heard[0].text == "I need"
    assert all(later.text.startswith(text.text) for text, later in pairwise(heard))


def test_a_slow_recogniser_is_never_asked_twice_at_once() -> None:
    class Jealous(FakeRecognizer):
        async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
            assert not busy
            busy.append(window)
            try:
                return await super().recognize(window)
            finally:
                busy.pop()

    busy: list[AudioFrame] = []
    recognizer = Jealous(said_in, delay=1.5)
    heard = run_virtual(transcripts(recognizer, speech(4.4)))
    assert heard[-1].text == " ".join(WORDS[:11])
    assert [round(window.duration, 1) for window in recognizer.requests] == [0.8, 2.3, 3.8, 4.4]


def test_a_failing_recogniser_fails_the_final_transcript_only() -> None:
    recognizer = FakeRecognizer(said_in, failure=EngineTimeout("fake", "too slow"))

    async def run() -> None:
        with pytest.raises(EngineTimeout):
            await transcripts(recognizer, speech(3.0))

    run_virtual(run())
    assert len(recognizer.requests) == 4


def test_silence_from_the_beginning_is_an_empty_final_transcript() -> None:
    heard = run_virtual(transcripts(FakeRecognizer(said_in), speech(0.0)))
    assert [(transcript.text, transcript.final) for transcript in heard] == [("", True)]


def test_closing_cancels_the_recognition_and_the_speech() -> None:
    closed = []

    async def watched() -> AsyncGenerator[AudioFrame, None]:
        try:
            async with aclosing(speech(60.0)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            closed.append(True)

    async def run() -> None:
        async with aclosing(StreamedRecognizer(FakeRecognizer(said_in, delay=0.7)).transcribe(watched())) as heard:
            await anext(heard)

    run_virtual(run())
    assert closed == [True]
