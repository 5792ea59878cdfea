"""When words that the agent has said are its echo, and when they are the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.echoes import Echoes
from orchestrator.calls.heard import SpeechStarted, TurnEnded
from orchestrator.calls.own_words import PlayedWord
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import EngineError
from orchestrator.core.events import Happened
from tests.calls.scene import CALL_ID, Kept

PACE = 0.3
GREETING = "Good morning and thank you for calling our office"


@dataclass(slots=True)
class Line:
    """A line on which the agent says things."""

    said: list[PlayedWord] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)
    asking: bool = False
    echoes: Echoes = field(init=False)

    def __post_init__(self) -> None:
        self.echoes = Echoes(
            self._since,
            lambda text: text.replace("90", "ninety"),
            lambda: self.asking,
            Chronicle(CALL_ID, self.kept, float),
        )

    async def _since(self, since: float) -> Sequence[PlayedWord]:
        return [word for word in self.said if word.end > since]

    def say(self, text: str, at: float) -> None:
        self.said += [PlayedWord(word, at + PACE * n, at + PACE * (n + 1)) for n, word in enumerate(text.split())]

    def hear(self, text: str, at: float, *, over: bool = True, lasting: float | None = None) -> str:
        """What is left of *text*, heard from *at* on."""
        return self._taken_out(text, at, PACE * len(text.split()) if lasting is None else lasting, over=over).text

    def fails(self, at: float, *, lasting: float, over: bool = True) -> bool:
        """Whether the caller is told that a sound from *at* on was not recognised."""
        failure = EngineError("stt", "no words")
        return self._taken_out("", at, lasting, over=over, failure=failure).failure is failure

    def _taken_out(
        self, text: str, at: float, lasting: float, *, over: bool, failure: EngineError | None = None
    ) -> TurnEnded:
        self.echoes.begin(SpeechStarted(at, at + 0.1), over=over)
        end = at + lasting
        silence = AudioFrame(np.zeros(0, dtype=np.int16), 16000, end)
        return asyncio.run(self.echoes.taken_out(TurnEnded(text, silence, at, end, end, end, end, failure=failure)))

    @property
    def told(self) -> list[object]:
        """The words of each echo that was told of."""
        return [record.payload["words"] for record in self.kept.records if isinstance(record, Happened)]


@pytest.fixture
def line() -> Line:
    talking = Line()
    talking.say(GREETING, 0.0)
    return talking


@pytest.fixture
def echoing(line: Line) -> Line:
    """A line on which the greeting has come back after 0.3 s, and the agent says the price from second 10 on."""
    line.hear("Good morning and", 0.3)
    line.hear("you for calling", 1.2 + 0.3)
    line.say("A new line costs twelve dollars a month", 10.0)
    return line


def test_the_greeting_that_comes_back_is_an_echo(line: Line) -> None:
    assert line.hear("Good morning and thank", 0.4) == ""
    assert line.told == [4]


def test_part_of_a_word_is_enough_where_the_agent_begins(line: Line) -> None:
    del line.said[2:]
    assert line.hear("Good.", 0.3) == ""
    assert line.hear("Good luck.", 0.3, lasting=0.4) == ""


def test_what_is_read_twice_lasts_no_longer_than_its_echo(line: Line) -> None:
    del line.said[2:]
    assert line.hear("Good morning. Good morning.", 0.3, lasting=0.7) == ""


def test_a_second_voice_behind_the_echo_is_the_callers(line: Line) -> None:
    del line.said[2:]
    assert line.hear("Good morning. Good morning.", 0.3, lasting=1.4) == "Good morning. Good morning."


def test_an_echo_whose_beginning_was_not_understood_is_told_by_its_end(echoing: Line) -> None:
    assert echoing.hear("costs twelve dollars a month", 10.3, lasting=2.4) == ""


def test_a_word_or_two_beside_an_echo_are_misread_unless_they_call_for_the_turn(echoing: Line) -> None:
    assert echoing.hear("A new line costs with dolls", 10.3) == ""
    assert echoing.hear("A new line costs stop", 10.3) == "stop"


def test_a_word_beside_an_echo_may_answer_what_the_agent_asks(echoing: Line) -> None:
    echoing.asking = True
    assert echoing.hear("A new line costs operator", 10.3) == "operator"
    assert echoing.hear("A new line costs yes", 10.3) == "yes"
    assert echoing.hear("A new line costs you", 10.3) == ""


def test_the_caller_may_speak_from_the_end_of_the_last_pure_echo_on(echoing: Line) -> None:
    echoing.hear("A new line costs with dolls", 10.3)
    assert echoing.echoes.since == pytest.approx(10.3)
    echoing.hear("A new line costs", 10.3)
    assert echoing.echoes.since == pytest.approx(10.3 + 4 * PACE)


def test_words_between_two_echoes_are_the_callers(echoing: Line) -> None:
    heard = "A new line costs I would like to talk to somebody twelve dollars"
    assert echoing.hear(heard, 10.3, lasting=4.0) == "I would like to talk to somebody"


def test_partial_words_that_repeat_themselves_are_an_echo(echoing: Line) -> None:
    heard = "A new line costs twelve dollars a month line costs twelve dollars"
    assert echoing.hear(heard, 10.3, lasting=2.4) == ""


def test_a_word_in_mid_speech_is_the_callers(line: Line) -> None:
    assert line.hear("calling", 2.0) == "calling"
    assert line.told == []


def test_whoever_confirms_in_mid_speech_is_heard(line: Line) -> None:
    assert line.hear("thank you", 0.9 + 1.0) == "thank you"


def test_whoever_repeats_what_the_agent_has_said_to_its_end_is_heard(line: Line) -> None:
    assert line.hear("our office", 2.7 + 0.05, over=False) == "our office"


def test_words_with_an_echo_in_front_are_the_callers_where_none_is_known(line: Line) -> None:
    del line.said[2:]
    assert line.hear("Good morning and what does it cost", 0.3) == "Good morning and what does it cost"


def test_figures_are_read_as_the_voice_reads_them() -> None:
    line = Line()
    line.say("kept for ninety days and then", 0.0)
    assert line.hear("kept for 90 days", 0.2) == ""


def test_a_line_that_has_echoed_is_expected_to_for_a_minute(echoing: Line) -> None:
    echoing.echoes.begin(SpeechStarted(50.0, 50.1), over=True)
    assert echoing.echoes.expected
    echoing.echoes.begin(SpeechStarted(90.0, 90.1), over=True)
    assert not echoing.echoes.expected


def test_a_single_sound_is_not_yet_a_line_that_echoes(line: Line) -> None:
    line.hear("Good morning and thank you", 0.3)
    assert not line.echoes.expected
    line.hear("for calling our", 1.5 + 0.3)
    assert line.echoes.expected


def test_the_delay_of_an_echo_is_forgotten_after_a_minute(echoing: Line) -> None:
    echoing.say("Yes", 80.0)
    assert echoing.hear("Yes.", 80.33, over=False) == "Yes."


def test_echoes_a_minute_apart_are_not_yet_a_line_that_echoes(line: Line) -> None:
    line.hear("Good morning and", 0.3)
    line.say("A new line costs twelve dollars a month", 70.0)
    assert line.hear("A new line costs", 70.3) == ""
    assert not line.echoes.expected


def test_what_is_not_recognised_within_an_expected_echo_is_no_failure(echoing: Line) -> None:
    assert not echoing.fails(10.3, lasting=1.0)


def test_what_is_not_recognised_behind_an_echo_is_a_failure(echoing: Line) -> None:
    assert echoing.fails(10.3, lasting=4.0)
    assert echoing.fails(10.3, lasting=1.0, over=False)


def test_what_is_not_recognised_where_nothing_has_echoed_is_a_failure(line: Line) -> None:
    assert line.fails(0.3, lasting=1.0)


def test_where_it_is_known_to_echo_the_callers_words_behind_one_are_kept(echoing: Line) -> None:
    assert echoing.hear("A new line costs that is too much", 10.3) == "that is too much"


def test_where_it_is_known_to_echo_a_word_at_its_delay_is_one(echoing: Line) -> None:
    assert echoing.hear("month", 12.1 + 0.35) == ""
    assert echoing.hear("month", 12.1 + 1.1) == "month"


def test_an_answer_that_comes_back_behind_its_end_is_an_echo_at_the_delay_of_the_line(echoing: Line) -> None:
    echoing.say("Yes", 20.0)
    assert echoing.hear("Yes.", 20.33, over=False) == ""
    assert echoing.hear("Yes.", 21.0, over=False) == "Yes."


def test_nothing_is_taken_from_silence(line: Line) -> None:
    assert line.hear("", 0.3) == ""
    assert line.told == []
