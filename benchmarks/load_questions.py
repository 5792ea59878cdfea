"""What the callers of a load test say: lines of a scenario, coded for the line once for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.conversation import RATE, Line
from benchmarks.human_speech import recordings
from benchmarks.load_rtp import PAYLOAD_BYTES, encoded
from benchmarks.load_talk import Question
from benchmarks.questions import questions
from benchmarks.scenario import SCENARIOS, read_scenario
from benchmarks.sound_files import narrowband
from inference.registry import Registry, default_cache
from orchestrator.core.bursts import bursts
from orchestrator.core.errors import ConfigError

_SCENARIO = "helpdesk"


def load_questions(registry: Registry, profile: str, *, human: bool) -> list[Question]:
    """The lines of the benchmark's own scenario in their order, those spoken by people only when *human*.

    Raises ConfigError when a recording or the voice of *profile* is missing.
    """
    plan = read_scenario(SCENARIOS / f"{_SCENARIO}.toml")
    known = recordings()
    names = [line for call in plan.calls for line in call.lines if not human or line in known]
    lines = questions(set(names), registry, profile, default_cache() / "benchmark-speech")
    return [coded(lines[name]) for name in names]


def rotated(asked: Sequence[Question], first: int, count: int) -> list[Question]:
    """*count* of *asked* from *first* on, so that callers who begin at the same moment do not speak in chorus."""
    return [asked[(first + index) % len(asked)] for index in range(count)]


def coded(line: Line) -> Question:
    """*line* as G.711, cut where its speech ends. Raises ConfigError when it holds none."""
    pcm = narrowband(line.pcm)
    spoken = bursts(pcm, RATE)
    if not spoken:
        raise ConfigError(f"the line {line.name!r} holds no speech")
    tick = 2 * PAYLOAD_BYTES  # samples of 16 kHz in a packet
    last = -(-round(spoken[-1].end * RATE) // tick) * tick
    return Question(line.name, tuple(encoded(pcm[:last])), spoken[-1].end)
