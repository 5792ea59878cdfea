"""The figures of many turns."""

from __future__ import annotations

import numpy as np

from benchmarks.caller import MeasuredTurn
from benchmarks.conversation import Line
from benchmarks.latency import JudgedTurn, latency_figures
from benchmarks.measure import TurnSound
from benchmarks.thresholds import value_of


def judged(latency: float | None, repetition: int = 0) -> JudgedTurn:
    reply = None if latency is None else 3.0 + latency
    sound = TurnSound(1.0, 3.0, reply, None if reply is None else reply + 2.0, cut_in=False)
    return JudgedTurn(0, "PCMU", MeasuredTurn(Line("q", np.zeros(0, dtype=np.int16)), sound), None, repetition)


def test_the_turns_of_all_runs_are_pooled() -> None:
    figures = latency_figures([judged(1.0, 0), judged(2.0, 1), judged(4.0, 2)])
    assert value_of(figures, "voice_to_voice_s.n") == 3
    assert value_of(figures, "voice_to_voice_s.p50") == 2.0
    assert value_of(figures, "voice_to_voice_s.max") == 4.0


def test_each_run_has_a_p95_of_its_own() -> None:
    figures = latency_figures([judged(1.0, 0), judged(3.0, 0), judged(2.0, 1), judged(None, 2)])
    assert figures["voice_to_voice_p95_by_run_s"] == [2.9, 2.0, None]


def test_an_unanswered_turn_of_any_run_is_counted() -> None:
    assert latency_figures([judged(1.0, 0), judged(None, 1)])["unanswered"] == 1
