from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from inference.interjections.convolution import InterjectionNetwork, Options, spectrum
from inference.registry import Registry, build_engine
from models.interjections.heard import Sound, heard
from models.interjections.network import Batch, fresh, probabilities
from models.interjections.synthesis import MADE, RATE, tract
from orchestrator.core.audio import AudioFrame, silence
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Interjections
from tests.unit.inference.recordings import heard as telephoned
from tests.unit.inference.recordings import human_recordings

NAME = "interjections-convolution"


@pytest.fixture(scope="module")
def engine() -> Interjections:
    registry = Registry()
    manifest = registry.manifest(NAME)
    return build_engine(manifest, registry.pull(manifest), threads=1)  # type: ignore[return-value]


def noise(seconds: float, rate: int = RATE) -> AudioFrame:
    pcm = np.random.default_rng(0).normal(0.0, 3000.0, int(seconds * rate))
    return AudioFrame(pcm.astype(np.int16), rate)


def over_the_line(kind: str, seed: int) -> AudioFrame:
    random = np.random.default_rng(seed)
    label, make = MADE[kind]
    wave = make(random, tract(random, "train"))
    pcm = np.round(wave / np.abs(wave).max() * 16000.0).astype(np.int16)
    line = heard(random, Sound(pcm, label, kind, "computed", "train"))
    return AudioFrame(line.until(line.ends - line.begins + 0.25), RATE)


async def test_a_sentence_over_the_agent_is_an_interruption(engine: Interjections) -> None:
    sentences = [telephoned(one) for one in human_recordings("book/")]
    begun = [AudioFrame(sentence.pcm[: int(1.2 * sentence.rate)], sentence.rate) for sentence in sentences]
    scores = [(await engine.classify(sound)).interruption for sound in begun]
    assert len(scores) == 5
    assert np.mean(np.array(scores) >= 0.5) >= 0.8


@pytest.mark.parametrize("kind", ["hum", "cough", "hiss", "keyboard", "tones"])
async def test_hums_and_noises_are_no_interruption(engine: Interjections, kind: str) -> None:
    scores = [(await engine.classify(over_the_line(kind, seed))).interruption for seed in range(20)]
    assert np.mean(np.array(scores) < 0.5) >= 0.9


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.55, 1.5, 2.0, 5.0])
async def test_sounds_of_any_length_from_a_tenth_of_a_second_have_a_probability(
    engine: Interjections, seconds: float
) -> None:
    for sound in (noise(seconds), silence(seconds, RATE), noise(seconds, 8000)):
        assert 0.0 <= (await engine.classify(sound)).interruption <= 1.0


async def test_less_than_a_tenth_of_a_second_is_refused(engine: Interjections) -> None:
    with pytest.raises(ValueError, match=r"0\.050 s of sound cannot be judged; at least 0\.1 s"):
        await engine.classify(noise(0.05))


async def test_only_the_first_two_seconds_count(engine: Interjections) -> None:
    long = noise(4.0)
    assert await engine.classify(long) == await engine.classify(AudioFrame(long.pcm[: 2 * RATE], RATE))


async def test_a_telephone_s_rate_is_judged_nearly_alike(engine: Interjections) -> None:
    sentence = telephoned(human_recordings("book/")[0])
    begun = AudioFrame(sentence.pcm[: int(1.2 * sentence.rate)], sentence.rate)
    narrow = soxr.resample(begun.pcm.astype(np.float32), begun.rate, 8000)
    scores = [
        (await engine.classify(sound)).interruption for sound in (begun, AudioFrame(narrow.astype(np.int16), 8000))
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.2)


def test_the_engine_computes_what_was_learned() -> None:
    random = np.random.default_rng(1)
    weights = fresh(random)
    sounds = [noise(0.4), over_the_line("hum", 3), over_the_line("music", 4)]
    engine = InterjectionNetwork(weights, Options())
    seen = [spectrum(sound.as_float()[: 2 * RATE]) for sound in sounds]
    bands = np.zeros((len(seen), 200, seen[0].bands.shape[1]), dtype=np.float32)
    for row, one in enumerate(seen):
        bands[row, : len(one.bands)] = one.bands
    batch = Batch(bands, np.array([len(one.bands) for one in seen]), np.array([one.peak for one in seen], np.float32))
    alone = np.stack([engine.shares(sound) for sound in sounds])
    assert alone == pytest.approx(probabilities(weights, batch), abs=1e-4)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "network.npz", weights=np.zeros((3, 3)))
    with pytest.raises(ConfigError, match=r"interjections-convolution.*network\.npz: holds weights; wanted are dense"):
        build_engine(Registry().manifest(NAME), tmp_path, threads=1)
