"""Callers who say nothing, and calls that last too long."""

from __future__ import annotations

import pytest

from orchestrator.calls.setup import SessionSettings
from orchestrator.core.events import EndReason
from orchestrator.core.turn import AnswerKind, Mark
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeLanguageModel


def test_a_silent_caller_is_asked_twice_and_then_left():
    call = Scene(hangs_up=120.0).run()
    phrases = call.agent.phrases
    assert [turn.heard_text for turn in call.turns_kept[1:]] == [
        phrases.still_there,
        phrases.still_there,
        phrases.nobody_there,
    ]
    assert {turn.answer for turn in call.turns_kept[1:]} == {AnswerKind.PROMPT}
    assert call.reason is EndReason.SILENCE
    assert call.leg.hung_up
    assert call.llm.requests == []


def test_the_question_comes_after_ten_seconds_of_silence_from_both_sides():
    call = Scene(says=[Says("can you help me", 2.0)], hangs_up=30.0).run()
    answered, asked = call.turns_kept[1:3]
    assert asked.heard_text == call.agent.phrases.still_there
    waited = asked.marks[Mark.REPLY_STARTED] - answered.marks[Mark.REPLY_ENDED]
    assert waited == pytest.approx(10.0, abs=0.1)


def test_a_caller_who_answers_is_not_left():
    says = [Says("yes", 14.0), Says("hello", 33.0)]
    call = Scene(says=says, hangs_up=40.0).run()
    assert call.reason is EndReason.CALLER_HANGUP
    assert [turn.heard_text for turn in call.turns_kept].count(call.agent.phrases.still_there) == 2
    assert "You said yes" in [turn.heard_text for turn in call.turns_kept]


def test_a_long_story_is_not_interrupted():
    story = " ".join(f"w{i}" for i in range(70))  # 21 s
    call = Scene(says=[Says(story, 2.0)], hangs_up=30.0).run()
    assert call.agent.phrases.still_there not in [turn.heard_text for turn in call.turns_kept]


def test_who_interrupts_with_a_long_story_is_not_asked_whether_they_are_there():
    story = " ".join(f"w{i}" for i in range(50))  # 15 s
    scene = Scene(says=[Says("tell me", 2.0), Says(story, 6.0)], hangs_up=26.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: "So many words and more to come here. " + "Yes it is. " * 9)
    call = scene.run()
    assert call.agent.phrases.still_there not in [turn.heard_text for turn in call.turns_kept]
    assert story in [turn.caller_text for turn in call.turns_kept]


def test_a_slow_reply_is_no_silence_of_the_caller():
    scene = Scene(
        says=[Says("can you help me", 2.0)],
        settings=SessionSettings(answer_within=20.0, filler_after=30.0),
        hangs_up=22.0,
    )
    scene.llm = FakeLanguageModel(first_token=14.0)
    assert scene.run().turns_kept[1].heard_text == "You said can you help me"
    assert len(scene.turns_kept) == 2


def test_noises_do_not_count_as_an_answer():
    scene = Scene(says=[Says("hm", 3.0 + 8.0 * i) for i in range(5)], hangs_up=120.0)
    scene.recognizer.hear = lambda window: ""
    assert scene.run().reason is EndReason.SILENCE


def test_a_call_that_has_lasted_long_enough_ends_with_a_goodbye():
    says = [Says("tell me", 2.0)]
    scene = Scene(says=says, settings=SessionSettings(longest=5.0), hangs_up=60.0)
    scene.llm = FakeLanguageModel(
        answer=lambda messages: "So many words and more to come. " + "Yes indeed it is so. " * 20
    )
    call = scene.run()
    assert call.turns_kept[-1].heard_text == call.agent.phrases.time_up
    assert call.reason is EndReason.TIME_UP
    assert call.leg.hung_up
    assert len(call.turns_kept[1].heard_text) < len(call.turns_kept[1].reply_text)
