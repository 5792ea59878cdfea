"""Four light callers at once against a whole Offhook on stub engines: `python -m benchmarks.load` in short."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.load_overhead import stub_delays
from benchmarks.load_questions import load_questions
from benchmarks.load_run import Wave, run_wave, wave_figures
from benchmarks.load_system import LoadSetup, under_load
from inference.registry import Registry

CALLS, TURNS = 4, 2


def test_four_callers_at_once_are_answered_in_time_and_leave_nothing_behind() -> None:
    registry = Registry()
    asked = load_questions(registry, "stub", human=True)
    with under_load(LoadSetup("stub", "load", CALLS)) as system:
        before = system.inside()["tasks"]
        measured = asyncio.run(run_wave(system, Wave("four", CALLS, TURNS, "load"), asked))
        after = system.inside()["tasks"]
    figures: Any = wave_figures(measured, stub_delays(registry, "stub"))
    assert (figures["refused"], figures["unanswered"], figures["cut_off"]) == (0, 0, 0)
    assert figures["turns"] == CALLS * TURNS
    assert figures["rtp_lost"] == 0
    assert figures["rtp_interval_s"]["p99"] < 0.03
    assert figures["overhead_s"]["n"] == CALLS * TURNS
    assert figures["overhead_s"]["p50"] < 0.015
    assert after <= before
