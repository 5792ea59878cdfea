from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tts.trimming import LEAD, TAIL, Trimmer

RATE = 16000


def trimmed(pcm: np.ndarray, size: int) -> np.ndarray:
    trimmer = Trimmer(RATE)
    pieces = [trimmer.feed(pcm[start : start + size]) for start in range(0, len(pcm), size)]
    return np.concatenate([*pieces, trimmer.finish(pcm[:0])])


def speech(lead: float, loud: float, tail: float) -> np.ndarray:
    parts = [np.zeros(round(lead * RATE)), np.full(round(loud * RATE), 5000), np.zeros(round(tail * RATE))]
    return np.concatenate(parts).astype(np.int16)


@pytest.mark.parametrize("size", [100, 777, 100_000])
def test_silence_at_both_ends_is_cut(size):
    result = trimmed(speech(0.5, 1.0, 0.8), size)
    assert len(result) == round((LEAD + 1.0 + TAIL) * RATE)
    assert result[round(LEAD * RATE)] == 5000


@given(st.lists(st.sampled_from([0, 0, 0, 90, 4000]), max_size=60), st.integers(1, 50))
def test_the_result_does_not_depend_on_the_pieces(levels, size):
    pcm = np.repeat(np.array(levels, dtype=np.int16), 400)
    assert np.array_equal(trimmed(pcm, size * 100), trimmed(pcm, max(len(pcm), 1)))


@pytest.mark.parametrize("size", [100, 777, 100_000])
def test_what_was_cut_before_the_speech_is_counted(size):
    pcm = speech(0.5, 1.0, 0.8)
    trimmer = Trimmer(RATE)
    for start in range(0, len(pcm), size):
        trimmer.feed(pcm[start : start + size])
    assert trimmer.skipped == round((0.5 - LEAD) * RATE)


def test_a_pause_inside_is_kept():
    pcm = np.concatenate([speech(0.1, 0.3, 0.5), speech(0.0, 0.3, 0.1)])
    assert len(trimmed(pcm, 1000)) == round((LEAD + 0.3 + 0.5 + 0.3 + 0.1) * RATE)


def test_silence_alone_gives_nothing():
    assert len(trimmed(np.zeros(RATE, dtype=np.int16), 1000)) == 0
