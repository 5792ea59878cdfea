"""The meter against recordings whose truth is known: every figure within 10 ms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.measure import audible, silenced_after, turn_sound
from orchestrator.core.bursts import Burst, bursts
from tests.sounds import RATE, mixed, noise, voice

TOLERANCE = 0.010


@settings(max_examples=30, deadline=None)
@given(latency=st.floats(0.05, 3.0), jitter=st.integers(0, 99))
def test_voice_to_voice_is_end_of_speech_sent_to_first_reply_heard(latency: float, jitter: int) -> None:
    sent = mixed(9.0, (1.0, voice(1.5)), (1.0, noise(1.9, -55.0)))
    heard = mixed(9.0, (0.1, voice(0.5)), (2.5 + latency, voice(1.2, -24.0)), (0.0, noise(9.0, -63.0, jitter)))
    turn = turn_sound(bursts(sent, RATE), bursts(heard, RATE), until=9.0)
    assert turn is not None
    assert turn.voice_to_voice == pytest.approx(latency, abs=TOLERANCE)
    assert turn.reply_ended == pytest.approx(2.5 + latency + 1.2, abs=TOLERANCE)


def test_an_agent_that_speaks_over_the_end_of_the_question_has_no_latency() -> None:
    turn = turn_sound([Burst(1.0, 2.5)], [Burst(2.2, 4.0)], until=9.0)
    assert turn is not None
    assert turn.cut_in
    assert turn.voice_to_voice is None


def test_a_question_without_a_reply_has_no_latency() -> None:
    turn = turn_sound([Burst(1.0, 2.5)], [Burst(0.0, 0.8)], until=9.0)
    assert turn is not None
    assert turn.voice_to_voice is None
    assert not turn.cut_in


def test_a_line_without_speech_is_no_turn() -> None:
    assert turn_sound([], [Burst(3.0, 4.0)], until=9.0) is None


@settings(max_examples=30, deadline=None)
@given(stopped=st.floats(0.1, 0.8))
def test_barge_in_is_onset_sent_to_last_word_heard(stopped: float) -> None:
    sent = bursts(mixed(9.0, (3.0, voice(1.0))), RATE)
    heard = audible(mixed(9.0, (1.0, voice(2.0 + stopped)), (5.0, voice(1.0))), RATE)
    measured = silenced_after(heard, sent[0].start, sent[0].end)
    assert measured == pytest.approx(stopped, abs=TOLERANCE)


def test_a_pause_between_two_words_is_not_yet_silence() -> None:
    heard = [Burst(1.0, 2.9), Burst(3.05, 3.4), Burst(6.0, 7.0)]
    assert silenced_after(heard, onset=3.0, speech_ended=4.0) == pytest.approx(0.4)


def test_a_click_of_the_line_is_not_the_agent() -> None:
    click = noise(0.015, -40.0)
    heard = audible(mixed(9.0, (1.0, voice(2.1, -18.0)), (3.6, click)), RATE)
    assert silenced_after(heard, onset=3.0, speech_ended=4.0) == pytest.approx(0.1, abs=TOLERANCE)


@settings(max_examples=30, deadline=None)
@given(softer_db=st.floats(6.0, 28.0), length=st.floats(0.05, 0.3), closure=st.floats(0.0, 0.05))
def test_a_reply_that_is_cut_short_in_soft_sounds_is_silent_only_after_them(
    softer_db: float, length: float, closure: float
) -> None:
    soft = noise(length, -18.0 - softer_db)
    heard = audible(mixed(9.0, (1.0, voice(2.1, -18.0)), (3.1 + closure, soft)), RATE)
    measured = silenced_after(heard, onset=3.0, speech_ended=4.0)
    assert measured == pytest.approx(0.1 + closure + length, abs=TOLERANCE)


def test_an_idle_line_is_not_audible() -> None:
    assert audible(mixed(2.0, (0.0, noise(2.0, -60.0))), RATE) == []
    assert audible(mixed(0.0), RATE) == []


def test_an_agent_that_was_already_silent_was_not_interrupted() -> None:
    assert silenced_after([Burst(1.0, 2.0), Burst(5.0, 6.0)], onset=3.0, speech_ended=4.0) is None
