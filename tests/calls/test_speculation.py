"""Replies that are begun before it is certain that the caller is done."""

from __future__ import annotations

import pytest

from orchestrator.calls.ear import EarSettings
from orchestrator.calls.endpointing import Patience
from orchestrator.calls.load_guard import LoadGuard
from orchestrator.calls.setup import SessionSettings
from orchestrator.core.errors import EngineOverloaded
from orchestrator.core.turn import Mark
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeLanguageModel

A_SECOND = EarSettings(patience=Patience(quickest=1.0, longest=1.0))


def doubtful(*, speculate: bool = True, **scene: object) -> Scene:
    """A call in which the agent waits a second for more after whatever is said."""
    settings = SessionSettings(ear=A_SECOND, speculate=speculate)
    return Scene(settings=settings, **scene)  # type: ignore[arg-type]


def outcomes(call: Scene) -> list[object]:
    return [event.payload["outcome"] for event in call.events("speculated")]


def test_the_reply_is_ready_when_the_silence_has_been_long_enough():
    says = [Says("can you help me", 2.0)]
    waited = doubtful(says=says, hangs_up=9.0, speculate=False).run().turns_kept[1]
    guessed = doubtful(says=says, hangs_up=9.0).run().turns_kept[1]
    assert guessed.heard_text == waited.heard_text == "You said can you help me"
    assert guessed.marks[Mark.TURN_ENDED] == pytest.approx(waited.marks[Mark.TURN_ENDED], abs=0.021)
    assert guessed.marks[Mark.FIRST_AUDIO] < guessed.marks[Mark.TURN_ENDED]
    assert waited.marks[Mark.LLM_STARTED] == pytest.approx(waited.marks[Mark.TURN_ENDED])
    assert guessed.spans()["voice_to_voice"] < waited.spans()["voice_to_voice"] - 0.15


def test_nothing_is_heard_before_the_turn_is_over():
    call = doubtful(says=[Says("can you help me", 2.0)], hangs_up=9.0).run()
    ended = call.turns_kept[1].marks[Mark.TURN_ENDED]
    assert not call.heard_between(2.0, ended)
    assert call.states[2:5] == ["process", "respond", "listen"]


def test_a_caller_who_goes_on_is_answered_once_and_for_all_of_it():
    says = [Says("my number is", 2.0), Says("five five two", 3.6)]
    call = doubtful(says=says, hangs_up=10.0).run()
    assert [turn.caller_text for turn in call.turns_kept[1:]] == ["my number is five five two"]
    assert call.turns_kept[1].heard_text == "You said my number is five five two"
    assert outcomes(call) == ["miss", "hit"]
    assert [turn.index for turn in call.turns_kept] == [0, 1]


def test_a_draft_that_nobody_hears_leaves_no_trace_in_the_conversation():
    says = [Says("my number is", 2.0), Says("five five two", 3.6), Says("and you", 9.0)]
    call = doubtful(says=says, hangs_up=16.0).run()
    assert [message.content for message in call.llm.requests[-1] if message.role == "user"] == [
        "my number is five five two",
        "and you",
    ]
    assert [text for _, text in call.lines].count("You said my number is") == 0


def test_a_draft_is_closed_when_the_caller_goes_on():
    scene = doubtful(says=[Says("my number is", 2.0), Says("one two three four five six", 3.6)], hangs_up=10.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: "Many words. " * 50)
    call = scene.run()
    assert call.llm.completed + call.llm.closed == len(call.llm.requests) == 2
    assert call.tts.completed + call.tts.closed == len(call.tts.requests)


def test_the_draft_is_kept_when_the_caller_adds_a_sound_but_no_word():
    scene = doubtful(says=[Says("can you help me", 2.0), Says("hm", 3.6)], hangs_up=10.0)
    scene.recognizer.hear = lambda window: scene.lexicon.hear(window).replace("hm", "").strip()
    call = scene.run()
    assert call.turns_kept[1].heard_text == "You said can you help me"
    assert outcomes(call) == ["hit"]
    assert len(call.llm.requests) == 1


def test_a_draft_that_fails_is_tried_again_when_the_turn_is_over():
    failing = [EngineOverloaded("llm", "busy")]

    def answer(messages: object) -> str:
        if failing:
            raise failing.pop()
        return "Here I am."

    scene = doubtful(says=[Says("can you help me", 2.0)], hangs_up=9.0)
    scene.llm = FakeLanguageModel(answer=answer)
    call = scene.run()
    assert call.turns_kept[1].heard_text == "Here I am."
    assert outcomes(call) == ["miss"]


def test_a_caller_who_hangs_up_leaves_no_draft_behind():
    scene = doubtful(says=[Says("can you help me", 2.0)], hangs_up=3.9)
    scene.llm = FakeLanguageModel(answer=lambda messages: "Many words. " * 50)
    call = scene.run()
    assert outcomes(call) == ["miss"]
    assert call.llm.completed + call.llm.closed == len(call.llm.requests) == 1
    assert [turn.caller_text for turn in call.turns_kept[1:]] == ["can you help me"]


def test_under_load_no_reply_is_begun_before_its_turn_is_over():
    call = doubtful(says=[Says("can you help me", 2.0)], hangs_up=9.0, guard=LoadGuard(drafts=0)).run()
    assert outcomes(call) == ["declined"]
    assert call.turns_kept[1].heard_text == "You said can you help me"


def test_every_draft_gives_its_place_back():
    guard = LoadGuard()
    says = [Says("my number is", 2.0), Says("five five two", 3.6), Says("bye", 9.0)]
    doubtful(says=says, hangs_up=9.9, guard=guard).run()
    assert guard.under_way == 0


def test_a_call_that_breaks_gives_the_place_of_its_draft_back():
    guard = LoadGuard()
    scene = doubtful(says=[Says("can you help me", 2.0)], hangs_up=9.0, guard=guard)

    def break_down(messages: object) -> str:
        raise RuntimeError("a bug")

    scene.llm = FakeLanguageModel(answer=break_down)
    with pytest.raises(ExceptionGroup):
        scene.run()
    assert guard.under_way == 0


def test_without_speculation_every_reply_begins_after_its_turn():
    call = doubtful(says=[Says("can you help me", 2.0)], hangs_up=9.0, speculate=False).run()
    assert outcomes(call) == []
    assert call.turns_kept[1].marks[Mark.LLM_STARTED] >= call.turns_kept[1].marks[Mark.TURN_ENDED] - 1e-6
