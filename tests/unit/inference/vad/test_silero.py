from __future__ import annotations

import numpy as np
import pytest

from inference.registry import Registry
from inference.vad.silero import Silero, SileroStream, load
from orchestrator.core.audio import Pcm
from tests.unit.inference.recordings import RATE, heard, human_recordings


@pytest.fixture(scope="module")
def silero() -> Silero:
    registry = Registry()
    manifest = registry.manifest("silero-v6")
    return load(manifest, registry.pull(manifest), threads=1)


def probabilities(stream: SileroStream, pcm: Pcm) -> list[float]:
    return [stream.speech_probability(window) for window in pcm[: len(pcm) // 512 * 512].reshape(-1, 512)]


def speech() -> Pcm:
    (sentence,) = human_recordings("book/0870")
    return heard(sentence).pcm


def test_a_person_is_heard_and_the_silence_after_is_silence(silero: Silero) -> None:
    heard_in = probabilities(silero.open(), np.concatenate([speech(), np.zeros(RATE, dtype=np.int16)]))
    spoken, after = heard_in[: len(speech()) // 512], heard_in[-16:]
    assert np.mean(np.array(spoken) > 0.5) > 0.7
    assert max(after) < 0.2


@pytest.mark.parametrize("level", [0, 30, 300, 3000])
def test_hiss_is_not_speech(silero: Silero, level: int) -> None:
    noise = np.random.default_rng(0).normal(0, level, 3 * RATE).astype(np.int16)
    assert max(probabilities(silero.open(), noise)) < 0.4


def test_a_tone_is_not_speech(silero: Silero) -> None:
    tone = (10000 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)).astype(np.int16)
    assert max(probabilities(silero.open(), tone)[3:]) < 0.4


def test_calls_do_not_hear_each_other(silero: Silero) -> None:
    alone = probabilities(silero.open(), speech())
    here, there = silero.open(), silero.open()
    noise = np.random.default_rng(0).normal(0, 3000, 512).astype(np.int16)
    beside = []
    for window in speech()[: len(speech()) // 512 * 512].reshape(-1, 512):
        there.speech_probability(noise)
        beside.append(here.speech_probability(window))
    assert beside == alone


@pytest.mark.parametrize(
    "window",
    [
        np.zeros(511, dtype=np.int16),
        np.zeros(0, dtype=np.int16),
        np.zeros((1, 512), dtype=np.int16),
        np.zeros(512, np.float32),
    ],
    ids=["short", "empty", "two axes", "float"],
)
def test_a_window_of_another_shape_or_type_is_refused(silero: Silero, window: Pcm) -> None:
    with pytest.raises(ValueError, match="window must be int16"):
        silero.open().speech_probability(window)
