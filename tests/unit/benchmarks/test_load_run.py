from __future__ import annotations

from math import nan
from typing import Any

import pytest

from benchmarks.load_caller import Made, Plan
from benchmarks.load_resources import Holding
from benchmarks.load_run import Measured, Wave, wave_figures
from benchmarks.load_sequence import Look, sequence_figures
from benchmarks.load_talk import Asked, Question

QUESTION = Question("q", (b"",), 0.0)


def look(calls: int, tasks: int, rss_mb: float, sockets: int = 4) -> Look:
    parts = {"orchestrator": Holding(1, int(rss_mb * 2**20), 9, 30, sockets)}
    return Look(calls, parts, {"tasks": tasks, "objects": 1000 + 2 * calls})


def test_what_a_sequence_leaves_behind_is_told() -> None:
    figures: Any = sequence_figures([look(20, 5, 100.0), look(40, 6, 101.0), look(60, 8, 102.0, sockets=7)], failed=1)
    assert (figures["calls"], figures["failed"], figures["tasks_grown"]) == (60, 1, 3)
    assert figures["objects_grown_per_call"] == 2.0
    assert figures["parts"]["orchestrator"]["sockets"] == 3
    assert figures["parts"]["orchestrator"]["rss_kb_per_call"] == pytest.approx(1024 / 20, abs=0.1)


def test_calls_that_were_refused_and_questions_without_a_reply_are_counted() -> None:
    plan = Plan(5060, "load", "a", [QUESTION])
    made = [
        Made(plan, refused=486),
        Made(plan, duration=60.0, asked=[Asked(QUESTION, 1.0, 1.5), Asked(QUESTION, 3.0, nan)]),
    ]
    stored = [{"events": [], "turns": [{"marks": {"speech_ended": 1.0}, "spans": {"voice_to_voice": 0.5}}]}]
    measured = Measured(Wave("w", 2, 2, "load"), made, stored, {"gateways": 3.0}, {}, (0.0, 0.0, 0.0))
    figures: Any = wave_figures(measured, None)
    assert (figures["refused"], figures["unanswered"], figures["turns"]) == (1, 1, 2)
    assert figures["heard_voice_to_voice_s"]["p50"] == 0.5
    assert figures["voice_to_voice_s"]["n"] == 1
    assert figures["cpu_s_per_call_minute"] == {"gateways": 3.0}
    assert "overhead_s" not in figures
