"""Where nobody speaks, the engines of the default profile hear nobody. Needs their weights."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from benchmarks.echo import guarded
from benchmarks.echo_line import EchoLine
from benchmarks.questions import questions
from benchmarks.quiet import hear, hiss, tones
from inference.registry import Registry
from orchestrator.core.audio import Pcm
from orchestrator.core.errors import ConfigError

SECONDS = 8.0
AGENT = (
    "We offer telephone lines for every desk, with voicemail in two languages.",
    "A new line costs twelve dollars a month, with no charge for setting it up.",
    "We also keep a directory of everybody in the company.",
)
ECHOES = (
    EchoLine("handset", 0.04, -12.0, 1),
    EchoLine("room", 0.12, -6.0, 2),
    EchoLine("hybrid", 0.25, -24.0, 3),
    EchoLine("room", 0.4, -18.0, 4),
)


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


@pytest.fixture(scope="module")
def agent(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Pcm:
    """What an agent says in a quarter of a minute, by the profile's own voice."""
    try:
        spoken = questions(AGENT, registry, "cpu-tiny", tmp_path_factory.mktemp("speech"))
    except ConfigError as missing:
        pytest.skip(str(missing))
    pause = np.zeros(8000, dtype=np.int16)
    said = np.concatenate([part for text in AGENT for part in (pause, spoken[text].pcm)] + [pause])
    return said[: len(said) // 320 * 320]


@pytest.mark.parametrize("line", ECHOES, ids=lambda line: f"{line.place} {line.delay} s {line.level} dB")
def test_no_word_is_heard_where_the_agent_comes_back(registry: Registry, agent: Pcm, line: EchoLine) -> None:
    near = line.near(agent, np.zeros_like(agent))
    heard = asyncio.run(hear(registry, "cpu-tiny", guarded(near, agent)[0]))
    assert (heard.onsets, heard.words) == (0, [])


def test_without_the_guard_the_same_echo_becomes_words(registry: Registry, agent: Pcm) -> None:
    near = ECHOES[0].near(agent, np.zeros_like(agent))
    assert asyncio.run(hear(registry, "cpu-tiny", near)).words
