from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.turn_ends import POLICIES, SoundAlone
from benchmarks.turn_ends_engines import Heard
from benchmarks.turn_ends_figures import figures, judged, sound_alone
from benchmarks.turn_ends_fit import fitted
from benchmarks.turn_ends_listener import Outcome, listen
from benchmarks.turn_ends_set import Spoken, cut
from orchestrator.calls.completion import Evidence, completion
from orchestrator.calls.endpointing import Patience
from orchestrator.core.audio import Pcm
from orchestrator.core.expectation import Expectation, Form
from tests.sounds import mixed, voice

RATE = 16000
PAUSED = ((1.0, 2.0), (2.6, 3.4))
NEVER = Patience(linger=0.0, quickest=60.0, longest=60.0, answer=60.0)


class ScriptedEngines:
    """Hears the stretches with Silero's lag, and gives the same verdict and words for everything before a pause."""

    def __init__(self, spoken: Spoken, verdicts: list[float], words: list[str], seconds: float = 0.1) -> None:
        self._spoken = spoken
        self._verdicts = itertools.cycle(verdicts)
        self._words = itertools.cycle(words)
        self._seconds = seconds

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        times = (np.arange(len(pcm) // 512) + 0.5) * 512 / RATE
        heard = [any(start <= time < end + 0.1 for start, end in self._spoken.stretches) for time in times]
        return [0.95 if voiced else 0.02 for voiced in heard]

    def finished(self, speech: Pcm) -> Heard:
        return Heard(next(self._verdicts), self._seconds)

    def words(self, speech: Pcm) -> Heard:
        return Heard(next(self._words), self._seconds)

    def sentence(self, text: str) -> Heard:
        return Heard(0.02 if text.endswith("to") else 0.5, self._seconds)

    def likeness(self, text: str) -> Heard:
        return Heard(0.0, self._seconds)


def spoken(stretches: tuple[tuple[float, float], ...], expects: Expectation = Expectation()) -> Spoken:
    pcm = np.zeros(round((stretches[-1][1] + 4.0) * RATE), dtype=np.int16)
    return Spoken("test", "request", "somebody", "", expects, pcm, stretches, unseen=True)


def heard(
    stretches: tuple[tuple[float, float], ...], patience: Patience, verdicts: list[float], words: list[str]
) -> Outcome:
    one = spoken(stretches)
    return listen(one, ScriptedEngines(one, verdicts, words), patience)


def test_a_turn_that_is_ended_in_a_pause_is_cut_off():
    outcome = heard(PAUSED, SoundAlone(), [0.9], ["I would like to"])
    assert outcome.cut_off
    assert outcome.wait is None


def test_a_turn_that_is_ended_after_the_speech_has_a_wait_with_the_engines_time_in_it():
    outcome = heard(((1.0, 2.0),), SoundAlone(short=0.0), [0.9], ["Yes."])
    assert not outcome.cut_off
    # The detector lets go after 0.1 s and needs three windows of a pause; words, sentence and verdict take 0.1 s each.
    assert outcome.wait == pytest.approx(0.5, abs=0.05)


def test_a_cut_off_is_audible_when_the_reply_sounds_before_the_caller_goes_on():
    outcome = heard(PAUSED, SoundAlone(), [0.9], ["I would like to"])
    assert outcome.audible(0.05)
    assert not outcome.audible(0.5)


def test_words_that_go_on_are_not_cut_off_where_the_verdict_alone_would_be():
    words = ["I would like to", "I would like to book a table."]
    assert heard(PAUSED, SoundAlone(), [0.9], words).cut_off
    assert not heard(PAUSED, Patience.named("patient"), [0.9], words).cut_off


def test_an_answer_to_a_known_question_is_waited_for():
    one = spoken(PAUSED, Expectation(Form.DIGITS, 6))
    words = ["552", "552 819"]
    assert not listen(one, ScriptedEngines(one, [0.99], words), Patience()).cut_off


def test_the_figures_count_cut_offs_and_waits():
    outcomes = [
        heard(PAUSED, SoundAlone(), [0.9], ["Well"]),
        heard(((1.0, 2.0),), SoundAlone(), [0.9], ["Yes."]),
    ]
    found = figures(outcomes)
    assert (found["turns"], found["paused"], found["cut_off"], found["cut_off_paused"]) == (2, 1, 0.5, 1.0)
    assert found["wait_s"]["p50"] == pytest.approx(outcomes[1].wait, abs=1e-3)  # type: ignore[index]


def test_the_ends_of_speech_are_told_from_the_pauses_in_it():
    outcome = heard(PAUSED, NEVER, [0.6, 0.9], ["I would like to", "I would like to pay."])
    ends, pauses = judged([outcome])
    assert [pause.text for pause in ends] == ["I would like to pay."]
    assert [pause.text for pause in pauses] == ["I would like to"]
    assert sound_alone([outcome])["auc"] == 1.0


def test_a_fit_learns_that_open_words_go_on():
    outcomes = [heard(PAUSED, NEVER, [0.6], ["I would like to", "I would like to pay."]) for _ in range(20)]
    weights = fitted(outcomes)
    going_on, whole = Evidence(0.6, "I would like to", 0.02), Evidence(0.6, "I would like to pay.", 0.5)
    assert completion(going_on, weights=weights) < 0.3 < 0.7 < completion(whole, weights=weights)


def test_every_policy_is_of_the_real_endpointing():
    assert set(POLICIES) >= {"sound alone", "normal"}
    assert POLICIES["normal"][0] == Patience()


def test_speech_is_cut_at_the_gap_near_where_a_part_should_end():
    whole = mixed(2.4, (0.2, voice(0.4)), (0.8, voice(1.2)))
    pieces = cut(whole, ["Well,", "I was wondering"])
    assert [len(piece) / RATE for piece in pieces] == [pytest.approx(0.4, abs=0.1), pytest.approx(1.2, abs=0.1)]
