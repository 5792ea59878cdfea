"""Speech is found where it is, within 10 ms, in recordings whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.bursts import Burst, bursts, speech_began, speech_ended
from tests.sounds import RATE, click, mixed, noise, voice, with_zero_frames

TOLERANCE = 0.010


def only_burst(pcm: np.ndarray) -> Burst:
    found = bursts(pcm, RATE)
    assert found, "no speech was found"
    return Burst(found[0].start, found[-1].end)


def test_silence_holds_no_speech() -> None:
    assert bursts(np.zeros(RATE, dtype=np.int16), RATE) == []


def test_a_recording_shorter_than_one_step_holds_no_speech() -> None:
    assert bursts(np.full(10, 3000, dtype=np.int16), RATE) == []


def test_comfort_noise_alone_holds_no_speech() -> None:
    assert bursts(mixed(2.0, (0.0, noise(2.0, -62.0))), RATE) == []


@settings(max_examples=60, deadline=None)
@given(
    start=st.floats(0.5, 1.5),
    duration=st.floats(0.3, 2.0),
    level=st.floats(-30.0, -12.0),
    pitch=st.floats(80.0, 250.0),
)
def test_speech_in_digital_silence_is_found_where_it_is(
    start: float, duration: float, level: float, pitch: float
) -> None:
    found = only_burst(mixed(5.0, (start, voice(duration, level, pitch))))
    assert found.start == pytest.approx(start, abs=TOLERANCE)
    assert found.end == pytest.approx(start + duration, abs=TOLERANCE)


@settings(max_examples=60, deadline=None)
@given(
    start=st.floats(0.5, 1.5),
    duration=st.floats(0.3, 2.0),
    signal_to_noise=st.floats(25.0, 50.0),
    seed=st.integers(0, 99),
)
def test_hiss_under_the_whole_recording_moves_nothing(
    start: float, duration: float, signal_to_noise: float, seed: int
) -> None:
    hiss = noise(5.0, -18.0 - signal_to_noise, seed)
    found = only_burst(mixed(5.0, (start, voice(duration, -18.0)), (0.0, hiss)))
    assert found.start == pytest.approx(start, abs=TOLERANCE)
    assert found.end == pytest.approx(start + duration, abs=TOLERANCE)


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.1, 0.9), comfort=st.floats(-66.0, -50.0), seed=st.integers(0, 99))
def test_comfort_noise_broken_by_zero_frames_is_not_speech(share: float, comfort: float, seed: int) -> None:
    line = mixed(4.0, (1.0, voice(1.0)), (0.0, noise(4.0, comfort, seed)))
    found = only_burst(with_zero_frames(line, share, seed))
    assert found.start == pytest.approx(1.0, abs=TOLERANCE)
    assert found.end == pytest.approx(2.0, abs=TOLERANCE)


def test_the_hiss_of_a_played_file_ends_later_than_its_speech() -> None:
    played = mixed(4.0, (1.0, noise(2.0, -47.0)), (1.3, voice(1.2, -18.0)))
    found = only_burst(played)
    assert found.start == pytest.approx(1.3, abs=TOLERANCE)
    assert found.end == pytest.approx(2.5, abs=TOLERANCE)


@settings(max_examples=40, deadline=None)
@given(after=st.floats(0.08, 0.4), level=st.floats(-60.0, -44.0), length=st.floats(0.1, 0.5))
def test_a_breath_after_the_last_word_is_not_speech(after: float, level: float, length: float) -> None:
    found = only_burst(mixed(4.0, (1.0, voice(1.0, -18.0)), (2.0 + after, noise(length, level)), (0.0, noise(4, -70))))
    assert found.end == pytest.approx(2.0, abs=TOLERANCE)


@settings(max_examples=40, deadline=None)
@given(before=st.floats(0.02, 0.8), after=st.floats(0.02, 0.8))
def test_clicks_before_and_after_are_not_speech(before: float, after: float) -> None:
    found = only_burst(mixed(4.0, (1.0 - before, click()), (1.0, voice(1.0)), (2.0 + after, click())))
    assert found.start == pytest.approx(1.0, abs=TOLERANCE)
    assert found.end == pytest.approx(2.0, abs=TOLERANCE)


@pytest.mark.parametrize("softer_db", [8.0, 14.0, 20.0])
def test_a_soft_last_consonant_is_speech(softer_db: float) -> None:
    hiss = noise(4.0, -65.0)
    spoken = mixed(4.0, (1.0, voice(0.8, -18.0)), (1.8, noise(0.09, -18.0 - softer_db, seed=3)), (0.0, hiss))
    assert only_burst(spoken).end == pytest.approx(1.89, abs=TOLERANCE)


def test_words_are_told_apart_by_their_pauses() -> None:
    found = bursts(mixed(4.0, (0.5, voice(0.5)), (1.2, voice(0.4)), (3.0, voice(0.5))), RATE)
    assert [round(burst.start, 1) for burst in found] == [0.5, 1.2, 3.0]


@settings(max_examples=20, deadline=None)
@given(softer_db=st.floats(8.0, 20.0), gap=st.floats(0.05, 1.0))
def test_both_ends_of_the_speech_are_those_of_its_first_and_last_stretch(softer_db: float, gap: float) -> None:
    last = noise(0.09, -18.0 - softer_db, seed=3)
    pcm = mixed(4.0, (0.5, voice(0.5)), (1.0 + gap, voice(0.4)), (1.4 + gap, last), (0.0, noise(4.0, -65.0)))
    found = bursts(pcm, RATE)
    assert (speech_began(pcm, RATE), speech_ended(pcm, RATE)) == (found[0].start, found[-1].end)
