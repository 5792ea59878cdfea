from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.registry import Registry, build_engine
from inference.tts import piper
from inference.tts.piper import Piper, stretches
from orchestrator.core.audio import joined

SENTENCE = "We are open Monday to Friday, from eight in the morning to six in the evening."


@pytest.fixture(scope="module")
def voice_files():
    registry = Registry()
    manifest = registry.manifest("piper-joe")
    # Without the random durations and noise, the same sentence is the same sound.
    still = manifest.model_copy(update={"options": {**manifest.options, "noise": 0.0, "noise_width": 0.0}})
    return still, registry.pull(manifest)


def voice(voice_files) -> Piper:
    engine = build_engine(*voice_files, threads=1)
    assert isinstance(engine, Piper)
    return engine


async def test_streamed_speech_equals_the_whole_sentence(voice_files, monkeypatch):
    streamed = [frame async for frame in voice(voice_files).synthesize(SENTENCE)]
    monkeypatch.setattr(piper, "_cut", lambda model, threads: None)
    whole = joined([frame async for frame in voice(voice_files).synthesize(SENTENCE)])
    assert len(streamed) > 3
    assert abs(len(joined(streamed).pcm) - len(whole.pcm)) <= 1
    shortest = min(len(whole.pcm), len(joined(streamed).pcm))
    difference = joined(streamed).pcm[:shortest].astype(int) - whole.pcm[:shortest]
    assert np.abs(difference).max() <= 2


async def test_pieces_follow_each_other_in_time(voice_files):
    frames = [frame async for frame in voice(voice_files).synthesize(SENTENCE)]
    assert [frame.at for frame in frames[1:]] == pytest.approx([frame.end for frame in frames[:-1]])
    assert {frame.rate for frame in frames} == {16000}
    assert 3.0 < frames[-1].end < 7.0


async def test_the_first_piece_is_short_and_begins_with_speech(voice_files):
    first = await anext(voice(voice_files).synthesize(SENTENCE))
    assert first.duration < 0.4
    assert np.abs(first.pcm[: round(0.1 * 16000)].astype(int)).max() > 300


async def test_closing_stops_the_decoder(voice_files, monkeypatch):
    engine = voice(voice_files)
    decoded = []
    original = engine._stretches

    def counted(*arguments):
        for samples in original(*arguments):
            decoded.append(len(samples))
            yield samples

    monkeypatch.setattr(engine, "_stretches", counted)
    stream = engine.synthesize(SENTENCE)
    await anext(stream)
    await stream.aclose()
    await engine.close()
    assert len(decoded) <= 2


async def test_a_text_without_sound_is_silent(voice_files):
    assert [frame async for frame in voice(voice_files).synthesize("…")] == []


@given(st.integers(1, 2000), st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_stretches_cover_every_frame_once(frames, sizes):
    cut = list(stretches(frames, tuple(sizes)))
    assert cut[0][0] == 0
    assert cut[-1][1] == frames
    assert all(before[1] == after[0] for before, after in zip(cut[:-1], cut[1:], strict=True))
    assert all(start < end for start, end in cut)
