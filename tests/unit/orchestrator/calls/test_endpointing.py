from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.calls.endpointing import Endpointer, Patience, Preroll, Signal

WINDOW = 0.032


def signals(probabilities: list[float]) -> list[tuple[Signal, int]]:
    endpointer = Endpointer()
    heard = [(endpointer.hear(p, i * WINDOW, (i + 1) * WINDOW), i) for i, p in enumerate(probabilities)]
    return [(signal, index) for signal, index in heard if signal is not None]


def test_speech_begins_after_three_voiced_windows_at_the_first_of_them():
    endpointer = Endpointer()
    for index, probability in enumerate([0.1, 0.9, 0.9, 0.9]):
        endpointer.hear(probability, index * WINDOW, (index + 1) * WINDOW)
    assert endpointer.started == pytest.approx(WINDOW)


def test_a_click_is_no_speech():
    assert signals([0.1, 0.9, 0.1, 0.9, 0.9, 0.1] * 10) == []


def test_a_pause_is_found_once():
    assert signals([0.9] * 5 + [0.1] * 50) == [(Signal.ONSET, 2), (Signal.PAUSE, 7)]


def test_speech_after_a_pause_is_a_resumption():
    found = [signal for signal, _ in signals([0.9] * 5 + [0.1] * 10 + [0.9] * 5 + [0.1] * 10)]
    assert found == [Signal.ONSET, Signal.PAUSE, Signal.RESUME, Signal.PAUSE]


def test_a_click_in_a_pause_neither_resumes_nor_restarts_the_silence():
    endpointer = Endpointer()
    probabilities = [0.9] * 5 + [0.1] * 10 + [0.9] + [0.1] * 10
    for index, probability in enumerate(probabilities):
        endpointer.hear(probability, index * WINDOW, (index + 1) * WINDOW)
    assert endpointer.paused
    assert endpointer.silence(len(probabilities) * WINDOW) == pytest.approx(21 * WINDOW)


def paused(silent_windows: int, finished: float) -> tuple[Endpointer, list[Signal]]:
    """An endpointer after speech and *silent_windows*, and its signals; told at the pause how finished it sounds."""
    endpointer = Endpointer()
    found = []
    for index, probability in enumerate([0.9] * 5 + [0.1] * silent_windows):
        signal = endpointer.hear(probability, index * WINDOW, (index + 1) * WINDOW)
        if signal is not None:
            found.append(signal)
        if signal is Signal.PAUSE:
            endpointer.judge(finished)
    return endpointer, found


def test_what_sounds_unfinished_is_judged_once_more():
    assert paused(40, 0.1)[1] == [Signal.ONSET, Signal.PAUSE, Signal.LINGER]
    assert paused(40, 0.9)[1] == [Signal.ONSET, Signal.PAUSE]


def test_a_second_thought_ends_the_turn_sooner():
    endpointer, _ = paused(10, 0.1)
    now = 15 * WINDOW
    assert not endpointer.over(now)
    endpointer.judge(0.9)
    assert endpointer.over(now)


def test_without_a_judgement_no_silence_ends_the_turn():
    endpointer = Endpointer()
    for index, probability in enumerate([0.9] * 5 + [0.1] * 100):
        endpointer.hear(probability, index * WINDOW, (index + 1) * WINDOW)
    assert not endpointer.over(105 * WINDOW)


def test_a_judgement_is_of_its_own_pause():
    endpointer, _ = paused(10, 0.9)
    for index in range(15, 40):
        endpointer.hear(0.9 if index < 20 else 0.1, index * WINDOW, (index + 1) * WINDOW)
    assert endpointer.paused
    assert not endpointer.over(40 * WINDOW)


def test_between_the_thresholds_speech_goes_on_but_does_not_begin():
    assert signals([0.4] * 20) == []
    assert signals([0.9] * 3 + [0.4] * 30) == [(Signal.ONSET, 2)]


def test_patience_depends_on_how_finished_it_sounds():
    patience = Patience()
    assert patience.needed(0.9) == patience.finished < patience.unfinished == patience.needed(0.1)


@given(st.lists(st.floats(0, 1), max_size=200))
def test_signals_alternate(probabilities):
    order = [signal for signal, _ in signals(probabilities)]
    assert order[:1] in ([], [Signal.ONSET])
    for before, after in pairwise(order):
        assert (after is Signal.PAUSE) == (before in (Signal.ONSET, Signal.RESUME))


def test_the_preroll_keeps_the_latest_moments():
    preroll = Preroll(0.064, 16000)
    for value in range(5):
        preroll.push(np.full(512, value, dtype=np.int16))
    assert [int(chunk[0]) for chunk in preroll.take()] == [3, 4]
    assert preroll.take() == []
