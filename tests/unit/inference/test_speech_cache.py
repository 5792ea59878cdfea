from __future__ import annotations

import numpy as np
import pytest

from inference.manifest import Manifest
from inference.speech_cache import SpeechCache
from orchestrator.core.audio import AudioFrame, joined
from tests.fakes.engines import FakeTextToSpeech


def manifest(**options: float) -> Manifest:
    return Manifest(name="voice", kind="tts", engine="piper", licence="MIT", languages=("en",), options=options)


async def spoken(cache: SpeechCache, sentence: str, voice: str = "") -> AudioFrame:
    return joined([frame async for frame in cache.synthesize(sentence, voice=voice)])


async def test_a_sentence_is_synthesised_once(tmp_path):
    tts = FakeTextToSpeech()
    first = await spoken(SpeechCache(tts, manifest(), tmp_path), "Hello there.")
    again = await spoken(SpeechCache(tts, manifest(), tmp_path), "Hello there.")
    assert np.array_equal(first.pcm, again.pcm)
    assert (again.rate, tts.requests) == (first.rate, ["Hello there."])


async def test_the_ends_of_the_words_are_kept_with_the_sound(tmp_path):
    first = await spoken(SpeechCache(FakeTextToSpeech(tells=True), manifest(), tmp_path), "Hello there.")
    again = await spoken(SpeechCache(FakeTextToSpeech(tells=True), manifest(), tmp_path), "Hello there.")
    assert again.word_ends == pytest.approx((0.28, 0.58)) == first.word_ends


@pytest.mark.parametrize("left", ["", "{}", "[1, ", '["a"]'])
async def test_damaged_ends_of_words_leave_the_sound(tmp_path, left):
    await spoken(SpeechCache(FakeTextToSpeech(tells=True), manifest(), tmp_path), "Hello there.")
    next(tmp_path.glob("*.json")).write_text(left)
    again = await spoken(SpeechCache(FakeTextToSpeech(), manifest(), tmp_path), "Hello there.")
    assert len(again.pcm)
    assert again.word_ends == ()


async def test_another_voice_or_another_option_is_another_sound(tmp_path):
    tts = FakeTextToSpeech()
    await spoken(SpeechCache(tts, manifest(), tmp_path), "Hello.")
    await spoken(SpeechCache(tts, manifest(), tmp_path), "Hello.", voice="ann")
    await spoken(SpeechCache(tts, manifest(speed=1.2), tmp_path), "Hello.")
    assert len(tts.requests) == 3


async def test_speech_that_was_cut_short_is_not_kept(tmp_path):
    tts = FakeTextToSpeech()
    stream = SpeechCache(tts, manifest(), tmp_path).synthesize("Hello there my friend.")
    await anext(stream)
    await stream.aclose()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [0, 4, 44, 45, 1001])
async def test_a_damaged_file_is_made_again(tmp_path, left):
    tts = FakeTextToSpeech()
    await spoken(SpeechCache(tts, manifest(), tmp_path), "Hello.")
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:left])
    assert len((await spoken(SpeechCache(tts, manifest(), tmp_path), "Hello.")).pcm)
    assert len(tts.requests) == 2


async def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len((await spoken(SpeechCache(FakeTextToSpeech(), manifest(), blocked), "Hello.")).pcm)
