from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.stt.utterance import Utterance, quietest
from orchestrator.core.audio import AudioFrame, silence
from orchestrator.core.ports import Transcript

RATE = 16000
FRAME = 0.02


def loud(duration: float, at: float = 0.0) -> AudioFrame:
    return AudioFrame(np.full(round(duration * RATE), 3000, dtype=np.int16), RATE, at)


def speak(utterance: Utterance, duration: float, at: float = 0.0) -> None:
    for index in range(round(duration / FRAME)):
        utterance.hear(loud(FRAME, at + index * FRAME))


def test_a_window_is_due_when_enough_is_new() -> None:
    utterance = Utterance(step=0.8)
    speak(utterance, 0.78)
    assert not utterance.due
    speak(utterance, 0.02, at=0.78)
    assert utterance.due


def test_no_window_is_due_while_one_is_out_and_the_next_holds_all_that_came_meanwhile() -> None:
    utterance = Utterance(step=0.8)
    speak(utterance, 1.0)
    assert utterance.window().duration == 1.0
    speak(utterance, 3.0, at=1.0)
    assert not utterance.due
    utterance.answered(Transcript("I need a"))
    assert utterance.due
    assert utterance.window().duration == 4.0


def test_a_recogniser_that_fails_costs_one_window() -> None:
    utterance = Utterance(step=0.8)
    speak(utterance, 1.0)
    utterance.window()
    utterance.answered(None)
    assert (utterance.stable, utterance.unstable) == ("", "")
    speak(utterance, 1.0, at=1.0)
    assert utterance.due


def test_past_the_limit_the_beginning_is_settled_at_a_quiet_moment() -> None:
    utterance = Utterance(step=0.8, limit=4.0)
    speak(utterance, 3.0)
    utterance.hear(silence(0.2, RATE, at=3.0))
    speak(utterance, 1.0, at=3.2)
    assert 3.0 < utterance.window().end < 3.2
    speak(utterance, 1.0, at=4.2)
    utterance.answered(Transcript("I need a room"))
    assert utterance.stable == "I need a room"
    rest = utterance.whole()
    assert rest is not None
    assert 3.0 < rest.at < 3.2
    assert round(rest.end, 6) == 5.2
    assert utterance.final(Transcript("for two nights")).text == "I need a room for two nights"


def test_the_final_text_is_what_was_heard_last() -> None:
    utterance = Utterance(step=0.5)
    for text in ("I kneed", "I kneed a", "I kneed a room"):
        speak(utterance, 0.5)
        utterance.window()
        utterance.answered(Transcript(text))
    assert utterance.stable == "I kneed a"
    assert utterance.final(Transcript("I need a room.")).text == "I need a room."


def test_what_was_taken_for_all_is_a_window_when_the_caller_goes_on() -> None:
    utterance = Utterance(step=0.8)
    speak(utterance, 1.0)
    utterance.last_window()
    speak(utterance, 0.4, at=1.0)
    utterance.whole()
    speak(utterance, 0.5, at=1.4)
    assert utterance.went_on()
    assert not utterance.due
    utterance.answered(Transcript("I need a room"))
    assert utterance.unstable == "I need a room"
    assert utterance.due


def test_more_than_a_window_holds_is_none_when_the_caller_goes_on() -> None:
    utterance = Utterance(step=0.8, limit=2.0)
    speak(utterance, 2.5)
    utterance.last_window()
    assert not utterance.went_on()
    assert utterance.due


def test_a_window_is_overdue_when_much_was_said_since_the_last_answer() -> None:
    utterance = Utterance(step=0.8)
    speak(utterance, 3.9)
    utterance.window()
    assert not utterance.overdue
    speak(utterance, 0.2, at=3.9)
    assert utterance.overdue
    utterance.answered(Transcript("I need a room"))
    assert not utterance.overdue


def test_a_window_that_settles_the_beginning_is_overdue_at_once() -> None:
    utterance = Utterance(step=0.8, limit=2.0)
    speak(utterance, 2.5)
    utterance.window()
    assert utterance.overdue


def test_nothing_said_leaves_nothing_to_recognise() -> None:
    assert Utterance().whole() is None


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=5), max_size=12), st.floats(0.5, 3.0))
def test_stable_words_stay_across_settled_windows(hypotheses: list[list[str]], limit: float) -> None:
    utterance = Utterance(step=0.4, limit=limit)
    before = ""
    for words in hypotheses:
        speak(utterance, 0.4)
        if utterance.due:
            utterance.window()
            utterance.answered(Transcript(" ".join(words)))
        assert utterance.stable.startswith(before)
        before = utterance.stable


@given(st.integers(0, 20), st.integers(0, 19))
def test_the_quietest_moment_is_the_silent_one(before: int, after: int) -> None:
    parts = [loud(1.0 + before / 10).pcm, silence(0.1, RATE).pcm, loud(0.1 + after / 10).pcm]
    speech = AudioFrame(np.concatenate(parts), RATE)
    assert quietest(speech, earliest=1.0) == len(parts[0]) + RATE // 20
