"""The engines of the default profile keep their ports' promises where they really run. Needs their weights."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio

from inference.placement import EngineSet, Terms, open_engines
from inference.registry import Registry
from orchestrator.core.audio import AudioFrame, joined, silence
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import LanguageModel
from orchestrator.core.streams import closing
from tests.contracts.language_model import LanguageModelCases

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENTENCE = "We are open from nine to five on Monday."


@pytest_asyncio.fixture(params=["local", "ray"], scope="module", loop_scope="module")
async def engines(request: pytest.FixtureRequest) -> AsyncIterator[EngineSet]:
    registry = Registry()
    profile = registry.profile("cpu-tiny")
    try:
        for manifest in registry.of_profile(profile):
            registry.files(manifest)
    except ConfigError as missing:
        pytest.skip(str(missing))
    async with open_engines(profile, registry, Terms(placement=request.param, ray="testing")) as opened:
        yield opened


async def spoken(engines: EngineSet) -> AudioFrame:
    return joined([frame async for frame in engines.tts.synthesize(SENTENCE)])


class TestLlamaCpp(LanguageModelCases):
    @pytest.fixture
    def llm(self, engines: EngineSet) -> LanguageModel:
        return engines.llm


async def test_speech_comes_in_frames_that_follow_each_other(engines: EngineSet) -> None:
    frames = [frame async for frame in engines.tts.synthesize(SENTENCE)]
    assert len(frames) > 1
    assert 1.5 < sum(frame.duration for frame in frames) < 5.0
    for before, after in pairwise(frames):
        assert after.at == pytest.approx(before.end, abs=1e-3)


async def test_closing_speech_leaves_the_voice_free(engines: EngineSet) -> None:
    async with closing(engines.tts.synthesize(SENTENCE * 10)) as frames:
        async for _ in frames:
            break
    assert (await spoken(engines)).duration > 1.5


async def test_what_the_voice_says_the_recogniser_hears(engines: EngineSet) -> None:
    heard = (await engines.recognizer.recognize(await spoken(engines))).text.lower()
    # The voice draws its own noise for every sentence: now and then one short word comes out as another.
    assert {"open", "monday"} <= set(re.findall("[a-z]+", heard))


async def test_silence_is_no_text(engines: EngineSet) -> None:
    assert (await engines.recognizer.recognize(silence(1.0, 16_000))).text == ""


async def test_texts_of_one_meaning_lie_close(engines: EngineSet) -> None:
    vectors = await engines.embedder.embed(["When do you open?", "What are your opening hours?", "Cancel my card."])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-3)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


async def test_moods_are_told_apart(engines: EngineSet) -> None:
    assert (await engines.sentiment.score("This is terrible, I am furious.")).score < -0.3
    assert (await engines.sentiment.score("Thank you so much, that is perfect.")).score > 0.3
