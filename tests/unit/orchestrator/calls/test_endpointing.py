from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.calls.completion import Evidence
from orchestrator.calls.endpointing import Endpointer, Patience, Preroll, Signal
from orchestrator.core.expectation import Expectation, Form

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
    assert signals([0.9] * 5 + [0.1] * 50) == [(Signal.ONSET, 2), (Signal.PAUSE, 5)]


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


def test_a_second_thought_ends_the_turn_sooner():
    endpointer, _ = paused(10, 0.01)
    ends = next(tick for tick in range(2000) if endpointer.over(tick / 1000))
    endpointer.judge(0.99)
    assert endpointer.over((ends - 1) / 1000)


def test_words_that_go_on_keep_the_turn_open():
    endpointer, _ = paused(10, 0.9)
    endpointer.read("I would like to")
    assert not endpointer.over((5 + 25) * WINDOW)
    endpointer.read("I would like to pay with a card.")
    assert endpointer.over((5 + 25) * WINDOW)


def test_words_are_those_of_their_own_pause():
    endpointer, _ = paused(10, 0.9)
    endpointer.read("That is all.")
    for index in range(15, 40):
        if endpointer.hear(0.9 if index < 20 else 0.1, index * WINDOW, (index + 1) * WINDOW) is Signal.PAUSE:
            endpointer.judge(0.9)
            without = endpointer.patience.needed(Evidence(0.9))
    assert endpointer.over(20 * WINDOW + without + 0.001)
    assert not endpointer.over(20 * WINDOW + without - 0.001)


def test_as_long_as_nothing_is_known_no_silence_ends_the_turn():
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


TEN_DIGITS = Expectation(Form.DIGITS, 10)
EMAIL = Expectation(Form.EMAIL)
DATE = Expectation(Form.DATE)


CARD = "I need a new card."


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        ((Evidence(0.95, CARD),), (Evidence(0.95, "I need a"),)),
        ((Evidence(0.95, CARD),), (Evidence(0.95, "I need a new card and"),)),
        ((Evidence(0.95, CARD),), (Evidence(0.95, "Uh"),)),
        ((Evidence(0.95, CARD),), (Evidence(0.95, ""),)),
        ((Evidence(0.95, CARD, 0.6),), (Evidence(0.95, CARD, 0.01),)),
        ((Evidence(0.95, "Yes."),), (Evidence(0.95, "Cards."),)),
        ((Evidence(text="New cards."),), (Evidence(text="Some new cards."),)),
        ((Evidence(0.95, "5528194410"), TEN_DIGITS), (Evidence(0.95, "552"), TEN_DIGITS)),
        ((Evidence(0.05, "5528194410"), TEN_DIGITS), (Evidence(0.95, "552819441"), TEN_DIGITS)),
        ((Evidence(0.95, "552"),), (Evidence(0.95, "552"), TEN_DIGITS)),
        ((Evidence(0.95, "I don't have it here."), TEN_DIGITS), (Evidence(0.95, "It's 552."), TEN_DIGITS)),
        ((Evidence(0.95, "j.smith@example.com"), EMAIL), (Evidence(0.95, "j.smith"), EMAIL)),
        ((Evidence(0.95, "Le douze mars."), DATE, "fr"), (Evidence(0.95, "Le douze de"), DATE, "fr")),
    ],
)
def test_more_silence_is_needed_after(sooner, later):
    patience = Patience()
    assert patience.needed(*sooner) < patience.needed(*later)


def test_silence_that_is_over_already_costs_nothing_more():
    patience, doubtful = Patience(), Evidence(0.5, "My order number.", 0.15)
    needed = patience.needed(doubtful)
    waits = [patience.needed(doubtful, waited=waited) for waited in (needed / 2, needed, needed + 0.2, 9.0)]
    assert waits[:2] == [needed, needed]
    assert needed + 0.2 <= waits[2] <= waits[3] == patience.longest


def test_whoever_is_surely_done_is_not_kept_waiting_for_having_waited():
    patience, whole = Patience(), Evidence(0.95, CARD, 0.9)
    assert patience.needed(whole, waited=0.3) == pytest.approx(0.3, abs=0.03)


def test_an_open_word_of_one_language_is_none_of_another():
    patience = Patience()
    open_in_english, plain = Evidence(0.9, "Du möchtest den Arzt, die."), Evidence(0.9, "Du möchtest den Arzt, sie.")
    assert patience.needed(open_in_english, language="de") == patience.needed(plain, language="de")


EVIDENCE = st.builds(
    Evidence, st.none() | st.floats(0, 1), st.none() | st.text(max_size=40), st.none() | st.floats(0, 1)
)


@given(
    EVIDENCE,
    st.builds(Expectation, st.sampled_from(Form), st.none() | st.integers(1, 20)),
    st.sampled_from(["en", "fr", "de", "fr-CA"]),
    st.sampled_from(["quick", "normal", "patient", 0.2, 3]),
)
def test_every_pause_is_given_a_bounded_silence(evidence, expects, language, name):
    patience = Patience.named(name)
    needed = patience.needed(evidence, expects, language)
    assert patience.quickest <= needed <= max(patience.longest, patience.answer)


@given(st.floats(0, 1), st.floats(0, 1), st.none() | st.text(max_size=40), st.none() | st.floats(0, 1))
def test_what_sounds_more_finished_never_waits_longer(one, two, text, sentence):
    patience = Patience()
    sooner, later = (Evidence(sound, text, sentence) for sound in (max(one, two), min(one, two)))
    assert patience.needed(sooner) <= patience.needed(later)


@given(st.floats(0, 1), st.floats(0, 1), st.text(max_size=40))
def test_what_reads_more_finished_never_waits_longer(one, two, text):
    patience = Patience()
    sooner, later = (Evidence(0.5, text, sentence) for sentence in (max(one, two), min(one, two)))
    assert patience.needed(sooner) <= patience.needed(later)


@given(EVIDENCE)
def test_a_patient_agent_never_waits_less_than_a_quick_one(evidence):
    quick, normal, patient = (Patience.named(name).needed(evidence) for name in ("quick", "normal", "patient"))
    assert quick <= normal <= patient


def test_patience_in_seconds_bounds_the_silence():
    assert Patience.named(0.3).needed(Evidence(0.0, "I would like to", 0.0)) == 0.3
    assert 1.0 < Patience.named(2.5).needed(Evidence(0.0, "I would like to", 0.0)) <= 2.5


@pytest.mark.parametrize("wrong", ["slow", "", 0.1, 6, -1])
def test_an_unknown_patience_is_refused_with_what_is_accepted(wrong):
    with pytest.raises(ValueError, match=r"accepted are .*quick, normal, patient"):
        Patience.named(wrong)


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
