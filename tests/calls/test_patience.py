"""How long the agent waits for a caller who pauses: by the words, by the question, by the agent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.agent import ApprovedAnswer
from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.expectation import Expectation, Form
from orchestrator.core.turn import Mark
from tests.calls.scene import AGENT, Says, Scene
from tests.fakes.engines import FakeLanguageModel, FakeTurnDetector

TRACKING = ApprovedAnswer(("where is my parcel",), "What is your number?", Expectation(Form.DIGITS, 6))
POST_OFFICE = replace(AGENT, answers=(TRACKING,))


def said(call: Scene) -> list[str]:
    return [turn.caller_text for turn in call.turns_kept[1:]]


def waited(call: Scene) -> float:
    """Seconds from the end of the first words to the end of their turn."""
    marks = call.turns_kept[1].marks
    return marks[Mark.TURN_ENDED] - marks[Mark.SPEECH_ENDED]


def test_half_a_number_that_was_asked_for_is_waited_for():
    says = [Says("where is my parcel", 2.0), Says("five five two", 8.0), Says("eight one nine", 10.3)]
    assert said(Scene(POST_OFFICE, says=says, hangs_up=20.0).run()) == [
        "where is my parcel",
        "five five two eight one nine",
    ]


def test_nobody_waits_for_a_number_that_was_not_asked_for():
    unasked = replace(AGENT, answers=(replace(TRACKING, expects=Expectation()),))
    says = [Says("where is my parcel", 2.0), Says("five five two", 8.0), Says("eight one nine", 10.3)]
    assert said(Scene(unasked, says=says, hangs_up=20.0).run())[1] == "five five two"


def test_the_last_digit_ends_the_turn_at_once():
    asked = [Says("where is my parcel", 2.0), Says("five five two eight one nine", 8.0)]
    call = Scene(POST_OFFICE, says=asked, hangs_up=20.0).run()
    marks = call.turns_kept[2].marks
    assert marks[Mark.TURN_ENDED] - marks[Mark.SPEECH_ENDED] < 0.6


def test_a_sentence_that_the_language_model_finds_unfinished_is_waited_for():
    def call(sentence: float) -> Scene:
        llm = FakeLanguageModel(ends=lambda text: sentence)
        return Scene(says=[Says("send the letter", 2.0)], llm=llm, hangs_up=9.0).run()

    assert waited(call(0.001)) > waited(call(0.9)) + 0.3


def test_a_question_to_which_there_is_an_answer_is_waited_for_less():
    def call(text: str) -> Scene:
        llm = FakeLanguageModel(ends=lambda text: 0.1)
        return Scene(says=[Says(text, 2.0)], llm=llm, hangs_up=9.0).run()

    assert waited(call("what are your opening hours")) < waited(call("what about my old winter coats")) - 0.2


def test_an_encoder_that_is_away_ends_the_turn_as_ever():
    def break_the_encoder(scene: Scene) -> None:
        scene.embedder.failure = EngineUnavailable("embed", "gone")

    call = Scene(says=[Says("send the letter", 2.0)], before=break_the_encoder, hangs_up=9.0).run()
    assert waited(call) < 1.5
    assert call.turns_kept[1].heard_text == call.agent.phrases.trouble


def test_a_language_model_that_does_not_tell_in_time_holds_nobody_up():
    llm = FakeLanguageModel(judging=30.0)
    assert waited(Scene(says=[Says("send the letter", 2.0)], llm=llm, hangs_up=9.0).run()) < 1.5


@pytest.mark.parametrize(("sooner", "later"), [("quick", "normal"), ("normal", "patient"), (0.3, 3.0)])
def test_an_agent_has_a_patience_of_its_own(sooner, later):
    def call(patience: str | float) -> Scene:
        return Scene(
            replace(AGENT, patience=patience),
            says=[Says("send the letter and", 2.0)],
            turns=FakeTurnDetector(judge=lambda text: 0.2),
            hangs_up=12.0,
        ).run()

    assert waited(call(sooner)) < waited(call(later))
