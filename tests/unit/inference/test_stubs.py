"""The engines of the profile `stub`: each takes the time that it is given, and computes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.manifest import Kind
from inference.registry import Registry, build_engine
from orchestrator.core.audio import AudioFrame, level_dbfs, silence
from orchestrator.core.ports import Message, TextDelta
from tests.virtual_clock import run_virtual


def stub(kind: Kind, **options: object) -> Any:
    manifest = Registry().manifest(f"stub-{kind}")
    return build_engine(manifest.model_copy(update={"options": manifest.options | options}), Path(), threads=1)


def noise(seconds: float) -> AudioFrame:
    return AudioFrame(np.full(round(seconds * 16_000), 1000, dtype=np.int16), 16_000)


async def timed(stream: Any) -> list[tuple[float, Any]]:
    clock = asyncio.get_running_loop().time
    return [(clock(), item) async for item in stream]


def test_the_recogniser_gives_a_longer_window_more_of_the_same_words() -> None:
    async def heard(seconds: float) -> str:
        return str((await stub("stt", words="one two three", words_per_second=2).recognize(noise(seconds))).text)

    assert run_virtual(heard(1.0)) == "one two"
    assert run_virtual(heard(2.5)) == "one two three one two"


def test_the_recogniser_finds_no_words_in_silence() -> None:
    assert run_virtual(stub("stt").recognize(silence(1.0, 16_000))).text == ""


def test_the_language_models_tokens_come_at_their_times_however_slow_the_reader_is() -> None:
    async def read() -> list[float]:
        clock = asyncio.get_running_loop().time
        times = []
        async for _ in stub("llm", first_token=0.2, per_token=0.1, text="a b c").complete([Message("user", "?")]):
            times.append(clock())
            await asyncio.sleep(0.05)
        return times

    assert run_virtual(read()) == pytest.approx([0.2, 0.3, 0.4])


def test_the_language_model_says_no_more_than_it_may() -> None:
    tokens = run_virtual(timed(stub("llm", text="a b c").complete([], max_tokens=2)))
    assert [token for _, token in tokens] == [TextDelta("a"), TextDelta(" b")]


def test_the_voice_sounds_as_long_as_its_sentence_would_take() -> None:
    voice = stub("tts", first_audio=0.1, per_piece=0.02, piece=0.2, characters_per_second=10)
    pieces = run_virtual(timed(voice.synthesize("ten letter")))
    assert [at for at, _ in pieces] == pytest.approx([0.1, 0.12, 0.14, 0.16, 0.18])
    assert sum(frame.duration for _, frame in pieces) == pytest.approx(1.0)
    assert all(level_dbfs(window) > -30 for _, frame in pieces for window in frame.pcm.reshape(-1, 320))


def test_a_text_is_like_itself_and_like_no_other() -> None:
    vectors = run_virtual(stub("embed").embed(["When?", "when?", "How much?"]))
    assert (vectors @ vectors.T).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_every_utterance_sounds_as_finished_as_the_manifest_says() -> None:
    assert run_virtual(stub("turns", finished=0.3).finished(noise(1.0))) == 0.3


def test_everybody_is_calm() -> None:
    assert run_virtual(stub("sentiment").score("This is terrible!")).score == 0
