from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from inference.manifest import Manifest
from inference.registry import Registry
from inference.tts.piper import Options, Piper, gain, load
from inference.tts.vits import Inputs, Samples, Spoken, Vits
from orchestrator.core.audio import joined, level_dbfs
from orchestrator.core.errors import ConfigError

SENTENCE = "We are open Monday to Friday, from eight in the morning to six in the evening."


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The voice without its random durations and noise, so that a sentence sounds the same every time."""
    shipped = Registry().manifest("piper-joe")
    return shipped.model_copy(update={"options": {**shipped.options, "noise": 0.0, "noise_width": 0.0}})


@pytest.fixture(scope="module")
def files(manifest: Manifest) -> Path:
    return Registry().pull(manifest)


@pytest.fixture(scope="module")
def piper(manifest: Manifest, files: Path) -> Piper:
    return load(manifest, files, threads=1)


class CountingVits:
    """Counts the stretches that were asked of *vits*."""

    def __init__(self, vits: Vits) -> None:
        self.vits = vits
        self.stretches = 0

    def speak(self, inputs: Inputs) -> Spoken:
        spoken = self.vits.speak(inputs)
        return Spoken(spoken.lengths, self.counted(spoken.pieces))

    def counted(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        for samples in pieces:
            self.stretches += 1
            yield samples


async def test_pieces_follow_each_other_in_time(piper: Piper) -> None:
    frames = [frame async for frame in piper.synthesize(SENTENCE)]
    assert len(frames) > 3
    assert frames[0].at == 0.0
    assert [frame.at for frame in frames[1:]] == pytest.approx([frame.end for frame in frames[:-1]])
    assert {frame.rate for frame in frames} == {16000}
    assert 3.0 < frames[-1].end < 7.0


async def test_the_end_of_every_word_is_told_with_the_piece_that_it_lies_in(piper: Piper) -> None:
    frames = [frame async for frame in piper.synthesize(f"{SENTENCE} Call us in the morning!")]
    assert all(0.0 <= end <= frame.duration for frame in frames for end in frame.word_ends)
    speech = joined(frames)
    assert len(speech.word_ends) == len(SENTENCE.split()) + 5
    assert list(speech.word_ends) == sorted(speech.word_ends)
    # The pauses behind "Friday," and between the sentences lie behind a word's end, and before much of the next word.
    for word in (5, len(SENTENCE.split())):
        pause = speech.pcm[round(speech.word_ends[word - 1] * speech.rate) :][: round(0.05 * speech.rate)]
        assert level_dbfs(pause) < -35.0


async def test_pieces_join_without_a_click(piper: Piper) -> None:
    frames = [frame async for frame in piper.synthesize(SENTENCE)]
    speech = np.concatenate([frame.pcm for frame in frames]).astype(np.float64)
    steps = np.abs(np.diff(speech, n=2))
    seams = np.cumsum([len(frame.pcm) for frame in frames[:-1]]) - 1
    assert max(steps[seam - 1 : seam + 1].max() for seam in seams) <= np.quantile(steps, 0.999)


async def test_the_first_piece_is_short_and_begins_with_speech(piper: Piper) -> None:
    async with aclosing(piper.synthesize(SENTENCE)) as speech:
        first = await anext(speech)
    assert first.duration < 0.4
    assert level_dbfs(first.pcm[:1600]) > -45.0


async def test_every_voice_speaks_at_the_level_asked_for(piper: Piper) -> None:
    speech = np.concatenate([frame.pcm async for frame in piper.synthesize(SENTENCE)])
    assert level_dbfs(speech[np.abs(speech.astype(np.int32)) > 330]) == pytest.approx(-20.0, abs=2.0)


async def test_closing_stops_the_decoder_after_the_stretch_that_it_is_at(manifest: Manifest, files: Path) -> None:
    engine = load(manifest, files, threads=1)
    voice, _ = engine.voices[""]
    voice.vits = counted = CountingVits(voice.vits)
    async with aclosing(engine.synthesize(SENTENCE)) as speech:
        await anext(speech)
        heard = counted.stretches
    # Requests are served in order: when this one ends, nothing of the closed one is left.
    assert [frame async for frame in engine.synthesize("…")] == []
    assert counted.stretches <= heard + 1


async def test_sentences_of_two_calls_take_turns(piper: Piper) -> None:
    async with aclosing(piper.synthesize(SENTENCE)) as long, aclosing(piper.synthesize("Hello.")) as short:
        await anext(long)
        await anext(short)
        assert (await anext(long)).at > 0.0


async def test_a_text_without_words_is_silent(piper: Piper) -> None:
    for text in ("", " ", "…", "?!"):
        assert [frame async for frame in piper.synthesize(text)] == []


async def test_an_unknown_voice_is_refused_with_the_names_there_are(piper: Piper) -> None:
    with pytest.raises(ValueError, match=r"no voice 'jane'; there are: voice"):
        await anext(piper.synthesize("Hello.", voice="jane"))


async def test_every_voice_file_of_the_folder_is_a_voice(manifest: Manifest, files: Path, tmp_path: Path) -> None:
    for name in ("joe", "jim"):
        (tmp_path / f"{name}.onnx").symlink_to(files / "voice.onnx")
        (tmp_path / f"{name}.onnx.json").symlink_to(files / "voice.onnx.json")
    both = Piper("both", [tmp_path / "joe.onnx", tmp_path / "jim.onnx"], Options(voice="jim"), threads=1)
    for voice in ("", "joe", "jim"):
        async with aclosing(both.synthesize("Hello.", voice=voice)) as speech:
            assert (await anext(speech)).duration > 0.0


def test_a_folder_without_a_voice_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="piper-joe"):
        load(manifest, tmp_path, threads=1)


def test_gain_brings_speech_to_a_level_but_never_into_clipping() -> None:
    tone = 0.1 * np.sin(np.arange(16000) / 5).astype(np.float32)
    assert level_dbfs((tone * gain(tone, -20.0) * 32768).astype(np.int16)) == pytest.approx(-20.0, abs=0.5)
    spiky = np.concatenate([tone, np.array([0.9], dtype=np.float32)])
    assert np.abs(spiky * gain(spiky, -10.0)).max() <= 0.9
    assert gain(np.zeros(100, dtype=np.float32), -20.0) > 0.0
