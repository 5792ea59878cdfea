from __future__ import annotations

import asyncio

import numpy as np
import pytest
import soxr

from inference.registry import Registry
from inference.turns.smart_turn import SmartTurn, load
from orchestrator.core.audio import AudioFrame, joined, silence
from tests.unit.inference.recordings import RATE, heard, human_recordings

WHOLE = ("agent-pass", "conf-getpin", "conf-invalid", "conf-kicked", "conf-onlyperson", "check-number-dial-again")


@pytest.fixture(scope="module")
def smart_turn() -> SmartTurn:
    registry = Registry()
    manifest = registry.manifest("smart-turn-v3")
    return load(manifest, registry.pull(manifest), threads=1)


@pytest.fixture(scope="module")
def sentences() -> list[AudioFrame]:
    return [heard(one) for one in human_recordings("prompt/") if one.name.removeprefix("prompt/") in WHOLE]


def paused(speech: AudioFrame, share: float = 1.0) -> AudioFrame:
    """The beginning of *speech*, and the silence after which an ear asks."""
    spoken = AudioFrame(speech.pcm[: round(share * len(speech.pcm))], speech.rate)
    return joined([spoken, silence(0.2, speech.rate)])


async def test_a_whole_sentence_sounds_more_finished_than_half_of_it(
    smart_turn: SmartTurn, sentences: list[AudioFrame]
) -> None:
    whole = [await smart_turn.finished(paused(sentence)) for sentence in sentences]
    half = [await smart_turn.finished(paused(sentence, 0.45)) for sentence in sentences]
    assert len(whole) == len(WHOLE)
    assert min(whole) >= 0.5
    assert np.mean(whole) > np.mean(half) + 0.4
    assert all(0.0 <= probability <= 1.0 for probability in half)


async def test_only_the_last_eight_seconds_count(smart_turn: SmartTurn, sentences: list[AudioFrame]) -> None:
    long = joined([sentences[0], *sentences, *sentences])
    last = AudioFrame(long.pcm[-8 * RATE :], RATE)
    assert await smart_turn.finished(long) == await smart_turn.finished(last)


async def test_a_telephone_s_rate_is_judged_too(smart_turn: SmartTurn, sentences: list[AudioFrame]) -> None:
    scores = []
    for sentence in map(paused, sentences):
        pcm = soxr.resample(sentence.pcm.astype(np.float32), RATE, 8000).astype(np.int16)
        scores.append(await smart_turn.finished(AudioFrame(pcm, 8000)))
    assert np.mean(scores) > 0.7


@pytest.mark.parametrize("duration", [0.0, 0.01, 1.0, 20.0])
async def test_silence_of_any_length_has_a_probability(smart_turn: SmartTurn, duration: float) -> None:
    assert 0.0 <= await smart_turn.finished(silence(duration, RATE)) <= 1.0


async def test_the_event_loop_goes_on_while_it_judges(smart_turn: SmartTurn, sentences: list[AudioFrame]) -> None:
    answer = asyncio.ensure_future(smart_turn.finished(sentences[0]))
    ticks = 0
    while not answer.done():
        await asyncio.sleep(0.002)
        ticks += 1
    assert ticks > 3
