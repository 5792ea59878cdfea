"""Where nobody speaks, the engines of the default profile hear nobody. Needs their weights."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from benchmarks.quiet import hear, hiss, tones
from inference.registry import Registry
from orchestrator.core.audio import Pcm
from orchestrator.core.errors import ConfigError

SECONDS = 8.0


@pytest.fixture(scope="module")
def registry() -> Registry:
    found = Registry()
    try:
        for manifest in found.of_profile(found.profile("cpu-tiny")):
            found.files(manifest)
    except ConfigError as missing:
        pytest.skip(str(missing))
    return found


@pytest.mark.parametrize(
    "line",
    [np.zeros(round(SECONDS * 16000), dtype=np.int16), hiss(-40.0, SECONDS), tones(SECONDS)],
    ids=["silence", "hiss", "tones"],
)
def test_no_word_is_heard_where_nobody_speaks(registry: Registry, line: Pcm) -> None:
    assert asyncio.run(hear(registry, "cpu-tiny", line)).words == []
