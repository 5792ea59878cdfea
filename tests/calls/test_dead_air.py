"""Replies that are slow, and replies that never come."""

from __future__ import annotations

import pytest

from orchestrator.core.turn import AnswerKind, Mark
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeLanguageModel

WAIT = "One moment, please."


def slow(first_token: float, **scene: object) -> Scene:
    call = Scene(says=[Says("can you help me", 2.0)], **scene)  # type: ignore[arg-type]
    call.llm = FakeLanguageModel(first_token=first_token)
    return call


def test_a_slow_reply_is_announced():
    call = slow(5.0, hangs_up=14.0).run()
    turn = call.turns_kept[1]
    assert turn.heard_text == f"{WAIT} You said can you help me"
    assert call.heard_between(3.2, 6.4).startswith("One")
    assert not call.heard_between(3.2, 5.6)


def test_a_filler_does_not_make_the_reply_look_sooner():
    turn = slow(5.0, hangs_up=14.0).run().turns_kept[1]
    assert turn.marks[Mark.REPLY_STARTED] - turn.marks[Mark.TRANSCRIBED] == pytest.approx(5.2, abs=0.1)


def test_a_quick_reply_is_not_announced():
    call = slow(1.5, hangs_up=10.0).run()
    assert call.turns_kept[1].heard_text == "You said can you help me"
    assert call.events("filler") == []


def test_a_reply_that_never_comes_is_announced_and_then_apologised_for():
    call = slow(1000.0, hangs_up=16.0).run()
    announced, turn = call.turns_kept[1:3]
    assert announced.heard_text == WAIT
    assert turn.answer is AnswerKind.FALLBACK
    assert call.heard_between(3.2, 16.0) == f"{WAIT} {call.agent.phrases.trouble}"
    assert turn.marks[Mark.REPLY_STARTED] - announced.marks[Mark.TURN_ENDED] == pytest.approx(8.0, abs=0.2)


def test_a_caller_who_asks_again_during_the_filler_is_still_in_the_same_turn():
    scene = slow(4.0, hangs_up=16.0)
    scene.says = [*scene.says, Says("hello", 6.2)]
    call = scene.run()
    assert [turn.caller_text for turn in call.turns_kept[1:]] == ["can you help me hello"]
    assert call.turns_kept[1].heard_text.endswith("You said can you help me hello")


def test_a_reply_that_stalls_in_the_middle_is_given_up():
    def stall(scene: Scene) -> None:
        scene.tts.per_piece = 1000.0

    scene = Scene(says=[Says("can you help me", 2.0)], before=stall, hangs_up=24.0)
    call = scene.run()
    assert call.turns_kept[1].heard_text in {"", "You"}
    assert call.turns_kept[2].heard_text == call.agent.phrases.trouble
    assert call.turns_kept[2].marks[Mark.REPLY_STARTED] < 13.0


def test_nothing_is_left_running():
    call = slow(1000.0, hangs_up=16.0).run()
    assert call.llm.completed + call.llm.closed == len(call.llm.requests)
