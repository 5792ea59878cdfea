from __future__ import annotations

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from inference.registry import Registry, build_engine
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Sentiment


@pytest.fixture(scope="module")
def sentiment() -> Sentiment:
    registry = Registry()
    manifest = registry.manifest("minilm-linear")
    return build_engine(manifest, registry.pull(manifest), threads=1)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "text",
    [
        "This is the third time I call and nobody helps me, it is ridiculous!",
        "I am really angry about this bill.",
        "I hate your service.",
        "This is a terrible experience.",
    ],
)
async def test_an_angry_caller_sounds_negative(sentiment: Sentiment, text: str) -> None:
    mood = await sentiment.score(text)
    assert mood.negative > max(mood.neutral, mood.positive)
    assert mood.score < -0.4


@pytest.mark.parametrize("text", ["Thank you so much, you have been wonderful!", "I love it.", "That is great."])
async def test_a_happy_caller_sounds_positive(sentiment: Sentiment, text: str) -> None:
    mood = await sentiment.score(text)
    assert mood.positive > max(mood.neutral, mood.negative)
    assert mood.score > 0.4


@pytest.mark.parametrize(
    "text",
    ["I want to book an appointment for Tuesday.", "What are your opening hours?", "Yes.", "Can I speak to a human?"],
)
async def test_a_caller_with_a_request_sounds_neutral(sentiment: Sentiment, text: str) -> None:
    mood = await sentiment.score(text)
    assert mood.neutral > max(mood.negative, mood.positive)


async def test_the_probabilities_sum_to_one(sentiment: Sentiment) -> None:
    mood = await sentiment.score("Well, it was not so bad.")
    assert mood.negative + mood.neutral + mood.positive == pytest.approx(1.0)


async def test_nothing_said_is_neutral(sentiment: Sentiment) -> None:
    assert (await sentiment.score("  ")).neutral == 1.0


def test_a_head_of_another_size_is_refused(tmp_path: Path) -> None:
    registry = Registry()
    manifest = registry.manifest("minilm-linear")
    files = copytree(registry.pull(manifest), tmp_path / "files")
    np.savez(files / "head.npz", weights=np.zeros((768, 3), np.float32), bias=np.zeros(3, np.float32))
    with pytest.raises(ConfigError, match=r"weights have shape \(768, 3\), the encoder wants \(384, 3\)"):
        build_engine(manifest, files, threads=1)
